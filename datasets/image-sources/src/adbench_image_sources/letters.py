"""Letters rendered from matplotlib's fonts, bent by chance as handwriting is: what stands in for EMNIST-Letters."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from string import ascii_lowercase, ascii_uppercase

import numpy as np
from numpy.typing import NDArray

from adbench_image_sources.images import Images

# Text fonts with all letters; the others that matplotlib ships hold symbols, or repeat these at display size.
FONTS = (
    *(f"DejaVuSans{style}.ttf" for style in ("", "-Bold", "-Oblique", "-BoldOblique")),
    *(f"DejaVuSansMono{style}.ttf" for style in ("", "-Bold", "-Oblique", "-BoldOblique")),
    *(f"DejaVuSerif{style}.ttf" for style in ("", "-Bold", "-Italic", "-BoldItalic")),
    *(f"STIXGeneral{style}.ttf" for style in ("", "Bol", "Italic", "BolIta")),
    *(f"cm{style}.ttf" for style in ("b10", "mi10", "r10", "ss10", "ti10", "tt10")),
)
_SEED = 20_170_217  # any number: with it, the stand-in is always the same
_GLYPH = 112  # side of the canvas of a glyph, in its own pixels
_BOX = 80.0  # its longer side there, fitted from a trial
_TRIAL_SIZE = 200
# Lengths from here on are in pixels of the image.
_SIDE = 28
_INK = 23.0  # the letter's longer side: EMNIST leaves a margin of 2 pixels
_KNOTS, _BEND = 4, 1.0  # knots of the bend along a side, and the deviation of each
_HALF_STROKE = 1.6  # of a pen
_THINNING = 0.6  # share that is taken off what a font's stroke has more than a pen's
_MOST_THINNED = 0.6  # so that hairlines stay
_PEN, _SOFT = 0.3, 1.8  # deviation of the pen, and width of a stroke's grey edge


def font_files() -> tuple[Path, ...]:
    """Return the fonts' files, without importing matplotlib."""
    spec = find_spec("matplotlib")
    assert spec is not None and spec.origin is not None  # a requirement of this package
    folder = Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"
    return tuple(folder / name for name in FONTS)


