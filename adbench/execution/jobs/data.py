"""Jobs on data: find it, decode it once, split it once for all detectors.

Detectors' processes are given the resulting arrays only: training rows and the rows to score. The
coordinator takes the labels out of the split's folder before the first of them runs, and joins them
to the scores.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adbench.dataset import Dataset, Found, Split
from adbench.errors import AdbenchError, DataMissing, DatasetError, PluginError
from adbench.execution.host import resolve
from adbench.execution.jobs import arrays
from adbench.finder import Finder


def survey(datasets: list[dict[str, Any]], folders: list[str], cache: str, **_: Any) -> dict[str, Any]:
    """Say what each dataset finds on this machine, and the data's fingerprint where it is known.

    Parameters
    ----------
    datasets
        ``{"name", "target", "params", "code"}`` each.
    folders
        Where to look, in this order.
    cache
        The folder of decoded arrays.

    Returns
    -------
    dict
        Dataset name -> ``{"variant", "note", "files", "fingerprint"}``, ``{"missing": why}`` or
        ``{"error": why}``.
    """
    finder = Finder([Path(folder) for folder in folders])
    return {entry["name"]: _survey_one(entry, finder, Path(cache)) for entry in datasets}


def _survey_one(entry: dict[str, Any], finder: Finder, cache: Path) -> dict[str, Any]:
    try:
        found = _dataset(entry).locate(finder)
    except DataMissing as error:
        return {"missing": str(error)}
    except Exception as error:  # noqa: BLE001 - a dataset that fails is told by name, the others go on
        return {"error": _told(entry["name"], error)}
    known = _index_path(entry, found, cache)
    fingerprint = known.read_text(encoding="ascii") if known.exists() else None
    if fingerprint is not None and not _prepared(cache, fingerprint).is_dir():
        fingerprint = None
    return {
        "variant": found.variant,
        "note": found.note,
        "files": [str(path) for path in found.files],
        "fingerprint": fingerprint,
    }


def prepare(dataset: dict[str, Any], found: dict[str, Any], cache: str, **_: Any) -> dict[str, Any]:
    """Decode a dataset into the cache and return its fingerprint.

    Returns
    -------
    dict
        ``{"fingerprint": sha256}`` or ``{"error": why}``.
    """
    located = Found(found["variant"], tuple(Path(path) for path in found["files"]), found["note"])
    try:
        decoded = {name: np.asarray(array) for name, array in _dataset(dataset).load(located).items()}
        for name, array in decoded.items():
            if array.dtype.kind not in "biuf":
                raise PluginError(f"load() must give arrays of numbers; {name!r} has dtype {array.dtype}")
    except Exception as error:  # noqa: BLE001 - told by name; nothing runs on data that cannot be read
        return {"error": _told(dataset["name"], error)}
    fingerprint = arrays.fingerprint(decoded)
    try:
        arrays.write_folder(_prepared(Path(cache), fingerprint), decoded, {"names": sorted(decoded)})
        index = _index_path(dataset, located, Path(cache))
        index.parent.mkdir(parents=True, exist_ok=True)
        index.write_text(fingerprint, encoding="ascii")
    except OSError as error:
        return {"error": f"the cache folder cannot be written: {error}; set ADBENCH_CACHE to one that can"}
    return {"fingerprint": fingerprint}


def split(
    dataset: dict[str, Any],
    fingerprint: str,
    cache: str,
    params: dict[str, Any],
    seed: int,
    repetition: int,
    setting: str,
    out: str,
    **_: Any,
) -> dict[str, Any]:
    """Make one repetition's rows and leave them in ``out``, checked against the contract.

    Returns
    -------
    dict
        ``{}``, or ``{"error": why}``.
    """
    folder = _prepared(Path(cache), fingerprint)
    try:
        decoded = {name: arrays.read(folder / f"{name}.npy") for name in arrays.read_facts(folder)["names"]}
        made = _dataset(dataset).split(decoded, seed=seed, repetition=repetition, **params)
        _check(made, setting)
    except Exception as error:  # noqa: BLE001 - becomes the outcome of every trial on these rows
        return {"error": _told(dataset["name"], error)}
    _write(made, Path(out))
    return {}


def take_labels(folder: Path, facts: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Return a split's labels and row ids by their names in the store, and remove them from its folder."""
    taken = {}
    for number, test in enumerate(facts["tests"]):
        for name, file in (("y", f"y_{number}.npy"), ("row_ids", f"ids_{number}.npy")):
            taken[f"{name}/{test['name']}"] = np.array(arrays.read(folder / file))
            (folder / file).unlink()
    return taken


