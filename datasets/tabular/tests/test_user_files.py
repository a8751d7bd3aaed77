"""A user's own file: its address, its formats, its labels, and what is said when it is wrong."""

import gzip
import os
import pickle
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest
from adbench_tabular import adbench_open_dataset
from adbench_tabular.tables import UserFile

from adbench import DataMissing, Dataset, DatasetError, Finder, UsageError

FEATURES = np.random.default_rng(0).normal(size=(8, 3)) * 10.0 ** np.arange(-8, 16).reshape(8, 3)
CLASSES = ["ok", "ok", "hot", "ok", "ok", "ok", "leak", "ok"]
IS_ANOMALY = [0, 0, 1, 0, 0, 0, 1, 0]
FRAME = pd.DataFrame(FEATURES, columns=["a", "b", "c"])


def labelled(labels=IS_ANOMALY, name="label"):
    return FRAME.assign(**{name: labels})


def write(path, frame):
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    elif path.suffix == ".npz":
        np.savez(path, X=frame.iloc[:, :-1].to_numpy(), y=np.array(frame.iloc[:, -1].tolist()))
    else:
        frame.to_csv(path, index=False, sep="\t" if ".tsv" in path.name else ",")
    return path


def load(path, query=""):
    spec = adbench_open_dataset(f"file:{path}#{query}")
    table = UserFile(**spec.params)
    return table.load(table.locate(Finder(())))


@pytest.mark.parametrize("name", ["t.npz", "t.csv", "t.CSV", "t.csv.gz", "t.tsv", "t.tsv.gz", "t.parquet"])
def test_every_format_gives_the_same_arrays(tmp_path, name):
    """Features are float64, labels 0 and 1, whatever the format."""
    arrays = load(write(tmp_path / name, labelled()))
    np.testing.assert_allclose(arrays["X"], FEATURES, rtol=1e-15)
    assert arrays["X"].dtype == np.float64
    assert arrays["y"].tolist() == IS_ANOMALY


def test_an_address_becomes_a_dataset_with_both_settings(tmp_path):
    """Name and tasks follow from the file; the folder stands only in the constructor's parameters."""
    path = write(tmp_path / "Pump 7 (März).csv.gz", labelled())
    spec = adbench_open_dataset(f"file:{path}")
    assert (spec.name, spec.modality) == ("pump-7-m-rz", "table")
    assert [task.name for task in spec.tasks] == ["novelty", "outlier"]
    texts = {key: value for key, value in asdict(spec).items() if key != "params"}
    assert path.name in spec.summary and str(tmp_path) not in str(texts)
    assert isinstance(UserFile(**spec.params), Dataset)


def test_every_key_is_read_and_percent_decoded(tmp_path):
    """Values may hold any character, written as in a web address."""
    path = write(tmp_path / "a#b.csv", labelled(CLASSES, "state & more"))
    address = f"file:{str(path).replace('#', '%23')}#label=state%20%26%20more&normal=ok&setting=outlier&name=pump.1"
    spec = adbench_open_dataset(address)
    assert (spec.name, [task.name for task in spec.tasks]) == ("pump.1", ["outlier"])
    assert UserFile(**spec.params) == UserFile(path=str(path), label="state & more", normal="ok")


def test_a_relative_path_and_a_home_are_understood(tmp_path, monkeypatch):
    """The address holds wherever the trial runs later."""
    path = write(tmp_path / "mine.csv", labelled())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for text in ("mine.csv", "./mine.csv", "~/mine.csv", f"//{path}"):
        assert load(text)["y"].tolist() == IS_ANOMALY


def test_other_addresses_are_left_to_others():
    """Only file: is ours."""
    assert adbench_open_dataset("openml:1590") is None


