"""EMNIST-Letters: the official idx files, NIST's archive of them, a partial copy, or letters drawn from fonts."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from adbench import DatasetError, Finder, Found, check_checksum, open_binary, read_members, reading
from adbench_image_sources import remote
from adbench_image_sources.idx import read_idx
from adbench_image_sources.images import AGAIN, STAND_IN, Images, Source, damaged
from adbench_image_sources.letters import font_files, rendered_letters

N_LETTERS = 26
OFFICIAL_ROWS = {"train": 124_800, "test": 20_800}

_FOLDERS = ("emnist", "EMNIST/raw", "emnist/gzip")  # the last: gzip.zip unpacked by hand
_ARCHIVE = "gzip.zip"
_MOST_PACKED = 128 << 20  # of four members that hold some 40 MB
_N_TEST_ALONE = 2_600  # of the stand-in: to draw all would take most of the time


@dataclass(frozen=True)
class EmnistLetters(Source):
    """The letters a to z, small and capital ones of a letter in one class, 0 to 25.

    Images are upright: the official files hold them transposed.

    References
    ----------
    Cohen, Afshar, Tapson and van Schaik (2017), EMNIST: an extension of MNIST to handwritten letters.
    """

    title: str = "EMNIST-Letters"
    archive_checksum: str = remote.EMNIST[0].checksum

    def locate(self, finder: Finder) -> Found:
        """Look for the official files, for the archive they come in, and for a part of them, in this order.

        How many images a file holds is read from its header, the first 8 bytes: a file cut short keeps its name.
        """
        copies = [copy for folder in finder.folders for name in _FOLDERS if (copy := self._look_into(folder / name))]
        if whole := next((copy for copy in copies if not copy.variant), None):
            return whole
        if archive := finder.find(*(f"{name}/{_ARCHIVE}" for name in _FOLDERS)):
            return Found(files=(archive,), note=f"{self.title}: the official archive.", details=OFFICIAL_ROWS)
        if copies:
            return copies[0]
        note = f"{self.title}: rendered from the fonts that matplotlib ships, at the official size; {self._way_out()}."
        return Found(STAND_IN, font_files(), note)

    def load(self, found: Found) -> Images:
        """Read the files or the archive's members, or draw the stand-in."""
        if found.variant == STAND_IN:
            return rendered_letters(n_train=OFFICIAL_ROWS["train"], n_test=OFFICIAL_ROWS["test"])
        if found.files[0].name == _ARCHIVE:
            check_checksum(found.files[0], self.archive_checksum, AGAIN)
            with TemporaryDirectory() as scratch:
                return _read(_unpack(found.files[0], Path(scratch)), found.details)
        return _read({path.name.removesuffix(".gz"): path for path in found.files}, found.details)

    def load_test(self, found: Found) -> NDArray[np.uint8]:
        """Read the test letters; of the stand-in, fewer are drawn, and none for training."""
        if found.variant == STAND_IN:
            return rendered_letters(n_train=0, n_test=_N_TEST_ALONE).test
        return self.load(found).test

    def _look_into(self, folder: Path) -> Found | None:
        """Return what a folder has of the four files, None if nothing."""
        here = Finder((folder,))
        paths = {stem: here.find(f"{stem}.gz", stem) for part in OFFICIAL_ROWS for stem in _stems(part)}
        rows = {}
        for part, most in OFFICIAL_ROWS.items():
            images, labels = _stems(part)
            if (paths[images] is None) != (paths[labels] is None):
                there, missing = (images, labels) if paths[images] else (labels, images)
                raise DatasetError(
                    f"{self.title}: expected {missing}.gz beside {there} in {folder.name}/; it is missing. "
                    "Put it there, or move the folder away to use the stand-in."
                )
            rows[part] = _rows_told(paths[images], most)
        files = tuple(path for path in paths.values() if path)
        if not files:
            return None
        if rows == OFFICIAL_ROWS:
            note = f"{self.title}: complete by counts and classes; no checksums of these files are published."
            return Found(files=files, note=note, details=rows)
        what = f"{rows['train']:,} of {OFFICIAL_ROWS['train']:,} training images, "
        what += f"{rows['test']:,} of {OFFICIAL_ROWS['test']:,} test images"
        note = f"{self.title}: a partial copy, {what}; {self._way_out()}."
        return Found(f"{sum(rows.values())}rows", files, note, rows)

    def _way_out(self) -> str:
        return (
            f"for the real set put {_ARCHIVE} into {_FOLDERS[0]}/ of the data folder (--data-dir or ADBENCH_DATA), "
            "from https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip"
        )


def _stems(part: str) -> tuple[str, str]:
    """Return the names of a part's images and labels, without ``.gz``."""
    return f"emnist-letters-{part}-images-idx3-ubyte", f"emnist-letters-{part}-labels-idx1-ubyte"


def _rows_told(path: Path | None, most: int) -> int:
    """Return how many images a file's header tells; 0 without a file.

    ``most`` where the header tells no number that can be: then reading the file as the official one says what is wrong.
    """
    if path is None:
        return 0
    with suppress(DatasetError, struct.error), reading(path, "an idx file"), open_binary(path) as file:
        _, rows = struct.unpack(">II", file.read(8))
        return rows if 0 < rows <= most else most
    return most


def _unpack(archive: Path, scratch: Path) -> dict[str, Path]:
    """Write the four wanted members beside each other, in a folder named like the archive: messages name it."""
    folder = scratch / archive.name
    folder.mkdir()
    paths = {stem: folder / f"{stem}.gz" for part in OFFICIAL_ROWS for stem in _stems(part)}
    wanted = {path.name for path in paths.values()}
    members = read_members(archive, lambda name: PurePosixPath(name).name in wanted, most_bytes=_MOST_PACKED)
    for name, contents in members:
        (folder / PurePosixPath(name).name).write_bytes(contents)
    if missing := sorted(path.name for path in paths.values() if not path.is_file()):
        found = f"none of the name {missing[0]}" + (f" (and {len(missing) - 1} more missing)" if missing[1:] else "")
        raise damaged(archive, "the members of EMNIST-Letters", found)
    return paths


def _read(paths: Mapping[str, Path], rows: Mapping[str, int]) -> Images:
    train, train_labels = _read_part(paths, "train", rows["train"])
    test, test_labels = _read_part(paths, "test", rows["test"])
    return Images(train, train_labels, test, test_labels)


def _read_part(paths: Mapping[str, Path], part: str, n: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    if not n:
        return np.empty((0, 28, 28, 1), np.uint8), np.empty(0, np.uint8)
    images, labels = (paths[stem] for stem in _stems(part))
    pixels = read_idx(images, (n, 28, 28))
    letters = read_idx(labels, (n,), highest=N_LETTERS)
    if letters.min() < 1:
        raise damaged(labels, "labels from 1 to 26", "0")
    classes = letters - np.uint8(1)
    if n == OFFICIAL_ROWS[part]:
        counts = np.bincount(classes, minlength=N_LETTERS)
        if (counts != n // N_LETTERS).any():
            raise damaged(labels, f"{n // N_LETTERS:,} of each letter", f"{counts.min():,} to {counts.max():,}")
    return np.ascontiguousarray(pixels.transpose(0, 2, 1))[..., np.newaxis], classes


EMNIST_LETTERS = EmnistLetters()