def _write(made: Split, out: Path) -> None:
    files: dict[str, NDArray[Any]] = {"X_train": made.X_train, "train_ids": made.train_ids}
    if made.y_train is not None:
        files["y_train"] = made.y_train
    train_rows = _row_hashes(made.X_train)
    tests = []
    for number, (name, test) in enumerate(made.tests.items()):
        is_train = test.X is made.X_train
        files |= {f"y_{number}": test.y.astype(np.uint8), f"ids_{number}": np.asarray(test.row_ids, np.int64)}
        if not is_train:
            files[f"X_{number}"] = test.X
        repeated = 1.0 if is_train else float(np.isin(_row_hashes(test.X), train_rows).mean())
        tests.append({"name": name, "is_train": is_train, "rows": len(test.y), "repeated_share": repeated})
    facts = {
        "train_rows": len(made.X_train),
        "shape": list(made.X_train.shape[1:]),
        "contamination": made.contamination,
        "tests": tests,
    }
    arrays.write_folder(out, {name: np.ascontiguousarray(array) for name, array in files.items()}, facts)


def _check(made: Split, setting: str) -> None:
    """Raise PluginError or DatasetError where a split breaks the contract."""
    _check_rows("X_train", made.X_train, made.X_train)
    if len(made.train_ids) != len(made.X_train):
        raise PluginError(f"train_ids has {len(made.train_ids)} rows, X_train {len(made.X_train)}")
    if (setting == "supervised") != (made.y_train is not None):
        raise PluginError(f"y_train belongs to supervised tasks and to no other; this one is {setting}")
    if not made.tests:
        raise PluginError("a split must have at least one test set")
    for name, test in made.tests.items():
        if "/" in name or not name:
            raise PluginError(f"a test set's name must not be empty or hold '/'; got {name!r}")
        _check_rows(name, test.X, made.X_train)
        if not len(test.X) == len(test.y) == len(test.row_ids):
            raise PluginError(f"test set {name!r}: X, y and row_ids differ in length")
        if set(np.unique(test.y).tolist()) != {0, 1}:
            raise DatasetError(f"test set {name!r} must hold normal rows and anomalies; its labels are all one class")
        if setting != "outlier" and np.intersect1d(made.train_ids, test.row_ids).size:
            raise PluginError(f"test set {name!r} holds rows of the training set")


def _check_rows(name: str, X: NDArray[Any], like: NDArray[Any]) -> None:
    if X.ndim not in (2, 4) or X.shape[1:] != like.shape[1:] or not len(X):
        raise PluginError(f"{name}: expected rows of shape {like.shape[1:]}, got an array of shape {X.shape}")
    expected = np.float64 if X.ndim == 2 else np.float32
    if X.dtype != expected:
        raise PluginError(f"{name}: expected {np.dtype(expected)}, got {X.dtype}")
    if not np.isfinite(X).all():
        raise DatasetError(f"{name} holds NaN or infinite values")


def _row_hashes(X: NDArray[Any]) -> NDArray[np.uint64]:
    """Return 64 bits for each row, equal where rows are equal to the bit."""
    rows = np.ascontiguousarray(X).reshape(len(X), -1).view(np.uint8)
    digests = b"".join(hashlib.blake2b(row.data, digest_size=8).digest() for row in rows)
    return np.frombuffer(digests, np.uint64)


def _dataset(entry: Mapping[str, Any]) -> Dataset:
    made: Dataset = resolve(entry["target"])(**entry["params"])
    return made


def _prepared(cache: Path, fingerprint: str) -> Path:
    return cache / "prepared" / fingerprint


def _index_path(entry: Mapping[str, Any], found: Found, cache: Path) -> Path:
    """Return where the fingerprint of these very files, read by this very code, is noted."""
    stats = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in found.files]
    known = json.dumps([entry["name"], entry["params"], entry["code"], found.variant, stats], sort_keys=True)
    return cache / "index" / hashlib.sha256(known.encode()).hexdigest()


def _told(name: str, error: Exception) -> str:
    """Return one line on what went wrong; an error meant for users speaks for itself."""
    text = " ".join(str(error).split())
    if isinstance(error, AdbenchError):
        return f"dataset {name!r}: {text}"
    return f"dataset {name!r}: {type(error).__name__}: {text}"
