"""One regular class, a few impurities of all others in its training images, and some more to test on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from string import ascii_uppercase
from typing import Literal

import numpy as np
from adbench_image_sources import parts
from adbench_image_sources.drawing import check_sizes, mixed, to_unit
from adbench_image_sources.emnist import EMNIST_LETTERS
from adbench_image_sources.idx_sets import FASHION, MNIST
from adbench_image_sources.images import Source
from numpy.typing import NDArray

from adbench import Finder, Found, Split, TestSet, UsageError

_SOURCES: Mapping[str, Source] = {"letters": EMNIST_LETTERS, "digits": MNIST, "fashion": FASHION}

# Row ids number training and test images of each set one after the other, at their official sizes, so that
# an id means the same part in every variant.
FIRST_ID = {"letters": 0, "digits": 145_600, "fashion": 215_600}
FIRST_TEST_ID = {"letters": 124_800, "digits": 205_600, "fashion": 275_600}

# The reference: of a letter's 4,800 training images 4,000 train; beside them are 800 test images.
_TRAINING_SHARE = 4_000 / 4_800
_TRAIN_PART = 4_800 / 5_600
_DIVIDED = "training, validation and test as 4,000 : 800 : 800"
REFERENCE_SHARE = 25 / 825

ImageSet = Literal["letters", "digits", "fashion"]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Impurities:
    """Letters, digits and fashion images, each set from its official files, a part of them, or its stand-in."""

    def locate(self, finder: Finder) -> Found:
        """Look for each of the three sets."""
        found = {name: source.locate(finder) for name, source in _SOURCES.items()}
        letters = found["letters"]
        if 0 in letters.details.values():
            note = (
                f"{letters.note} Lacking a part, each letter's images are divided into {_DIVIDED}; the test set keeps "
                "its 25 impurities. With so few images, small differences mean nothing."
            )
            found["letters"] = replace(letters, note=note)
        return parts.join(found)

    def load(self, found: Found) -> dict[str, NDArray[np.integer]]:
        """Decode each set into ``NAME`` uint8 ``(n, 28, 28, 1)``, ``NAME_labels`` and ``NAME_ids``, both ``(n,)``."""
        arrays: dict[str, NDArray[np.integer]] = {}
        for name, part in parts.split(found).items():
            images = _SOURCES[name].load(part)
            train_ids = FIRST_ID[name] + np.arange(len(images.train))
            test_ids = FIRST_TEST_ID[name] + np.arange(len(images.test))
            arrays |= {
                name: np.concatenate([images.train, images.test]),
                f"{name}_labels": np.concatenate([images.train_labels, images.test_labels]),
                f"{name}_ids": np.concatenate([train_ids, test_ids]),
            }
        return arrays

    def split(
        self,
        arrays: Mapping[str, NDArray[np.integer]],
        *,
        seed: int,
        repetition: int,
        images: ImageSet,
        normal: str | int,
        contamination: float = REFERENCE_SHARE,
        n_train: int = 4_000,
        n_test: int = 800,
        n_test_impurities: int = 25,
        n_validation: int = 0,
    ) -> Split:
        """Train on regular images with a few impurities; test on others of both.

        Parameters
        ----------
        arrays, seed, repetition
            As for every dataset; the seed alone draws the rows, so each repetition has other impurities.
        images
            ``letters``, ``digits`` or ``fashion``.
        normal
            The regular class: its number, or a letter.
        contamination
            Share of impurities among the training rows, in (0, 0.5].
        n_train, n_test, n_validation
            Regular images; fewer where the class has fewer. Validation images come of the training part, and make
            a test set of their own.
        n_test_impurities
            In the test set, and in the validation set; impurities of all classes, equally many as nearly as can be.
        """
        if not 0 < contamination <= 0.5:
            raise UsageError(f"'contamination' must be in (0, 0.5]; got {contamination}")
        check_sizes(n_train=n_train, n_test=n_test, n_test_impurities=n_test_impurities)
        check_sizes(0, n_validation=n_validation)
        rng = np.random.default_rng(seed)
        labels, ids = np.asarray(arrays[f"{images}_labels"]), np.asarray(arrays[f"{images}_ids"])
        pools = _pools(labels, ids < FIRST_TEST_ID[images], rng)
        regular, regular_test = pools.pop(_class_of(images, normal, pools))
        n_regular = min(n_train, round(_TRAINING_SHARE * len(regular)))
        n_impurities = max(1, round(n_regular * contamination / (1 - contamination)))
        n_held = n_test_impurities if n_validation else 0
        impure = _deal(images, (train for train, _ in pools.values()), n_impurities + n_held, rng)
        impure_test = _deal(images, (test for _, test in pools.values()), n_test_impurities, rng)

        def make(regular: Rows, impure: Rows) -> TestSet:
            return mixed(*((to_unit(arrays[images][rows]), ids[rows]) for rows in (regular, impure)), rng)

        train = make(regular[:n_regular], impure[:n_impurities])
        tests = {"test": make(regular_test[:n_test], impure_test)}
        if n_validation:
            held = regular[n_regular : n_regular + n_validation]
            tests["validation"] = make(held, impure[n_impurities:])
        return Split(train.X, train.row_ids, tests, contamination=n_impurities / (n_regular + n_impurities))


def _class_of(images: str, normal: str | int, present: Iterable[int]) -> int:
    """Return the number of the regular class, given by number or, of letters, by name."""
    names = ascii_uppercase if images == "letters" else "0123456789"
    if isinstance(normal, str):
        number = names.index(normal.upper()) if len(normal) == 1 and normal.upper() in names else -1
    else:
        number = normal
    if not 0 <= number < len(names):
        allowed = "a letter from A to Z, or a number from 0 to 25" if images == "letters" else "a number from 0 to 9"
        raise UsageError(f"'normal' of {images} must be {allowed}; got {normal!r}")
    if number not in (there := list(present)):
        raise UsageError(
            f"'normal' of {images} is {normal!r}, and the copy on this machine holds none of it: "
            f"it has {', '.join(names[other] for other in there)}"
        )
    return number


def _pools(
    labels: NDArray[np.integer], in_train_part: NDArray[np.bool_], rng: np.random.Generator
) -> dict[int, tuple[Rows, Rows]]:
    """Return each class's rows for training and for testing, in random order.

    Where a copy lacks one of its parts, the other is divided as the official sizes are.
    """
    pools = {}
    for label in np.unique(labels).tolist():
        rows = rng.permutation(np.flatnonzero(labels == label))
        train, test = rows[in_train_part[rows]], rows[~in_train_part[rows]]
        if not (len(train) and len(test)):
            train, test = np.split(rows, [round(_TRAIN_PART * len(rows))])
        pools[label] = train, test
    return pools


def _deal(images: str, pools: Iterable[Rows], n: int, rng: np.random.Generator) -> Rows:
    """Return ``n`` rows taken from the pools in turn, so that none gives two more than another that has more."""
    pools = list(pools)
    rounds = np.concatenate([np.arange(len(pool)) for pool in (*pools, np.empty(0))])
    if n > len(rounds):
        raise UsageError(f"{images}: {n:,} impurities are asked for, and only {len(rounds):,} images are there")
    order = np.lexsort((rng.random(len(rounds)), rounds))[:n]
    return np.concatenate(pools)[order]