@pytest.mark.parametrize(
    "query, words",
    [
        (
            "lable=x",
            "no key 'lable' in a file: address. Did you mean 'label'? Known: label, normal, size, setting, name.",
        ),
        ("colour=x", "no key 'colour' in a file: address. Known:"),
        ("label", "'label' in a file: address needs a value: label=VALUE"),
        ("normal=", "'normal' in a file: address needs a value"),
        ("normal=a&normal=b", "'normal' stands twice"),
        ("setting=novel", "'setting' of a file: address must be one of novelty, outlier, pyod-6040; got 'novel'"),
        ("size=32", "'size' of a file: address is WIDTHxHEIGHT in pixels, such as 32x32; got '32'"),
        ("size=0x4", "such as 32x32; got '0x4'"),
        ("size=32x32", "mine.csv: 'size' is for folders and archives of images"),
        ("name=My Pump", "'name' of a file: address is up to 80 lower-case letters"),
    ],
)
def test_a_wrong_key_or_value_is_a_usage_error(tmp_path, query, words):
    """The address is checked before anything runs."""
    path = write(tmp_path / "mine.csv", labelled())
    with pytest.raises(UsageError) as caught:
        adbench_open_dataset(f"file:{path}#{query}")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "name, words",
    [
        ("none.csv", "no such file: 'none.csv'"),
        ("", "no such file: ''"),
        ("pipe", "not a readable file: 'pipe'"),
        ("mine.xlsx", "mine.xlsx: expected a folder, or a file that ends in one of .npz, .csv, .csv.gz"),
        ("mine.npz#label=a", "mine.npz: 'label' is for csv, tsv and parquet; an .npz holds its labels as y"),
        ("folder#label=a", "folder: 'label' is for csv, tsv and parquet; images have their folder's name"),
        ("folder#setting=pyod-6040", "folder: 'setting' of images must be novelty or outlier; got 'pyod-6040'"),
    ],
)
def test_a_wrong_path_is_a_usage_error(tmp_path, monkeypatch, name, words):
    """The path is named as the user gave it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for file in ("mine.xlsx", "mine.npz"):
        (tmp_path / file).touch()
    with pytest.raises(UsageError) as caught:
        adbench_open_dataset(f"file:{name}")
    assert words in str(caught.value)


def test_a_file_removed_since_is_missing(tmp_path):
    """The path is looked at again at every run."""
    path = write(tmp_path / "mine.csv", labelled())
    spec = adbench_open_dataset(f"file:{path}")
    path.unlink()
    with pytest.raises(DataMissing, match=r"^mine\.csv is no longer there"):
        UserFile(**spec.params).locate(Finder(()))


@pytest.mark.parametrize("name", ["t.npz", "t.csv", "t.parquet"])
@pytest.mark.parametrize(
    "labels, normal",
    [
        (CLASSES, "ok"),
        ([3, 3, 7, 3, 3, 3, 8, 3], "3"),
        ([3.0, 3.0, 7.5, 3.0, 3.0, 3.0, 8.0, 3.0], "3"),
        ([1, 1, -1, 1, 1, 1, -1, 1], "1"),
        ([True, True, False, True, True, True, False, True], "true"),
        ([bool(label) for label in IS_ANOMALY], ""),
        ([float(label) for label in IS_ANOMALY], ""),
        (["NA", "NA", "x", "NA", "NA", "NA", "x", "NA"], "NA"),
        ([["normal", "Anomaly"][label] for label in IS_ANOMALY], ""),
    ],
    ids=["text", "integers", "floats", "signs", "normal is true", "booleans", "0.0 and 1.0", "named NA", "words"],
)
def test_labels_of_any_type_are_understood(tmp_path, name, labels, normal):
    """One value is normal and all the others are anomalies."""
    path = write(tmp_path / name, labelled(np.array(labels)))
    assert load(path, f"normal={normal}" if normal else "")["y"].tolist() == IS_ANOMALY


@pytest.mark.parametrize("name", ["label", "y", "Class", "TARGET", "anomaly", "Outlier"])
def test_a_usual_label_column_is_found_by_itself(tmp_path, name):
    """One column of a usual name needs no label=."""
    assert load(write(tmp_path / "t.csv", labelled(name=name)))["X"].shape == (8, 3)


def test_booleans_and_whole_numbers_are_features(tmp_path):
    """True is 1; a parquet file's nullable columns are read like the plain ones."""
    frame = labelled().assign(a=pd.array([True, False] * 4, dtype="boolean"), b=pd.array(range(8), dtype="Int64"))
    for name in ("t.csv", "t.parquet"):
        X = load(write(tmp_path / name, frame))["X"]
        np.testing.assert_array_equal(X[:, :2], np.column_stack([[1, 0] * 4, range(8)]))


