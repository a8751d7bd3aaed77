"""The table's file: where it is found, in which formats, and what is said when it is wrong."""

import gzip
import io
import os
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from adbench_creditcard import adbench_datasets, files
from adbench_creditcard.dataset import CreditCard
from adbench_creditcard.files import COLUMNS
from adbench_creditcard.synthetic import generate
from pyarrow import parquet

from adbench import Dataset, DatasetError, Describes, Finder

DATA = Path(os.environ.get("ADBENCH_DATA") or "no-data-folder")
X, Y = generate(n_normals=40, n_frauds=4)
HEADER = ",".join(f'"{name}"' for name in COLUMNS)


def lines(quote='"'):
    """Return the rows as Kaggle writes them: Time without a point, Class in quotes."""
    return [
        ",".join([f"{time:.0f}", *(repr(float(value)) for value in rest), f"{quote}{label}{quote}"])
        for (time, *rest), label in zip(X, Y, strict=True)
    ]


def text(changed=None, header=HEADER):
    """Return the csv, one line changed: ``{line: new text}``, the header being line 0."""
    all_lines = [header, *lines()]
    for number, line in (changed or {}).items():
        all_lines[number] = line
    return "\n".join(all_lines) + "\n"


def field(number, value, line=5):
    """Return the csv with one field of a line replaced."""
    fields = lines()[line - 1].split(",")
    fields[number] = value
    return text({line: ",".join(fields)})


def table(**changed):
    """Return a parquet table with some columns replaced, or dropped if None."""
    columns = {name: X[:, number] for number, name in enumerate(COLUMNS[:-1])} | {"Class": Y.astype(np.int64)}
    return pa.table({name: values for name, values in (columns | changed).items() if values is not None})


def parquet_bytes(made):
    buffer = io.BytesIO()
    parquet.write_table(made, buffer)
    return buffer.getvalue()