def rendered_letters(n_train: int, n_test: int, seed: int = _SEED) -> Images:
    """Draw letters, equally many of each, small and capital, of all fonts in turn; sorted by letter.

    Parameters
    ----------
    n_train, n_test
        How many images, multiples of 26.
    seed
        Same seed, same images.

    Returns
    -------
    Images
        Training and test images come of the same fonts, as EMNIST's come of the same forms, each bent on its own.
    """
    parts: dict[str, list[NDArray[np.uint8]]] = {"train": [], "test": []}
    for letter, pair in enumerate(zip(ascii_uppercase, ascii_lowercase, strict=True)):
        glyphs = np.stack([_distances(font, text) for font in font_files() for text in pair])
        for number, (name, n) in enumerate((("train", n_train // 26), ("test", n_test // 26))):
            rng = np.random.default_rng([seed, letter, number])
            parts[name].append(_write(glyphs, n, rng))
    train, test = (np.concatenate(parts[name])[..., np.newaxis] for name in ("train", "test"))
    classes = np.arange(26, dtype=np.uint8)
    return Images(train, np.repeat(classes, len(train) // 26), test, np.repeat(classes, len(test) // 26))


def _distances(font: Path, text: str) -> NDArray[np.float64]:
    """Return how far inside (positive) or outside of the glyph's ink each pixel of its canvas lies, in pixels."""
    from PIL import Image, ImageDraw, ImageFont
    from scipy.ndimage import distance_transform_edt

    def sized(size: float) -> ImageFont.FreeTypeFont:
        return ImageFont.truetype(font, size, layout_engine=ImageFont.Layout.BASIC)  # the one that is always there

    left, top, right, bottom = sized(_TRIAL_SIZE).getbbox(text)
    fitting = sized(_TRIAL_SIZE * _BOX / max(right - left, bottom - top))
    left, top, right, bottom = fitting.getbbox(text)
    canvas = Image.new("L", (_GLYPH, _GLYPH))
    ImageDraw.Draw(canvas).text(
        ((_GLYPH - left - right) / 2, (_GLYPH - top - bottom) / 2), text, fill=255, font=fitting
    )
    ink = np.asarray(canvas) >= 128
    return distance_transform_edt(ink) - distance_transform_edt(~ink)


def _write(glyphs: NDArray[np.float64], n: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return ``n`` images ``(n, 28, 28)``: the glyphs in turn, each time with another slant, bend and pen."""
    from scipy.ndimage import map_coordinates

    images = np.empty((n, _SIDE, _SIDE), np.uint8)
    affines, pushes, pens = _affines(n, rng), rng.normal(0.0, _BEND, (n, 2, _KNOTS, _KNOTS)), rng.normal(0.0, _PEN, n)
    centred = np.arange(_SIDE) - (_SIDE - 1) / 2
    grid = np.stack(np.meshgrid(centred, centred, indexing="ij"))  # (2, 28, 28)
    for number, glyph in enumerate(glyphs):
        mine = np.arange(number, n, len(glyphs))
        inverse, middle, scale = _fit(affines[mine], glyph)
        at = np.einsum("kij,kjyx->ikyx", inverse, grid + _smooth(pushes[mine])) + middle[..., None, None]
        inside = map_coordinates(glyph, at, order=1, mode="nearest") * scale[:, None, None]
        # Fonts have heavier strokes than pens, bold ones most of all.
        thinner = np.minimum(_THINNING * (glyph.max() * scale - _HALF_STROKE), _MOST_THINNED)
        ink = np.clip(0.5 + (inside + (pens[mine] - thinner)[:, None, None]) / _SOFT, 0.0, 1.0)
        images[mine] = np.round(255 * ink / ink.max(axis=(1, 2), keepdims=True))
    return images


def _affines(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return ``n`` small rotations, slants and stretches as matrices on (y, x)."""
    angle, slant, stretch = rng.normal(0.0, 0.12, n), rng.normal(0.0, 0.15, n), rng.normal(0.0, 0.12, n)
    turn = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], axis=-1).reshape(n, 2, 2)
    lean = np.zeros((n, 2, 2))
    lean[:, 0, 0], lean[:, 1, 1], lean[:, 1, 0] = np.exp(stretch), np.exp(-stretch), slant
    return np.einsum("nij,njk->nik", turn, lean)


def _fit(
    affines: NDArray[np.float64], glyph: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Return, for each affine map of the glyph, what leads from a centred image back to the glyph's canvas.

    Returns
    -------
    tuple of ndarrays of shape (k, 2, 2), (2, k) and (k,)
        The inverse matrix, the canvas pixel at the image's centre, and image pixels per canvas pixel.
    """
    from scipy.spatial import ConvexHull

    ink = np.argwhere(glyph > 0)
    outline = ink[ConvexHull(ink).vertices]
    moved = np.einsum("kij,mj->kmi", affines, outline)
    low, high = moved.min(axis=1), moved.max(axis=1)  # (k, 2)
    scale = _INK / (high - low).max(axis=1)
    inverse = np.linalg.inv(affines)
    middle = np.einsum("kij,kj->ik", inverse, (low + high) / 2)
    return inverse / scale[:, None, None], middle, scale


def _smooth(pushes: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return displacements ``(k, 2, 28, 28)`` in image pixels, bell curves around a few knots."""
    places, knots = np.arange(_SIDE), np.linspace(0, _SIDE - 1, _KNOTS)
    bells = np.exp(-0.5 * ((places[:, None] - knots) / (_SIDE / _KNOTS / 1.5)) ** 2)
    return np.einsum("kcyj,xj->kcyx", np.einsum("yi,kcij->kcyj", bells, pushes), bells)
