import io
import json
import random
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from adbench.bundles import layout
from adbench.bundles.bundle import Bundle
from adbench.bundles.container import writing
from adbench.bundles.contents import check_arrays
from adbench.bundles.tables import Unsound
from adbench.errors import StoreError

NAME = "some.adbench.zip"


# Reading what somebody else made


def other_zip(path, add):
    """Add to the zip of a bundle."""
    with zipfile.ZipFile(path, "a") as archive:
        add(archive)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("../../escape.py", "a path that leads out of it"),
        ("/etc/passwd", "a path that leads out of it"),
        ("C:\\autoexec.bat", "a path that leads out of it"),
        ("scores-float64-0001.parquet/", "no part of a bundle"),
        ("setup.py", "no part of a bundle"),
        ("index.parquet", "holds index.parquet twice"),
        ("scores-float64-0099.parquet", "holds scores-float64-0099.parquet, which its manifest does not name"),
    ],
)
def test_members_that_do_not_belong_are_refused(path, name, told):
    """A bundle with any other member, or one of a name that leads elsewhere, is not read at all."""
    other_zip(path, lambda archive: archive.writestr(name, b"x"))

    with pytest.raises(StoreError, match=rf"^the bundle {NAME} is refused: .*{told}") as caught:
        Bundle(path)
    assert "\n" not in str(caught.value)


def test_members_that_the_zip_compresses_are_refused(bundling, path):
    """The sizes in a zip's list are true only of what stands in it as it is: a bomb cannot be hidden."""
    contents = bundling.members(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in contents.items():
            archive.writestr(name, data)

    with pytest.raises(StoreError, match="is compressed or encrypted by the zip itself"):
        Bundle(path)


def test_members_that_share_bytes_are_refused(path):
    """Members may not claim more bytes together than the file has."""
    with zipfile.ZipFile(path, "a") as archive:
        whole = archive.getinfo(layout.NUMBERS)
        again = zipfile.ZipInfo(layout.part_name("scores", "float64", 7))
        archive.writestr(again, b"")
        archive.getinfo(again.filename).header_offset = whole.header_offset
        archive.getinfo(again.filename).file_size = archive.getinfo(again.filename).compress_size = 10**9

    with pytest.raises(StoreError, match="claim more bytes than it has"):
        Bundle(path)


@pytest.mark.parametrize(
    "make",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_text("key,detector\n"),
        lambda path: path.write_bytes(path.read_bytes()[:-100]),
        lambda path: path.write_bytes(path.read_bytes()[5000:]),
    ],
)
def test_what_is_no_bundle_is_refused(bundling, path, make):
    """Anything else than a whole bundle is one line."""
    make(path)

    with pytest.raises(StoreError, match=NAME) as caught:
        bundling.read_all(path)
    assert "\n" not in str(caught.value)


def test_a_bundle_that_is_not_there(tmp_path):
    """A wrong name is told with the way to make one."""
    with pytest.raises(StoreError, match=r"there is no bundle .*'adbench bundle' makes one"):
        Bundle(tmp_path / NAME)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"protocol": 2}, r"is of protocol '2', this adbench reads 1: it was made by adbench .*: pip install"),
        ({"version": 9}, r"is of version '9', this adbench reads 1"),
        ({"format": "other"}, "manifest is not that of a bundle"),
        ({"counts": {"trials": "many"}}, r"Expected `int`, got `str` - at `\$\.counts\.trials`"),
        ({"runs": {"1": {"processor": ["x"]}}}, "its manifest cannot be read"),
        ({"runs": {"one": {}}}, "Expected `int`"),
        ({"runs": []}, "Expected `object`, got `array`"),
        ({"runs": {"1": {"started": "now"}}}, "missing required field `processor`"),
        ({"runs": {}}, "names a run that there is not"),
        ({"thresholds": {"iqr": {}}}, "missing required field `target`"),
    ],
)
def test_manifests_that_do_not_fit_are_refused(bundling, path, changes, told):
    """A manifest of another version, or with values of another kind, is one line."""
    bundling.alter_manifest(path, **changes)

    with pytest.raises(StoreError, match=told):
        bundling.read_all(path)


