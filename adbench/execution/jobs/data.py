"""Jobs on data: find it, decode it once, split it once for all detectors.

Detectors' processes are given the resulting arrays only: training rows and the rows to score. The
coordinator takes the labels out of the split's folder before the first of them runs, and joins them
to the scores. (Which rows of an adversarial test set are attacked, the trial's process must know.)
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adbench.dataset import Dataset, Describes, Found, Split
from adbench.errors import AdbenchError, DataMissing, DatasetError, PluginError, UsageError, one_line
from adbench.execution.host import resolve
from adbench.execution.jobs import arrays
from adbench.execution.jobs.contract import check_split, repeated_shares
from adbench.finder import Finder, prepared_folder

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_VARIANT = re.compile(r"[A-Za-z0-9_.-]{0,60}")


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
        Dataset name -> ``{"variant", "note", "files", "details", "fingerprint"}``, ``{"missing": why}``
        or ``{"error": why}``. The fingerprint is None until the data has been decoded; what a dataset
        then says of itself takes the place of ``variant`` and ``note``.
    """
    finder = Finder([Path(folder) for folder in folders])
    return {entry["name"]: _survey_one(entry, finder, Path(cache)) for entry in datasets}


def _survey_one(entry: dict[str, Any], finder: Finder, cache: Path) -> dict[str, Any]:
    try:
        dataset = _dataset(entry)
    except ImportError as error:
        if entry["needs"]:
            return {"missing": f"it cannot be imported ({one_line(str(error))}): pip install {entry['needs']!r}"}
        return {"error": _told(entry["name"], error)}
    except (Exception, SystemExit) as error:  # noqa: BLE001 - told by name
        return {"error": _told(entry["name"], error)}
    try:
        found = dataset.locate(finder)
        _check_variant(found)
    except DataMissing as error:
        return {"missing": one_line(str(error))}
    except (Exception, SystemExit) as error:  # noqa: BLE001 - told by name
        return {"error": _told(entry["name"], error)}
    located = {
        "variant": found.variant,
        "note": found.note,
        "files": [str(path) for path in found.files],
        "details": dict(found.details),
    }
    return located | (_known(_index_path(entry, found, cache), cache) or {"fingerprint": None})


def prepare(dataset: dict[str, Any], found: dict[str, Any], cache: str, **_: Any) -> dict[str, Any]:
    """Decode a dataset into the cache, once however many ask at the same moment.

    Returns
    -------
    dict
        ``{"fingerprint", "variant", "note"}`` or ``{"error": why}``.
    """
    located = Found(found["variant"], tuple(map(Path, found["files"])), found["note"], found["details"])
    index = _index_path(dataset, located, Path(cache))
    try:
        index.parent.mkdir(parents=True, exist_ok=True)
        with index.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            return _known(index, Path(cache)) or _decode(dataset, located, Path(cache), index)
    except OSError as error:
        return {"error": f"the cache folder cannot be written: {error}; set ADBENCH_CACHE to one that can"}
    except (Exception, SystemExit) as error:  # noqa: BLE001 - told by name; nothing runs on data that cannot be read
        return {"error": _told(dataset["name"], error)}


