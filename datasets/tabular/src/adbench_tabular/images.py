"""A folder or archive of images, each in a folder named for its class: ``normal/`` and ``anomaly/``."""

from __future__ import annotations

import hashlib
import io
import os
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

import numpy as np
from numpy.typing import NDArray

from adbench import DatasetError, read_members
from adbench_tabular.checks import check_size, listed

Image = NDArray[np.uint8]

# Pillow knows more formats: some start other programs, and none of the others is usual for images of a set.
_FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".bmp": "BMP",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
_GREY_MODES = ("1", "L", "LA")
_COLOUR_MODES = ("P", "PA", "RGB", "RGBA")
_EXPECTED = "images in class folders, such as normal/1.png and anomaly/1.png"


@dataclass(frozen=True)
class Listing:
    """What a folder holds.

    Parameters
    ----------
    names
        The images as ``normal/1.png``, sorted.
    n_others
        How many other files there are, hidden ones left out.
    state
        A digest over the images' names, sizes and times. It stands for the files: the core need not be
        handed tens of thousands of paths, nor look at each again.
    """

    names: list[str]
    n_others: int
    state: str


def list_images(folder: Path) -> Listing:
    """Look through a folder without opening its files.

    Raises
    ------
    DatasetError
        If a link leads out of the folder, or to a folder.
    """
    states: dict[str, str] = {}
    n_others = 0
    for relative, entry in _files(folder, folder.resolve()):
        if _is_image(relative):
            stat = entry.stat()
            states[relative] = f"{relative}\0{stat.st_size}\0{stat.st_mtime_ns}\n"
        else:
            n_others += 1
    names = sorted(states)
    digest = hashlib.sha256("".join(states[name] for name in names).encode("utf-8", "surrogateescape"))
    return Listing(names, n_others, digest.hexdigest())


def _files(folder: Path, home: Path, within: str = "") -> Iterator[tuple[str, os.DirEntry[str]]]:
    """Yield each regular file that is not hidden, with its path in the folder."""
    with os.scandir(folder / within) as entries:
        for entry in entries:
            relative = f"{within}{entry.name}"
            if entry.name.startswith("."):
                continue
            if entry.is_symlink() and (entry.is_dir() or not Path(entry.path).resolve().is_relative_to(home)):
                found = f"the link {relative}, to a folder or to elsewhere"
                raise DatasetError.in_file(folder, expected=_EXPECTED, found=found, way_out="Copy what it links to.")
            if entry.is_dir():
                yield from _files(folder, home, f"{relative}/")
            elif entry.is_file():
                yield relative, entry


def read_images(
    path: Path, size: tuple[int, int] | None = None, state: str | None = None
) -> tuple[NDArray[np.uint8], NDArray[np.str_]]:
    """Decode all images, in the order of their names.

    Parameters
    ----------
    path
        A folder, or an archive of one.
    size
        Width and height to bring them to; None: they must all have the same.
    state
        The folder's digest when it was located.

    Returns
    -------
    X : ndarray of shape (n, height, width, channels)
        One channel if all are grey, else three (red, green, blue).
    folders : ndarray of shape (n,)
        The name of each image's folder.

    Raises
    ------
    DatasetError
        Naming the first image that is damaged, of another size, or no plain image of 8 bits.
    """
    decoded: dict[str, Image] = {}
    n_bytes = 0
    for name, file in _folder_members(path, state) if path.is_dir() else _archive_members(path):
        with file:
            image = _decode(path, name, file, size)
        decoded[name] = image
        _check_same_size(path, decoded, name)
        n_bytes += image.nbytes
        check_size(path, (n_bytes,), bytes_each=1)
    folders = _folders(path, sorted(decoded))
    n_channels = max(image.shape[2] for image in decoded.values())
    shape = (len(decoded), *image.shape[:2], n_channels)
    check_size(path, shape, bytes_each=1)
    X = np.empty(shape, np.uint8)
    for place, name in enumerate(sorted(decoded)):
        X[place] = decoded.pop(name)  # grey fills all channels; popped, so that pixels are not held twice
    return X, folders