def zip_bytes(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, contents in members.items():
            archive.writestr(name, contents)
    return buffer.getvalue()


ARFF = "\n".join(
    [
        "% OpenML 1597",
        "@RELATION creditcard",
        *(f"@ATTRIBUTE {name} REAL" for name in COLUMNS[:-1]),
        "@ATTRIBUTE Class {'0','1'}",
        "@DATA",
        *lines("'"),
    ]
)
WORDS = pa.array([str(label) for label in Y])

FORMATS = {
    "creditcard.csv": text().encode(),
    "creditcard.csv.gz": gzip.compress(text().encode()),
    "creditcard.zip": zip_bytes({"creditcard.csv": text()}),
    "archive.zip": zip_bytes({"README.txt": "about", "data/creditcard.csv": text()}),
    "creditcard.parquet": parquet_bytes(table()),
    "dataset_1597.pq": parquet_bytes(table(Class=WORDS.dictionary_encode())),
    "creditcard.arff": ARFF.encode(),
    "creditcard_subset.csv.gz": gzip.compress(text().encode()),
    "creditcard-part.CSV": ("\ufeff" + text().replace("\n", "\r\n")).encode(),
}


def put(folder, name, contents):
    path = folder / "creditcard" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(contents)
    return path


def found_in(folder):
    return CreditCard().locate(Finder((folder,)))


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_arrays(tmp_path, name):
    """To the bit, so that results on one copy are results on all."""
    path = put(tmp_path, name, FORMATS[name])
    found = found_in(tmp_path)
    assert found.files == (path,)
    arrays = CreditCard().load(found)
    np.testing.assert_array_equal(arrays["X"], X)
    np.testing.assert_array_equal(arrays["y"], Y)
    assert (arrays["X"].dtype, arrays["y"].dtype, arrays["group"].dtype) == (np.float64, np.uint8, np.int64)


def test_columns_in_another_order_are_put_right(tmp_path):
    """The header says which is which."""
    made = table()
    put(tmp_path, "creditcard.parquet", parquet_bytes(made.select(COLUMNS[::-1])))
    np.testing.assert_array_equal(CreditCard().load(found_in(tmp_path))["X"], X)


def test_a_complete_table_is_preferred_to_a_part(tmp_path):
    """First by the names that downloads have, then by size; other files of the folder are left alone."""
    put(tmp_path, "row_origin.csv.gz", b"other")
    put(tmp_path, "creditcard_notes.txt", b"other")
    assert found_in(tmp_path).variant == "synthetic"
    put(tmp_path, "creditcard_a.csv", b"short")
    larger = put(tmp_path, "creditcard_b.csv", b"longer than that")
    assert found_in(tmp_path).files == (larger,)
    complete = put(tmp_path, "creditcard.zip", b"")
    assert found_in(tmp_path).files == (complete,)


def test_a_part_is_a_variant_named_by_its_rows(tmp_path):
    """The note states rows, frauds, their share, repeats, and the way to the whole table."""
    assert isinstance(CreditCard(), Dataset) and isinstance(CreditCard(), Describes)
    put(tmp_path, "creditcard.csv", (text() + lines()[6] + "\n").encode())
    found = found_in(tmp_path)
    told = CreditCard().describe(found, CreditCard().load(found))
    assert (found.variant, told.variant, told.files) == ("unread", "45rows", found.files)
    assert "45 rows, 4 frauds (8.889%), 1 repeats" in told.note and "into creditcard/ of the data folder" in told.note


@pytest.fixture(scope="module")
def standin():
    """Return the stand-in's arrays at full size."""
    found = CreditCard().locate(Finder(()))
    return CreditCard().load(found)


def test_only_the_published_sums_make_a_table_official(tmp_path, standin):
    """Rows, frauds, sums of Amount and means of V1 to V28 must all be the published ones."""
    found = found_in(tmp_path)
    put(tmp_path, "creditcard.csv", b"")
    found, y = found_in(tmp_path), standin["y"]
    like_official = np.array(standin["X"])
    like_official[:, 1:29] -= like_official[:, 1:29].mean(axis=0)
    for label, total in ((0, 25_162_590.01 - 60_127.97), (1, 60_127.97)):
        like_official[y == label, 29] *= total / like_official[y == label, 29].sum()

    def told(change):
        changed = like_official.copy()
        changed[7, change] += 0.5
        return CreditCard().describe(found, standin | {"X": changed if change else like_official})

    assert told(None).variant == "" and told(None).note.startswith("The complete official table: 284,807 rows, 492")
    assert told(29).variant == told(3).variant == "284807rows"


def test_without_a_file_there_is_the_stand_in(standin):
    """It has the official numbers of rows, frauds and repeats, and is called synthetic."""
    found = CreditCard().locate(Finder(()))
    told = CreditCard().describe(found, standin)
    assert (told.variant, told.files) == ("synthetic", ())
    assert told.note.startswith("Synthetic rows") and "no real payment" in told.note
    assert (standin["X"].shape, standin["y"].sum()) == ((284_807, 30), 492)
    assert 284_807 - len(np.unique(standin["group"])) == 1_081


BAD = {
    "empty file": ("creditcard.csv", b"", ["31 columns Time, V1 to V28, Amount and Class; found an empty file"]),
    "html": ("creditcard.csv", b"<!DOCTYPE html>\n<p>Sign in</p>", ["found other ones ('<!DOCTYPE html>')"]),
    "no header": ("creditcard.csv", "\n".join(lines()).encode(), ["found other ones ("]),
    "semicolons": ("creditcard.csv", text().replace(",", ";").encode(), ["found other ones ("]),
    "only the header": ("creditcard.csv", f"{HEADER}\n".encode(), ["31 numbers in every row", "Empty CSV"]),
    "missing column": (
        "creditcard.csv",
        "\n".join([HEADER.replace('"V7",', ""), *lines()]).encode(),
        ["found 30, without 'V7'. Keep"],
    ),
    "extra column": ("creditcard.csv", text(header=f'{HEADER},"V29"').encode(), ["found 32, besides 'V29'."]),
    "saved index": ("creditcard.csv", text(header=f",{HEADER}").encode(), ["found 32, besides ''."]),
    "renamed column": (
        "creditcard.csv",
        text(header=HEADER.replace("Amount", "amount")).encode(),
        ["without 'Amount' and besides 'amount'"],
    ),
    "doubled column": (
        "creditcard.csv",
        text(header=f'{HEADER},"V1"').encode(),
        ["found 32, some of them doubled"],
    ),
    "million columns": ("creditcard.csv", b"a," * 1_000_000, ["at most 1,000 columns"]),
    "endless line": ("creditcard.csv", b"1" * 200_000, ["lines of at most 65,536 bytes"]),
    "letters": ("creditcard.csv", field(3, "abc").encode(), ["31 numbers in every row; found 'abc' in 'V3'"]),
    "ragged": ("creditcard.csv", text({5: "1,2,3"}).encode(), ["31 numbers in every row", "got 3"]),
    "empty field": ("creditcard.csv", field(4, "").encode(), ["missing or infinite values in 'V4'"]),
    "NaN": ("creditcard.csv", field(4, "NaN").encode(), ["missing or infinite values in 'V4'"]),
    "infinite": ("creditcard.csv", field(29, "inf").encode(), ["missing or infinite values in 'Amount'"]),
    "class 2": ("creditcard.csv", field(30, '"2"').encode(), ["Class 0 or 1; found 2 (1 of 44 rows)"]),
    "time -1": ("creditcard.csv", field(0, "-1").encode(), ["Time from 0 to 172792; found -1 (1 of 44 rows)"]),
    "time 200000": ("creditcard.csv", field(0, "200000").encode(), ["Time from 0 to 172792; found 200000"]),
    "time 1.5": ("creditcard.csv", field(0, "1.5").encode(), ["Time in whole seconds; found 1.5"]),
    "amount 30000": ("creditcard.csv", field(29, "30000").encode(), ["Amount from 0 to 25691.16; found 30000"]),
    "V9 1e6": ("creditcard.csv", field(9, "1e6").encode(), ["V9 from -113.75 to 120.59; found 1000000"]),
    "one class": (
        "creditcard.csv",
        text().replace('"1"\n', '"0"\n').encode(),
        ["at least two frauds", "found 0 frauds in 44 rows"],
    ),
    "truncated gz": ("creditcard.csv.gz", gzip.compress(text().encode())[:-20], ["cut short or damaged"]),
    "not gz": ("creditcard.csv.gz", text().encode(), ["cut short or damaged (Not a gzipped file"]),
    "zip without csv": (
        "archive.zip",
        zip_bytes({"a.csv": "1", "b.csv": "2"}),
        ["a member creditcard.csv; found 'a.csv', 'b.csv'"],
    ),
    "empty zip": ("archive.zip", zip_bytes({}), ["found an empty archive"]),
    "truncated zip": ("creditcard.zip", zip_bytes({"creditcard.csv": text()})[:-60], ["cut short or damaged"]),
    "zip with a path out": ("creditcard.zip", zip_bytes({"../creditcard.csv": text()}), ["leads out of the archive"]),
    "html in a zip": ("creditcard.zip", zip_bytes({"creditcard.csv": "<html>"}), ["found other ones ('<html>')"]),
    "not parquet": (
        "creditcard.parquet",
        text().encode(),
        ["a parquet file of numbers; found one cut short or damaged"],
    ),
    "truncated parquet": ("creditcard.parquet", FORMATS["creditcard.parquet"][:-9], ["found one cut short or damaged"]),
    "parquet of words": (
        "creditcard.parquet",
        parquet_bytes(table(V5=pa.array(["1.0"] * len(Y)))),
        ["numbers in every column; found string in 'V5'"],
    ),
    "parquet with other labels": (
        "creditcard.parquet",
        parquet_bytes(table(Class=pa.array(["fraud"] * len(Y)))),
        ["a parquet file of numbers; found one cut short or damaged", "fraud"],
    ),
    "parquet with a null": (
        "creditcard.parquet",
        parquet_bytes(table(V6=pa.array([None, *X[1:, 6]]))),
        ["missing or infinite values in 'V6'"],
    ),
    "parquet without Time": ("creditcard.parquet", parquet_bytes(table(Time=None)), ["found 30, without 'Time'"]),
    "arff without data": ("creditcard.arff", ARFF.partition("@DATA")[0].encode(), ["an arff file with @data"]),
}


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_file_is_named_with_expected_found_and_a_way_out(tmp_path, fault):
    """One line, without the folders above the file's own."""
    name, contents, words = BAD[fault]
    put(tmp_path, name, contents)
    check_message(tmp_path, name, words)


def test_an_archive_that_unpacks_too_large_is_refused(tmp_path, monkeypatch):
    """The limit holds for what is unpacked: in a zip, in a gz and in a parquet file."""
    monkeypatch.setattr(files, "_MOST_BYTES", 100_000)
    bomb = b"0" * 1_000 + b"\n"
    put(tmp_path, "creditcard.zip", zip_bytes({"creditcard.csv": bomb * 1_000}))
    check_message(tmp_path, "creditcard.zip", ["at most 100,000 bytes, unpacked", "found more"])
    put(tmp_path, "creditcard.zip", b"").unlink()
    put(tmp_path, "creditcard.csv.gz", gzip.compress(bomb * 1_000))
    check_message(tmp_path, "creditcard.csv.gz", ["at most 100,000 bytes of text; found more"])
    put(tmp_path, "creditcard.csv.gz", b"").unlink()
    put(tmp_path, "creditcard.parquet", FORMATS["creditcard.parquet"])
    monkeypatch.setattr(files, "_MOST_ROWS", 43)
    check_message(tmp_path, "creditcard.parquet", ["at most 43 rows and 100,000 bytes; found 44 and"])


def check_message(folder, name, words):
    with pytest.raises(DatasetError) as caught:
        CreditCard().load(found_in(folder))
    message = str(caught.value)
    assert message.startswith(f"creditcard/{name}: expected ") and "; found " in message
    assert message.endswith((".", "?")) and "\n" not in message and str(folder) not in message
    assert [word for word in words if word not in message] == [], message


def test_the_spec_names_the_official_file():
    """One file of known size and MD5, from three places."""
    (spec,) = adbench_datasets()
    (remote,) = spec.files
    assert (remote.path, remote.size) == ("creditcard/creditcard.csv", 150_828_752)
    assert remote.checksum == "md5:e90efcb83d69faf99fcab8b0255024de"
    assert [url.split(":")[0] for url in remote.urls] == ["https", "https", "kaggle"]


@pytest.mark.skipif(
    not (DATA / "creditcard" / "creditcard_subset.csv.gz").is_file(), reason="needs creditcard/ in ADBENCH_DATA"
)
def test_the_real_subset_passes_every_check():
    """52,734 rows, all 492 frauds with their published mean Amount, 59 repeated rows."""
    found = found_in(DATA)
    arrays = CreditCard().load(found)
    told = CreditCard().describe(found, arrays)
    assert (told.variant, arrays["X"].shape, arrays["y"].sum()) == ("52734rows", (52_734, 30), 492)
    assert "52,734 rows, 492 frauds (0.933%), 59 repeats" in told.note
    frauds = arrays["X"][arrays["y"] == 1]
    assert (frauds[:, 29].mean().round(2), frauds[:, 1].mean().round(3)) == (122.21, -4.772)
