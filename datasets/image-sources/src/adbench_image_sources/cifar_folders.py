"""CIFAR-10 as pictures: a folder or an archive with a folder for each class."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path, PurePath
from typing import IO

import numpy as np
from numpy.typing import NDArray

from adbench import ARCHIVE_SUFFIXES, Finder, Found, read_members
from adbench_image_sources.cifar_classes import CLASSES
from adbench_image_sources.images import Images, damaged

FORM = "pictures"

# Where the class folders may lie, with train/ and test/ above them or without.
_FOLDERS = ("cifar10", "cifar10/cifar10", "cifar10/CIFAR-10-images", "cifar10/CIFAR-10-images-master")
_OTHERS = ("cifar-10-python", "cifar-10-binary", "cifar-10-matlab", "cifar100", "cifar-100")
_FORMATS = {".jpg": "jpeg", ".jpeg": "jpeg", ".png": "png"}
_PARTS = ("train", "test")
_MOST_BYTES = 512 << 20  # the PNG version holds some 150 MB
_MOST_MEMBERS = 61_000  # 60,000 pictures, the folders, a readme


def find(finder: Finder) -> Found | None:
    """Look for class folders, then for an archive of them. The variant is ``jpeg`` or ``png``.

    Raises
    ------
    DatasetError
        If there are such folders, or an archive whose name says CIFAR-10, but no pictures in them.
    """
    for folder in finder.folders:
        for name in _FOLDERS:
            if found := _unpacked(folder / name):
                return found
        for path in sorted((folder / "cifar10").glob("[cC][iI][fF][aA][rR]*")):
            named = path.name.lower()
            if named.endswith(ARCHIVE_SUFFIXES) and not named.startswith(_OTHERS) and path.is_file():
                return _archive(path)
    return None


def _unpacked(root: Path) -> Found | None:
    parts = [part for part in _PARTS if (root / part).is_dir()]
    above = [root / part for part in parts] or [root]
    folders = tuple(path for place in above for name in CLASSES if (path := place / name).is_dir())
    if not folders and not parts:
        return None
    files = [entry for folder in folders for entry in _pictures(folder)]
    if not files:
        raise damaged(root, "class folders such as train/cat/ with PNG or JPEG pictures", "none")
    stats = [entry.stat() for entry in files]
    # Stands for the pictures' sizes and times: 60,000 files would be too many to name.
    state = [len(files), sum(stat.st_size for stat in stats), max(stat.st_mtime_ns for stat in stats)]
    return _found(folders, files[0].name, {"root": str(root), "state": state})


def _archive(path: Path) -> Found:
    with closing(_members(path)) as members:
        first = next(members, None)
    if first is None:
        raise damaged(path, "class folders such as train/cat/ with PNG or JPEG pictures", "none")
    return _found((path,), first[0], {})


def _found(files: tuple[Path, ...], picture: str, details: dict[str, object]) -> Found:
    kind = _FORMATS[PurePath(picture).suffix.lower()]
    note = f"{kind.upper()} pictures{', which are lossy' if kind == 'jpeg' else ''}"
    return Found(kind, files, note, {"form": FORM, **details})


def read(found: Found) -> Images:
    """Decode every picture; of each class they stand in the order of their names.

    Raises
    ------
    DatasetError
        If one is damaged, of another format than the first, or not 32 x 32 in RGB.
    """
    from PIL import Image  # only those with pictures need it

    pixels: dict[tuple[str, int, int, str], NDArray[np.uint8]] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        for path, name, file in _files(found):
            part, label = _place(name)
            short = PurePath(name).name
            pixels[part, label, len(short), short] = _decode(path, name, file, found.variant.upper())
    # By length, then name: 2.png before 10.png.
    keys = sorted(pixels)
    arrays = []
    for part in _PARTS:
        mine = [key for key in keys if key[0] == part]
        images = np.stack([pixels[key] for key in mine]) if mine else np.empty((0, 32, 32, 3), np.uint8)
        arrays += [images, np.array([label for _, label, _, _ in mine], np.uint8)]
    return Images(*arrays)


def _files(found: Found) -> Iterator[tuple[Path, str, IO[bytes]]]:
    """Give for each picture the path to name in messages, its place in the copy, and its bytes."""
    if "root" not in found.details:
        (archive,) = found.files
        for name, contents in _members(archive):
            yield archive, name, io.BytesIO(contents)
        return
    root = Path(found.details["root"])
    for folder in found.files:
        for entry in _pictures(folder):
            with Path(entry).open("rb") as file:
                yield root, Path(entry).relative_to(root).as_posix(), file


def _pictures(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        yield from (entry for entry in entries if _is_picture(entry.name) and entry.is_file())


def _members(archive: Path) -> Iterator[tuple[str, bytes]]:
    def wanted(name: str) -> bool:
        return _place(name) is not None

    return read_members(archive, wanted, most_bytes=_MOST_BYTES, most_members=_MOST_MEMBERS)


def _place(name: str) -> tuple[str, int] | None:
    """Return the part and class that a path such as ``images/train/cat/0001.jpg`` tells."""
    *_, part, folder, file = ("", "", *name.split("/"))
    if folder not in CLASSES or not _is_picture(file):
        return None
    return (part if part in _PARTS else "train"), CLASSES.index(folder)


def _is_picture(name: str) -> bool:
    return name.lower().endswith(tuple(_FORMATS)) and not name.startswith(".")


def _decode(path: Path, name: str, file: IO[bytes], kind: str) -> NDArray[np.uint8]:
    from PIL import Image

    try:
        with Image.open(file, formats=[kind]) as image:
            told = f"{image.width} x {image.height} in {image.mode}"
            # Asked before anything is decoded: so a picture of a billion pixels takes no memory.
            pixels = np.asarray(image) if image.size == (32, 32) and image.mode == "RGB" else None
    except Exception as error:  # a damaged picture raises whatever it likes
        raise damaged(
            path, f"readable {kind} pictures", f"{name}, damaged or another format ({type(error).__name__})"
        ) from error
    if pixels is None:
        raise damaged(path, "pictures of 32 x 32 in RGB", f"{name}: {told}")
    return pixels