@pytest.mark.parametrize("text", [b"{", b"[]", b"[" * 100_000, b'{"format": "adbench-bundle", "format": 1}', b"\xff"])
def test_manifests_that_are_no_json_are_refused(bundling, path, text):
    """What is no JSON object, or names something twice, is no manifest."""
    contents = bundling.members(path) | {layout.MANIFEST: text}
    with writing(path) as file:
        for name, data in contents.items():
            file.add(name, data)

    with pytest.raises(StoreError, match="manifest"):
        Bundle(path)


def flat(schema, rows, **options):
    """Return a tiny parquet file of very many equal rows."""
    values = {"double": np.zeros(rows), "string": np.full(rows, "x"), "int32": np.zeros(rows, np.int32)}
    table = pa.table([pa.array(values[str(f.type)], f.type) for f in schema], schema=schema)
    made = io.BytesIO()
    pq.write_table(table, made, compression="zstd", use_dictionary=True, **options)
    return made.getvalue()


def test_absurd_sizes_are_refused_before_anything_is_decoded(bundling, path, monkeypatch):
    """A footer that states more rows than a bundle may have ends it: no page is read."""
    monkeypatch.setitem(layout.MOST_ROWS, layout.RECORDS, 100_000)
    bomb = flat(layout.SCHEMAS[layout.RECORDS], 300_000)
    assert len(bomb) < 100_000
    bundling.rebuild(path, {layout.RECORDS: bomb})
    monkeypatch.setattr(pq.ParquetFile, "read_row_group", None)

    with pytest.raises(StoreError, match=r"states 300,000 rows, at most 100,000 are read"):
        Bundle(path)


def test_values_beyond_a_member_are_refused(bundling, path):
    """A member with more values than one may hold is refused by its footer."""
    bomb = flat(layout.part_schema("float64"), layout.PART_VALUES + 1, row_group_size=layout.CHUNK_VALUES)
    assert len(bomb) < 100_000
    bundling.rebuild(path, {"scores-float64-0001.parquet": bomb})

    with pytest.raises(StoreError, match=r"scores-float64-0001.parquet states 4,194,305 rows, at most 4,194,304"):
        bundling.read_all(path)


def test_pieces_of_another_size_are_refused(bundling, path):
    """Row groups are where they must be: what is read at a time is bounded."""
    with Bundle(path) as bundle:
        rows = bundle.table(layout.INDEX).rows
    bundling.rebuild(path, {layout.INDEX: flat(layout.SCHEMAS[layout.INDEX], rows, row_group_size=5)})

    with pytest.raises(StoreError, match=r"index\.parquet is not cut into pieces"):
        Bundle(path)


def test_long_texts_are_refused(bundling, path):
    """A name or a record of absurd length is not taken into memory again and again."""
    rows = bundling.rows(path, layout.INDEX)
    bundling.with_rows(path, layout.INDEX, [{**row, "name": "x" * 10_000} for row in rows])

    with pytest.raises(StoreError, match="holds a name of more than 500 bytes"):
        Bundle(path)


def test_columns_of_another_kind_are_refused(bundling, path):
    """A table must have just its columns: lists and empty cells would escape the limits."""
    table = pa.table({"value": pa.array([[1.0], [2.0]])})
    made = io.BytesIO()
    pq.write_table(table, made)
    bundling.rebuild(path, {"scores-float64-0001.parquet": made.getvalue()})

    with pytest.raises(StoreError, match=r"scores-float64-0001\.parquet has other columns than value"):
        bundling.read_all(path)


