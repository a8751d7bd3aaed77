"""The official python version of CIFAR-10: pickled batches, in a folder or an archive, all of them or some."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adbench import ARCHIVE_SUFFIXES, Finder, Found, read_members, read_pickle
from adbench_image_sources.cifar_classes import CLASSES
from adbench_image_sources.images import Images, damaged

FORM = "batches"
PARTIAL = "partial"

FOLDER = "cifar-10-batches-py"
OFFICIAL_ARCHIVE = "cifar-10-python.tar.gz"
_META = "batches.meta"
# Bytes and MD5, as torchvision has them: what has the official length must have the official contents.
OFFICIAL = {
    "data_batch_1": (31_035_704, "c99cafc152244af753f735de768cd75f"),
    "data_batch_2": (31_035_320, "d4bba439e000b95fd0a9bffe97cbabec"),
    "data_batch_3": (31_035_999, "54ebc095f3ab1f0389bbae665268c751"),
    "data_batch_4": (31_035_696, "634d18415352ddfa80567beed471001a"),
    "data_batch_5": (31_035_623, "482c414d41f54cd18b22e5b47cb7c3cb"),
    "test_batch": (31_035_526, "40351d587109b95175f43aff81a1287e"),
}
_N_ROWS = 10_000  # of a whole batch
_N_VALUES = 3 * 32 * 32
# A batch pickled anew by Python 3 is half as long again.
_MOST_BATCH = 64 << 20
_MOST_ARCHIVE = 320 << 20
#: What numpy's arrays ask for, pickled by numpy 1 and 2, and byte strings pickled by Python 3.
PICKLED_ARRAYS = {
    ("numpy", "dtype"),
    ("numpy", "ndarray"),
    ("numpy.core.multiarray", "_reconstruct"),
    ("numpy._core.multiarray", "_reconstruct"),
    ("_codecs", "encode"),
}


def find(finder: Finder) -> Found | None:
    """Look for unpacked batches, then for an archive of them; complete ones first.

    The variant is ``partial`` unless all batches are there, or an archive has the official name.
    """
    partial = None
    for folder in finder.folders:
        for place in (folder / "cifar10", folder):
            for found in (_unpacked(place / FOLDER), *_archives(place)):
                if found and not found.variant:
                    return found
                partial = partial or found
    return partial


def _unpacked(folder: Path) -> Found | None:
    batches = tuple(path for name in OFFICIAL if (path := folder / name).is_file())
    if not batches:
        return None
    meta = folder / _META
    variant = "" if len(batches) == len(OFFICIAL) else PARTIAL
    return Found(variant, (*batches, *([meta] if meta.is_file() else ())), details={"form": FORM})


def _archives(folder: Path) -> Iterator[Found]:
    paths = sorted(folder.glob("cifar-10-python*"), key=lambda path: (path.name != OFFICIAL_ARCHIVE, path.name))
    for path in paths:
        if path.name.endswith(ARCHIVE_SUFFIXES) and path.is_file():
            yield Found("" if path.name == OFFICIAL_ARCHIVE else PARTIAL, (path,), details={"form": FORM})


def read(found: Found) -> Images:
    """Read the batches that are there, in the official order."""
    batches, is_official = {}, True
    for path, contents in _contents(found.files):
        if path.name == _META:
            _check_names(path, read_pickle(Path(path), contents, PICKLED_ARRAYS))
            continue
        n_official, md5 = OFFICIAL[path.name]
        differs = hashlib.md5(contents, usedforsecurity=False).hexdigest() != md5
        if differs and len(contents) == n_official:
            raise damaged(path, f"the official contents (md5 {md5[:12]}...)", "altered ones of the same length")
        is_official &= not differs
        batches[path.name] = _rows(path, read_pickle(Path(path), contents, PICKLED_ARRAYS))
    if not batches:
        raise damaged(found.files[0], f"batches such as {FOLDER}/data_batch_1", "none")
    if sum(len(labels) for _, labels in batches.values()) == _N_ROWS * len(OFFICIAL) and not is_official:
        raise damaged(found.files[0], "a complete set to be the official one (by the batches' MD5 sums)", "another")
    train = [batches[name] for name in OFFICIAL if name in batches and name != "test_batch"]
    test = [batches[name] for name in batches if name == "test_batch"]
    return Images(*_join(train), *_join(test))


def _contents(files: Sequence[Path]) -> Iterator[tuple[PurePath, bytes]]:
    """Give each batch's bytes, with a path that names it for messages."""
    if files[0].name in OFFICIAL:
        for path in files:
            with path.open("rb") as file:
                contents = file.read(_MOST_BATCH + 1)
            if len(contents) > _MOST_BATCH:
                raise damaged(path, f"at most {_MOST_BATCH:,} bytes", "more")
            yield path, contents
        return
    (archive,) = files
    for name, contents in read_members(archive, _is_batch, most_bytes=_MOST_ARCHIVE, most_members=100):
        yield PurePath(archive.name, PurePosixPath(name).name), contents


def _is_batch(name: str) -> bool:
    path = PurePosixPath(name)
    return path.parent.name == FOLDER and (path.name in OFFICIAL or path.name == _META)


def _check_names(path: PurePath, meta: Any) -> None:
    names = _entry(meta, "label_names")
    found = [name.decode("latin1") if isinstance(name, bytes) else name for name in names or ()]
    if found != list(CLASSES):
        raise damaged(path, f"the classes {', '.join(CLASSES)}", "others")


def _rows(path: PurePath, batch: Any) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return a batch's images ``(n, 32, 32, 3)`` and labels, checked."""
    data, labels = _entry(batch, "data"), _entry(batch, "labels")
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.ndim != 2 or data.shape[1] != _N_VALUES:
        told = f"{data.dtype} of shape {data.shape}" if isinstance(data, np.ndarray) else f"{type(data).__name__}"
        raise damaged(path, f"'data' of n rows of {_N_VALUES:,} unsigned bytes", told)
    if not 0 < len(data) <= _N_ROWS:
        raise damaged(path, f"1 to {_N_ROWS:,} rows", f"{len(data):,}")
    if not isinstance(labels, list) or len(labels) != len(data):
        told = f"{len(labels):,}" if isinstance(labels, list) else f"{type(labels).__name__}"
        raise damaged(path, f"'labels', a list of {len(data):,}", told)
    if not all(type(label) is int and 0 <= label < len(CLASSES) for label in labels):
        raise damaged(path, f"labels from 0 to {len(CLASSES) - 1}", "others")
    # Each row holds the red plane, the green and the blue, row by row.
    return data.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), np.asarray(labels, np.uint8)


def _entry(pickled: Any, key: str) -> Any:
    """Return a value by its key, which Python 2 wrote as bytes, or None."""
    if not isinstance(pickled, dict):
        return None
    return pickled.get(key.encode(), pickled.get(key))


def _join(
    batches: Sequence[tuple[NDArray[np.uint8], NDArray[np.uint8]]],
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    if not batches:
        return np.empty((0, 32, 32, 3), np.uint8), np.empty(0, np.uint8)
    images, labels = zip(*batches, strict=True)
    return np.concatenate(images), np.concatenate(labels)