def _folder_members(folder: Path, state: str | None) -> Iterator[tuple[str, IO[bytes]]]:
    listing = list_images(folder)
    if state not in (None, listing.state):
        raise DatasetError.in_file(
            folder, expected="a folder at rest", found="other files than a moment ago", way_out="Run again."
        )
    for name in listing.names:
        yield name, (folder / name).open("rb")


def _archive_members(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    for name, contents in read_members(path, _is_image):
        yield name, io.BytesIO(contents)


def _is_image(name: str) -> bool:
    # Systems leave files of their own in folders and archives, some with an image's suffix.
    hidden = any(part.startswith((".", "__MACOSX")) for part in name.split("/"))
    return name.lower().endswith(tuple(_FORMATS)) and not hidden


def _folders(path: Path, names: Iterable[str]) -> NDArray[np.str_]:
    """Return the folder of each image, once sure that all of these folders stand beside each other."""
    parts = [PurePosixPath(name).parts for name in names]
    places = sorted({"/".join(part[:-2]) if len(part) > 1 else "no folder" for part in parts})
    if not parts or len(places) > 1 or places == ["no folder"]:
        found = f"images at different depths or places: {listed(places)}" if len(places) > 1 else "none"
        raise DatasetError.in_file(path, expected=_EXPECTED, found=found, way_out="One folder for each class, no more.")
    return np.array([part[-2] for part in parts])


def _decode(path: Path, name: str, file: IO[bytes], size: tuple[int, int] | None) -> Image:
    """Return one image as (height, width, channels), as a viewer would show it."""
    from PIL import Image as Pillow
    from PIL import ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Pillow.DecompressionBombWarning)
            with Pillow.open(file, formats=sorted(set(_FORMATS.values()))) as image:
                _check_plain(path, name, image.mode, getattr(image, "n_frames", 1))
                is_grey = image.mode in _GREY_MODES
                upright = ImageOps.exif_transpose(image)  # phones note how they were held instead of turning pixels
        if upright.has_transparency_data:
            _check_opaque(path, name, upright.convert("RGBA").getextrema()[3])
        plain = upright.convert("L" if is_grey else "RGB")
        array = np.asarray(plain if size is None else plain.resize(size, Pillow.Resampling.BILINEAR))
    except DatasetError:
        raise
    except (Pillow.DecompressionBombWarning, Pillow.DecompressionBombError) as error:
        raise DatasetError.in_file(
            path,
            expected=f"images of at most {Pillow.MAX_IMAGE_PIXELS:,} pixels",
            found=f"one that would unpack to more, {name}",
            way_out="Make it smaller, or leave it out.",
        ) from error
    except Exception as error:  # whatever decoders make of a damaged image
        raise DatasetError.in_file(
            path,
            expected="whole, readable images",
            found=f"a damaged one, {name} ({type(error).__name__})",
            way_out="Get or save it anew.",
        ) from error
    return array if array.ndim == 3 else array[..., None]


def _check_plain(path: Path, name: str, mode: str, n_frames: int) -> None:
    if n_frames > 1:
        way_out = "Save each as a file of its own."
        raise DatasetError.in_file(path, expected="one image a file", found=f"{n_frames} in {name}", way_out=way_out)
    if mode not in (*_GREY_MODES, *_COLOUR_MODES):
        raise DatasetError.in_file(
            path,
            expected="grey or RGB images of 8 bits a channel",
            found=f"Pillow's mode {mode!r} in {name}",
            way_out="Convert it, or save all as floats in an npz.",
        )


def _check_opaque(path: Path, name: str, opacity: tuple[int, int]) -> None:
    if opacity[0] < 255:
        found = f"transparent pixels in {name}"
        way_out = "Put a background behind them."
        raise DatasetError.in_file(path, expected="opaque images", found=found, way_out=way_out)


def _check_same_size(path: Path, decoded: dict[str, Image], name: str) -> None:
    first_name, first = next(iter(decoded.items()))
    if (shape := decoded[name].shape[:2]) != first.shape[:2]:
        raise DatasetError.in_file(
            path,
            expected=f"images of one size, {first.shape[1]} x {first.shape[0]} as {first_name}",
            found=f"{shape[1]} x {shape[0]} in {name}",
            way_out="Resize all with size=WIDTHxHEIGHT.",
        )