def changed(column, value, row=3):
    frame = labelled().astype({column: object})
    frame.loc[row, column] = value
    return frame


BAD_FRAMES = {
    "no label": (FRAME, "", ["one label column named label, y, class", "found columns 'a', 'b', 'c'", "label=COLUMN"]),
    "two labels": (labelled().assign(y=0), "", ["found columns 'label', 'y'", "label=COLUMN"]),
    "label misspelt": (labelled(name="state"), "label=stat", ["a column 'stat'", "Did you mean 'state'?"]),
    "unmapped labels": (labelled(CLASSES), "", ["normal and anomaly; found 'ok', 'hot', 'leak'", "normal=VALUE"]),
    "normal misspelt": (labelled(CLASSES), "normal=okay", ["rows labelled 'okay'", "Did you mean normal=ok?"]),
    "only normals": (labelled([0] * 8), "", ["4 normal rows and 1 anomaly; found 8 and 0"]),
    "only anomalies": (labelled([1] * 8), "", ["found 0 and 8", "which label means normal"]),
    "few normals": (labelled([0] * 3 + [1] * 5), "", ["found 3 and 5"]),
    "words": (labelled().assign(b=CLASSES), "", ["feature column; found others in 'b' (for instance 'ok')"]),
    "one word": (changed("b", "?"), "", ["found others in 'b' (for instance '?')", "Encode or drop"]),
    "many words": (labelled().assign(**{f"w{i}": CLASSES for i in range(20)}), "", ["'w7' and 12 more"]),
    "missing value": (changed("c", None).astype({"c": float}), "", ["in 1 row(s), in column(s) 'c'", "Fill them"]),
    "infinite value": (changed("c", np.inf).astype({"c": float}), "", ["missing, infinite or huge", "'c'"]),
    "missing label": (changed("label", None).astype({"label": float}), "", ["in every row; found 1 row(s) without"]),
    "no rows": (labelled().head(0), "", ["rows and feature columns; found 0 x 3"]),
    "no features": (labelled()[["label"]], "", ["rows and feature columns; found 8 x 0"]),
    "unnamed column": (labelled().rename(columns={"b": ""}), "", ["a name for every column", "index=False"]),
}


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
@pytest.mark.parametrize("fault", BAD_FRAMES)
def test_a_bad_table_is_named_with_expected_found_and_a_way_out(tmp_path, fault, suffix):
    """The same line, whether the table is text or parquet."""
    frame, query, words = BAD_FRAMES[fault]
    if fault == "one word" and suffix == ".parquet":
        frame = frame.astype({"b": str})  # parquet has no column of mixed types
    check_message(write(tmp_path / f"mine{suffix}", frame), query, words)


