"""Fitted models in a user's folder (``--model-dir``): written whole, read only if they are what was written.

::

    DETECTOR_DATASET_TASK_REPETITION_KEY/    one a trial; KEY is the beginning of the trial's
        model.json    whose model it is, what its fit took and noted, sha256 and size of each file
        curve.npz     the training curve, if there is one
        state/        what the detector's ``save`` wrote

A detector never works in that folder: it saves into one of the trial's own, whose files are then
copied under a temporary name that is renamed, and it loads from a copy of the files that
``model.json`` names. So a ``save`` that dies leaves nothing, and what was checked is what is loaded.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import math
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from adbench.errors import PluginError, UsageError
from adbench.planning.trial import Trial, digest

FACTS = "model.json"
CURVE = "curve.npz"
STATE = "state"
_FORMAT = 1
_PARTIAL = ".partial-"
_STALE_SECONDS = 86400.0
"""Copying a model takes seconds: a partial folder of yesterday is of a process that was killed."""
_KEY_LENGTH = 16
_PART_LENGTH = 60
_MOST_FACTS = 2**24
_CHUNK = 2**20


class Unusable(Exception):
    """A kept model that is damaged, another trial's or not to be taken; the text says how, without any folder."""


@dataclass(frozen=True)
class ModelDir:
    """A user's folder of fitted models, and how a run uses it.

    Parameters
    ----------
    folder
        The folder.
    skip_train
        Whether a trial without a model is skipped, rather than fitted.
    strict_versions
        Whether a model that other versions fitted is no model.
    """

    folder: Path
    skip_train: bool = False
    strict_versions: bool = False

    def open(self) -> None:
        """Make the folder if models may be made, and remove what killed processes left in it.

        Raises
        ------
        UsageError
            If it cannot be used.
        """
        if self.skip_train and not self.folder.is_dir():
            raise UsageError(f"there is no folder {self.folder} with fitted models: run once without --skip-train")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            for partial in list(self.folder.glob(f"{_PARTIAL}*")):
                # Another run may be done with its own just now.
                with contextlib.suppress(FileNotFoundError):
                    if time.time() - partial.stat().st_mtime > _STALE_SECONDS:
                        shutil.rmtree(partial, ignore_errors=True)
        except OSError as error:
            raise UsageError(f"the folder {self.folder} cannot be used for --model-dir: {error.strerror}") from error

    def job_args(self, trial: Trial, versions: Mapping[str, str]) -> dict[str, Any]:
        """Return what a trial's process needs to find or make its model: plain values."""
        facts = {
            name: getattr(trial, name)
            for name in ("key", "detector", "params", "dataset", "variant", "task", "repetition")
        }
        return {
            "place": os.fspath(self.folder.absolute() / folder_name(trial)),
            "facts": facts | {"params": dict(trial.params), "versions": dict(versions)},
            "skip_train": self.skip_train,
            "strict_versions": self.strict_versions,
        }


def folder_name(trial: Trial) -> str:
    """Return the name of a trial's folder: readable, and by its key another one for any other trial."""
    parts = (trial.detector, trial.dataset_label, trial.task, str(trial.repetition))
    readable = [re.sub(r"[^A-Za-z0-9._@-]", "-", part)[:_PART_LENGTH] for part in parts]
    return "_".join((*readable, trial.key[:_KEY_LENGTH]))


