"""The stand-in for CIFAR-10: crops of the ten colour photographs inside scikit-image and scikit-learn."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adbench import DataMissing, DatasetError, Found
from adbench_image_sources.images import STAND_IN, Images

FORM = "photographs"

# Every distinct colour photograph in the wheels, one a class, in the order of their names.
_PACKAGES = {"skimage": "data", "sklearn": "datasets/images"}
_FILES = {
    "astronaut": ("skimage", "astronaut.png"),
    "chelsea": ("skimage", "chelsea.png"),
    "china": ("sklearn", "china.jpg"),
    "coffee": ("skimage", "coffee.png"),
    "flower": ("sklearn", "flower.jpg"),
    "hubble": ("skimage", "hubble_deep_field.jpg"),
    "immunohistochemistry": ("skimage", "ihc.png"),
    "motorcycle": ("skimage", "motorcycle_left.png"),
    "retina": ("skimage", "retina.jpg"),
    "rocket": ("skimage", "rocket.jpg"),
}
NAMES = tuple(_FILES)

N_TRAIN, N_TEST = 500, 100
_SIZE = 32
_LEAST_RANGE = 16  # grey levels within a crop: sky and black corners would give many equal images
# The steps of the R2 sequence (M. Roberts, 2018): it covers a plane evenly, and needs no stream of random
# numbers, which a library may change.
_STEPS = np.array([0.5698402909980532, 0.7548776662466927])  # down, across
_wrong = partial(
    DatasetError.in_file,
    expected="a colour photograph",
    way_out="Get it again: pip install --force-reinstall --no-deps scikit-image scikit-learn",
)


def find() -> Found:
    """Return the photographs' files.

    Raises
    ------
    DataMissing
        If one is not where its package keeps it.
    """
    folders = {}
    for package, folder in _PACKAGES.items():
        spec = find_spec(package)  # looks, but does not import: that would take a second
        folders[package] = Path(spec.origin).parent / folder if spec and spec.origin else Path(package)
    files = tuple(folders[package] / name for package, name in _FILES.values())
    if missing := [f"{path.parent.name}/{path.name}" for path in files if not path.is_file()]:
        raise DataMissing(
            f"CIFAR-10 is not on this machine, and of its stand-in are missing {', '.join(missing)}: "
            "pip install 'scikit-image>=0.25' scikit-learn"
        )
    return Found(STAND_IN, files, "32 x 32 crops of ten photographs, one a class", {"form": FORM})


def read(found: Found) -> Images:
    """Cut 500 training crops from each photograph's left three quarters, and 100 test crops from the rest.

    Between the two lies a gap as wide as a crop, so that no pixel is in both.

    Raises
    ------
    DatasetError
        If a photograph is damaged, or another than the one meant.
    """
    train, test = [], []
    for path in found.files:
        pixels = _pixels(path)
        border = pixels.shape[1] * 3 // 4
        train.append(_crops(path, pixels[:, :border], N_TRAIN))
        test.append(_crops(path, pixels[:, border + _SIZE :], N_TEST))
    labels = np.arange(len(found.files), dtype=np.uint8)
    return Images(np.concatenate(train), labels.repeat(N_TRAIN), np.concatenate(test), labels.repeat(N_TEST))


def _pixels(path: Path) -> NDArray[np.uint8]:
    """Return a photograph ``(height, width, 3)``, reduced by a whole factor to a shorter side of 300 to 800."""
    from PIL import Image  # only the stand-in needs it

    try:
        with Image.open(path) as opened:
            image = opened.convert("RGB")
    except (OSError, SyntaxError) as error:  # the latter from a damaged PNG
        raise _wrong(path, found=type(error).__name__) from error
    # At full size, crops of the retina and of the sky would be nearly flat.
    return np.asarray(image.reduce(max(1, min(image.size) // 400)))


def _crops(path: Path, region: NDArray[np.uint8], n: int) -> NDArray[np.uint8]:
    """Return ``n`` distinct crops, evenly spread over the region, without those that are nearly flat."""
    places = np.array(region.shape[:2]) - _SIZE + 1
    if places.min() < 1:
        raise _wrong(path, found="a small one")
    crops: dict[bytes, NDArray[np.uint8]] = {}
    for k in range(1, 20 * n):
        top, left = (k * _STEPS % 1 * places).astype(int)
        crop = region[top : top + _SIZE, left : left + _SIZE]
        if np.ptp(crop) >= _LEAST_RANGE:
            crops[crop.tobytes()] = crop
        if len(crops) == n:
            return np.stack(list(crops.values()))
    raise _wrong(path, found="a flat one")