BAD_FILES = {
    "empty": ("t.csv", b"", ["a text table with a header", "No columns to parse"]),
    "ragged, one long": ("t.csv", b"a,b,label\n1,2,0\n1,2,0,9\n", ["as many fields in every row", "line 3, saw 4"]),
    "ragged, all long": ("t.csv", b"a,b,label\n1,2,0,9\n1,2,0,9\n", ["3 fields in every row", "found more"]),
    "ragged, one short": ("t.csv", b"label,a,b\n0,1,2\n0,1\n", ["in 1 row(s), in column(s) 'b'"]),
    "doubled columns": ("t.csv", b"a,a,label\n1,2,0\n", ["distinct column names; found 'a' more than once"]),
    "saved index": ("t.csv", b",a,label\n0,2,0\n", ["a name for every column", "a saved index goes with index=False"]),
    "semicolons": ("t.csv", b"a;b;label\n1;2;0\n", ["found columns 'a;b;label'"]),
    "not utf-8": ("t.csv", "a,label\n\u00e4,0\n".encode("latin-1"), ["utf-8"]),
    "truncated gz": ("t.csv.gz", gzip.compress(b"a,label\n1,0\n" * 99)[:-9], ["text table", "end-of-stream"]),
    "not gz": ("t.csv.gz", b"a,label\n1,0\n", ["Not a gzipped file"]),
    "not parquet": ("t.parquet", b"a,label\n1,0\n", ["a parquet file; found one cut short or damaged"]),
    "not npz": ("t.npz", b"a,label\n1,0\n", ["an .npz; found another format, or a damaged file"]),
    "pickle as npz": ("t.npz", pickle.dumps([1, 2]), ["found another format", "np.savez(file, X=X, y=y)"]),
    "truncated npz": ("t.npz", b"PK\x03\x04" + bytes(50), ["found another format, or a damaged file"]),
}


@pytest.mark.parametrize("fault", BAD_FILES)
def test_a_damaged_file_is_named_with_expected_found_and_a_way_out(tmp_path, fault):
    """What the reading libraries raise becomes one line of ours."""
    name, contents, words = BAD_FILES[fault]
    (tmp_path / name).write_bytes(contents)
    check_message(tmp_path / name, "", words)


@pytest.mark.parametrize(
    "arrays, words",
    [
        ({"X": FEATURES}, ["arrays X and y; found 'X'", "np.savez(file, X=X, y=y)"]),
        ({"data": FEATURES, "labels": IS_ANOMALY}, ["found 'data', 'labels'"]),
        ({"X": FEATURES, "y": np.array(CLASSES, dtype=object)}, ["plain arrays", "allow_pickle=False"]),
        ({"X": np.zeros((8, 2, 2, 2, 2)), "y": IS_ANOMALY}, ["(8, 2, 2, 2, 2)", "two dimensions"]),
        ({"X": FEATURES, "y": np.array(CLASSES)}, ["labels 0 and 1", "found 'ok', 'hot', 'leak'", "normal=VALUE"]),
        ({"X": FEATURES, "y": IS_ANOMALY[1:]}, ["y of shape (8,), one label a row; found shape (7,)"]),
        ({"X": FEATURES, "y": np.array([IS_ANOMALY])}, ["y of shape (8,), one label a row; found shape (1, 8)"]),
    ],
    ids=["no y", "other names", "pickled labels", "five dimensions", "classes", "one label short", "a row of labels"],
)
def test_a_bad_npz_is_named_with_expected_found_and_a_way_out(tmp_path, arrays, words):
    """Nothing is unpickled, and nothing is guessed."""
    np.savez(tmp_path / "mine.npz", **arrays)
    check_message(tmp_path / "mine.npz", "", words)


def test_a_single_array_is_not_an_npz(tmp_path):
    """An .npy that was renamed is told apart."""
    with (tmp_path / "mine.npz").open("wb") as file:
        np.save(file, FEATURES)
    check_message(tmp_path / "mine.npz", "", ["an .npz; found another format"])


def check_message(path, query, words):
    with pytest.raises(DatasetError) as caught:
        load(path, query)
    text = str(caught.value)
    assert (
        text.startswith(f"{path.parent.name}/{path.name}: expected ")
        and "; found " in text
        and text.endswith((".", "?"))
    )
    assert "\n" not in text and str(path.parent) not in text
    assert [word for word in words if word not in text] == [], text


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ("", "my-data"),
        ("#normal=3", "my-data-normal-3"),
        ("#normal=Cat%20A", "my-data-normal-cat-a"),
        ("#normal=3&name=x", "x"),
    ],
)
def test_another_normal_class_is_another_dataset(tmp_path, options, name):
    """Results of several classes of one file stand side by side, unless the user names them alike."""
    path = tmp_path / "My data.npz"
    np.savez(path, X=np.zeros((20, 2)), y=np.arange(20) % 4)
    assert adbench_open_dataset(f"file:{path}{options}").name == name