def _decode(entry: dict[str, Any], found: Found, cache: Path, index: Path) -> dict[str, Any]:
    dataset = _dataset(entry)
    try:
        decoded = {name: np.asarray(array) for name, array in dataset.load(found).items()}
    except OSError as error:
        # Not the cache's fault, as an OSError from here on is.
        raise DatasetError(one_line(str(error))) from error
    for name, array in decoded.items():
        if array.dtype.kind not in "biuf":
            raise PluginError(f"load() must give arrays of numbers; {name!r} has dtype {array.dtype}")
    fingerprint = arrays.fingerprint(decoded)
    arrays.write_folder(prepared_folder(fingerprint, cache), decoded, {"names": sorted(decoded)})
    if isinstance(dataset, Describes):
        _check_variant(found := dataset.describe(found, decoded))
    known = {"fingerprint": fingerprint, "variant": found.variant, "note": found.note}
    partial = index.with_suffix(f".{os.getpid()}")
    partial.write_text(json.dumps(known), encoding="utf-8")
    partial.replace(index)
    return known


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
        ``{}``, or ``{"error": why, "wrong_usage": bool}``.
    """
    try:
        decoded = read_prepared(Path(cache), fingerprint)
        made = _dataset(dataset).split(decoded, seed=seed, repetition=repetition, **params)
        check_split(made, setting)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - becomes the outcome of every trial on these rows
        return {"error": _told(dataset["name"], error), "wrong_usage": isinstance(error, UsageError)}
    _write(made, Path(out))
    return {}


def read_prepared(cache: Path, fingerprint: str) -> dict[str, NDArray[Any]]:
    """Map a dataset's decoded arrays, making sure that they are still what their fingerprint says."""
    folder = prepared_folder(fingerprint, cache)
    decoded = arrays.read_folder(folder)
    if arrays.fingerprint(decoded) != fingerprint:
        shutil.rmtree(folder, ignore_errors=True)
        raise DatasetError("its decoded arrays in the cache were damaged and are removed; run with --retry-failed")
    return decoded


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
    repeated = repeated_shares(made)
    tests = []
    for number, (name, test) in enumerate(made.tests.items()):
        is_train = test.X is made.X_train
        files |= {f"y_{number}": test.y.astype(np.uint8), f"ids_{number}": np.asarray(test.row_ids, np.int64)}
        if not is_train:
            files[f"X_{number}"] = test.X
        facts = {"name": name, "number": number, "is_train": is_train, "rows": len(test.y)}
        facts["repeated_share"] = repeated[name]
        if test.attack:
            # Which rows are to be attacked, the trial's process must know: it stands apart from the labels.
            files[f"attacked_{number}"] = test.y.astype(bool)
            if test.attack.at is not None:
                files[f"at_{number}"] = test.attack.at
            facts["attack"] = {name: getattr(test.attack, name) for name in ("epsilon", "direction", "clip")}
        tests.append(facts)
    facts = {
        "train_rows": len(made.X_train),
        "shape": list(made.X_train.shape[1:]),
        "contamination": made.contamination,
        "tests": tests,
    }
    arrays.write_folder(out, {name: np.ascontiguousarray(array) for name, array in files.items()}, facts)


def _dataset(entry: Mapping[str, Any]) -> Dataset:
    made: Dataset = resolve(entry["target"])(**entry["params"])
    return made


def _known(index: Path, cache: Path) -> dict[str, Any] | None:
    """Return what is known of data decoded earlier, None unless its arrays are there."""
    try:
        known: dict[str, Any] = json.loads(index.read_text(encoding="utf-8"))
        # It becomes part of a path, and what is there may be removed.
        if not _FINGERPRINT.fullmatch(known["fingerprint"]):
            return None
        return known if (prepared_folder(known["fingerprint"], cache) / "facts.json").is_file() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None  # decoded anew


def _check_variant(found: Found) -> None:
    if not _VARIANT.fullmatch(found.variant):
        raise PluginError(f"a variant is at most 60 letters, digits, '-', '_' and '.'; got {found.variant!r}")


def _index_path(entry: Mapping[str, Any], found: Found, cache: Path) -> Path:
    """Return where the fingerprint of these very files, read by this very code, is noted."""
    stats = [(str(path), path.stat().st_size, path.stat().st_mtime_ns, path.stat().st_ctime_ns) for path in found.files]
    known = json.dumps(
        [entry["name"], entry["params"], entry["code"], found.variant, dict(found.details), stats], sort_keys=True
    )
    return cache / "index" / hashlib.sha256(known.encode()).hexdigest()


def _told(name: str, error: BaseException) -> str:
    """Return one line on what went wrong; an error meant for users speaks for itself."""
    text = one_line(str(error))
    if isinstance(error, AdbenchError):
        return f"dataset {name!r}: {text}"
    return f"dataset {name!r}: {type(error).__name__}: {text}"