def keep(made: Path, place: Path, facts: Mapping[str, Any], *, replace: bool = False) -> None:
    """Write a model: whole and on disk under its final name when this returns, or not at all.

    Parameters
    ----------
    made
        Folder with the model's files; it is copied.
    place
        Where it goes. If another process has just written the same model, that one stays.
    facts
        For ``model.json``.
    replace
        Whether to remove what is there: it has been found unusable.

    Raises
    ------
    PluginError
        If there is no state, or something else than files in it.
    OSError
        If it cannot be written.
    """
    names = list(_names(made))
    if not any(name.startswith(f"{STATE}/") for name in names):
        raise PluginError("save wrote no file into its folder")
    partial = _beside(place)
    try:
        partial.mkdir()
        files = {name: _copy(made / name, partial / name, durable=True) for name in names}
        body = {**facts, "format": _FORMAT, "files": files}
        text = json.dumps({**body, "sha256": digest(body)}, indent=2, sort_keys=True, allow_nan=False)
        with (partial / FACTS).open("w", encoding="ascii") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        for folder in {(partial / name).parent for name in (FACTS, *names)}:
            _sync_folder(folder)
        if replace:
            _discard(place)
        try:
            partial.rename(place)
        except OSError as error:
            # Another process was first. The key decides what a model is: its is as good as ours.
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        _sync_folder(place.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def fetch(place: Path, key: str, into: Path) -> dict[str, Any] | None:
    """Copy a model's files into a folder, holding each against its checksum.

    Parameters
    ----------
    place
        Where the model is, as :func:`keep` left it.
    key
        Of the trial.
    into
        An empty folder.

    Returns
    -------
    dict or None
        What ``model.json`` says; None if there is no model.

    Raises
    ------
    Unusable
        If it is not what was written, or another trial's.
    """
    if not os.path.lexists(place):
        return None
    try:
        found = _read_facts(place / FACTS)
        if found["key"] != key:
            raise Unusable("it is another trial's")
        for name, expected in found["files"].items():
            if _copy(_checked_path(place, name, expected), into / name) != expected:
                raise Unusable(f"{name} is not what was saved")
    except FileNotFoundError as error:
        raise Unusable(f"{_inside(place, error)} is missing") from None
    except OSError as error:
        raise Unusable(f"{_inside(place, error)}: {error.strerror}") from None
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
        raise Unusable(f"{FACTS} is damaged") from None
    return found


def _read_facts(path: Path) -> dict[str, Any]:
    if path.is_symlink() or not path.is_file() or path.stat().st_size > _MOST_FACTS:
        raise Unusable(f"{FACTS} is missing, or no plain file")
    found: dict[str, Any] = json.loads(path.read_bytes())
    if found.pop("sha256") != digest(found):
        raise Unusable(f"{FACTS} is not what was written")
    if found["format"] != _FORMAT:
        raise Unusable("it was made by another version of adbench")
    seconds, notes, versions = found["fit_seconds"], found["notes"], found["versions"]
    # Whoever can write a model can reckon its checksum as well: it must still not upset a table.
    sound = isinstance(seconds, float) and 0 <= seconds < math.inf
    if not sound or not all(isinstance(text, str) for text in (*notes, *versions, *versions.values())):
        raise ValueError(seconds)
    return found


def _checked_path(place: Path, name: str, expected: Mapping[str, Any]) -> Path:
    """Return the path of a file of a model that is plain, has its size and does not lie elsewhere."""
    parts = PurePosixPath(name).parts
    if "/".join(parts) != name or ".." in parts or not (name == CURVE or (parts[0] == STATE and len(parts) > 1)):
        raise Unusable(f"{FACTS} names a file that no model has")
    path = place / name
    if path.resolve() != place.resolve() / name:
        raise Unusable(f"{name} is a link, or lies behind one")
    if not path.exists():
        raise Unusable(f"{name} is missing")
    if not path.is_file() or path.stat().st_size != expected["bytes"]:
        raise Unusable(f"{name} is not what was saved")
    return path


def _names(made: Path) -> Iterator[str]:
    """Yield the names of the files in a folder, by which they are found again."""
    for path in sorted(made.rglob("*")):
        name = path.relative_to(made).as_posix()
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise PluginError(f"save wrote something that is no plain file: {name}")
        if path.is_file():
            yield name


def _copy(source: Path, target: Path, *, durable: bool = False) -> dict[str, Any]:
    """Copy a file and return the sha256 and size of what was copied."""
    digest, size = hashlib.sha256(), 0
    target.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as reading, target.open("xb") as writing:
        while chunk := reading.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            writing.write(chunk)
        if durable:
            writing.flush()
            os.fsync(writing.fileno())
    return {"bytes": size, "sha256": digest.hexdigest()}


def _discard(place: Path) -> None:
    """Remove what is at a place, out of sight first: nobody meets half of it."""
    with contextlib.suppress(FileNotFoundError):
        doomed = place.rename(_beside(place))
        if doomed.is_symlink() or not doomed.is_dir():
            doomed.unlink()
        else:
            shutil.rmtree(doomed, ignore_errors=True)


def _beside(place: Path) -> Path:
    return place.with_name(f"{_PARTIAL}{os.urandom(8).hex()}")


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _inside(place: Path, error: OSError) -> str:
    """Return what an error speaks of, by its name in the model: no folder above it is told."""
    with contextlib.suppress(TypeError, ValueError):
        return Path(os.fsdecode(error.filename)).relative_to(place).as_posix()
    return "its copy"