@pytest.mark.parametrize(
    ("table", "column", "value", "told"),
    [
        (layout.ARRAYS, "shape", "99999999x99999999", "cannot have the shape"),
        (layout.ARRAYS, "shape", "-1", "cannot have the shape"),
        (layout.ARRAYS, "dtype", "object", "kinds of arrays that there are not"),
        (layout.ARRAYS, "dtype", "float32", "missing|sha256"),
        (layout.ARRAYS, "group", "../rows", "kinds of arrays that there are not"),
        (layout.ARRAYS, "sha256", "0" * 64, "was altered: its sha256 is not the one stated"),
        (layout.INDEX, "array", 10**6, "names arrays that arrays.parquet has not"),
        (layout.INDEX, "array", -1, "names arrays that arrays.parquet has not"),
        (layout.INDEX, "name", "pickle/test/x", "a name that no trial has"),
        (layout.INDEX, "name", "curve/loss", "of its own length|not a value for each step"),
        (layout.RECORDS, "key", "../../../etc/passwd", "names a trial by no key"),
        (layout.RECORDS, "key", "0" * 64, "another trial's"),
        (layout.RECORDS, "status", "fine", "says|stands there as"),
        (layout.RECORDS, "profile", "<b>fast</b>", "under no profile"),
        (layout.RECORDS, "detector", "the-best", "stands under another name"),
        (layout.RECORDS, "body", "{", "cannot be read"),
        (layout.RECORDS, "body", "[" * 100_000, "cannot be read"),
    ],
)
def test_tables_that_do_not_fit_together_are_refused(bundling, path, table, column, value, told):
    """A wrong value in any table is one line, though all sums were mended."""
    rows = bundling.rows(path, table)
    bundling.with_rows(path, table, [{**rows[0], column: value}, *rows[1:]])

    with pytest.raises(StoreError, match=told) as caught:
        bundling.read_all(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("fit_seconds",), "NaN"),
        (("fit_seconds",), True),
        (("peak_mb",), -1),
        (("notes",), "abc"),
        (("detector_facts", "scores"), []),
        (("detector_facts", "role"), "king"),
        (("rows", "tests"), [{"name": 7}]),
        (("rows", "contamination"), 7),
        (("dataset_facts", "licence"), {"x": 1}),
        (("trial", "lane"), "fast"),
        (("trial", "params"), []),
        (("trial", "extra"), 1),
        (("extra",), 1),
    ],
)
def test_records_of_another_shape_are_refused(bundling, path, place, value):
    """Pages are made of records: each of their fields is of its kind, or the bundle is refused."""
    rows = bundling.rows(path, layout.RECORDS)
    body = json.loads(rows[0]["body"])
    inner = body
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    bundling.with_rows(path, layout.RECORDS, [{**rows[0], "body": json.dumps(body)}, *rows[1:]])

    with pytest.raises(StoreError, match=r"the record of trial '\w{12}'"):
        bundling.read_all(path)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("y/test", np.zeros(119)),
        ("row_ids/test", None),
        ("train_scores/score", None),
        ("train_scores/score", np.zeros((2, 2))),
        ("scores/test/score", np.zeros(120, np.int64)),
        ("extreme/test/index", np.array([0, 120])),
        ("extreme/test/index", np.array([-1])),
        ("extreme/test/X", np.zeros((3, 2))),
        ("embedding/test/xy", np.zeros((2, 3))),
        ("curve/loss", np.zeros(3)),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(synthetic, name, array):
    """Pages look up rows by these arrays: each is as long as those it goes with, and names no row that is not there."""
    _, arrays = synthetic.record()
    arrays |= {"extreme/test/index": np.array([0, 119]), "extreme/test/X": np.zeros((2, 2))}
    arrays |= {"embedding/test/index": np.array([0, 1]), "embedding/test/xy": np.zeros((2, 2))}
    arrays |= {"curve/step": np.arange(2), "curve/loss": np.zeros(2)}
    check_arrays(arrays)

    spoiled = {key: value for key, value in {**arrays, name: array}.items() if value is not None}
    with pytest.raises(Unsound):
        check_arrays(spoiled)


def test_an_altered_member_is_noticed_at_once(bundling, path):
    """A member that is not what the manifest says is refused, with the command that says more."""
    bundling.rebuild(path, {layout.NUMBERS: bundling.members(path)[layout.NUMBERS] + b" "}, mend=False)

    with pytest.raises(StoreError, match=r"numbers.parquet is not what was published; 'adbench verify' says more"):
        Bundle(path)


def test_a_flipped_byte_gives_the_same_or_one_line(bundling, path, tmp_path):
    """Wherever a byte of the file is wrong, what is read is right, or nothing is and one line says so."""
    whole, right = path.read_bytes(), bundling.read_all(path)
    draw = random.Random(0)
    refused = 0
    for _ in range(150):
        spoiled = bytearray(whole)
        spoiled[draw.randrange(len(whole))] ^= draw.randrange(1, 256)
        path.write_bytes(spoiled)
        try:
            assert bundling.read_all(path) == right
        except StoreError as error:
            assert "\n" not in str(error)
            refused += 1
    assert refused > 100
