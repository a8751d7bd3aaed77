"""Out-of-distribution suites: one set of images is normal, and many test sets each bring other anomalies."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from adbench_image_sources import parts
from adbench_image_sources.cifar import CIFAR10
from adbench_image_sources.drawing import draw, to_unit
from adbench_image_sources.emnist import EMNIST_LETTERS
from adbench_image_sources.idx_sets import FASHION, KMNIST, MNIST, STAND_IN
from adbench_image_sources.images import Images
from adbench_image_sources.letters import rendered_letters
from numpy.typing import NDArray

from adbench import Attack, DataMissing, Finder, Found, Split, TestSet, UnknownName
from adbench_image_pairs import other_sets


def _letters(found: Found) -> NDArray[np.uint8]:
    if found.variant == STAND_IN:  # without the training letters, which take most of the time to draw
        return rendered_letters(n_train=0, n_test=2_600).test
    return EMNIST_LETTERS.load(found).test


_NORMAL = {"mnist": MNIST, "fashion": FASHION, "cifar10": CIFAR10}
# What finds a set, and what reads its test images. The order is part of the row ids.
_OTHERS: dict[str, tuple[Any, Callable[[Found], NDArray[np.uint8]]]] = {
    "mnist": (MNIST, lambda found: MNIST.load(found).test),
    "fashion": (FASHION, lambda found: FASHION.load(found).test),
    "letters": (EMNIST_LETTERS, _letters),
    "kmnist": (KMNIST, lambda found: KMNIST.load(found).test),
    "notmnist": (other_sets.NOTMNIST, other_sets.NOTMNIST.load),
    "omniglot": (other_sets.OMNIGLOT, other_sets.OMNIGLOT.load),
    "svhn": (other_sets.SVHN, other_sets.SVHN.load),
    "cifar100": (other_sets.CIFAR100, other_sets.CIFAR100.load),
}
_GREY = ("mnist", "fashion", "letters", "kmnist", "notmnist", "omniglot")
_BESIDE = {"mnist": _GREY, "fashion": _GREY, "cifar10": ("mnist", "fashion", "svhn", "cifar100")}

# Row ids: the millions tell where a row comes from, the rest its number there; a row that is made of a
# normal test image has that image's number. So an id means the same in every variant.
PART = 1_000_000
NORMAL_TEST = 1 * PART  # training images are numbered from 0
OTHER = {name: (10 + number) * PART for number, name in enumerate(_OTHERS)}
MADE, CORRUPTED, PERTURBED = 100 * PART, 1_000 * PART, 2_000 * PART

_KINDS = ("suite", "published-suite", "corruptions", "perturbations")

Tests = dict[str, TestSet]
Rows = tuple[NDArray[np.float32], NDArray[np.int64]]


@dataclass(frozen=True)
class OutOfDistribution:
    """Images of one set are normal; what is found of other sets, and what is made, are anomalies.

    Parameters
    ----------
    normal
        ``mnist``, ``fashion`` or ``cifar10``.
    """

    normal: str

    def locate(self, finder: Finder) -> Found:
        """Look for the normal set, or its stand-in, and for each other set, some of which have none."""
        others = {}
        for name in _BESIDE[self.normal]:
            if name != self.normal:
                with contextlib.suppress(DataMissing):
                    others[name] = _OTHERS[name][0].locate(finder)
        return parts.join({self.normal: _NORMAL[self.normal].locate(finder), "others": parts.join(others)})

    def load(self, found: Found) -> dict[str, NDArray[np.uint8]]:
        """Decode the normal set (``train``, ``test`` and their labels) and each other set's test images (``other_*``).

        All have the normal set's size: grey images get a black rim and three equal channels beside CIFAR-10.
        """
        located = parts.split(found)
        images = _NORMAL[self.normal].load(located[self.normal])
        arrays = vars(images).copy()
        for name, part in parts.split(located["others"]).items():
            arrays[f"other_{name}"] = _fitted(_OTHERS[name][1](part), images.test.shape[1:])
        return arrays

    def describe(self, found: Found, arrays: Mapping[str, NDArray[np.uint8]]) -> Found:
        """Name the variant by what is there: how many images a copy of CIFAR-10 holds is known only now."""
        if self.normal != "cifar10":
            return found
        located = parts.split(found)
        images = Images(**{name: array for name, array in arrays.items() if not name.startswith("other_")})
        described = CIFAR10.describe(located["cifar10"], images)
        joined = parts.join(located | {"cifar10": described})
        return replace(found, variant=joined.variant, note=f"{found.note} {described.note}".strip())

    def split(
        self,
        arrays: Mapping[str, NDArray[np.uint8]],
        *,
        seed: int,
        repetition: int,
        anomalies: str,
        n_train: int | None = None,
        n_test: int | None = None,
        n_sequences: int | None = None,
    ) -> Split:
        """Train on the normal set's training images; each test set holds its test images and other anomalies.

        Parameters
        ----------
        arrays, seed, repetition
            As for every dataset; the seed alone draws the rows, and what is made of them.
        anomalies
            ``suite``, ``published-suite``, ``corruptions`` or ``perturbations``.
        n_train, n_test
            Training images, and normal images in each test set; None, or more than there are: all of them.
        n_sequences
            With ``perturbations``, how many of the normal images to make sequences of.
        """
        if anomalies not in _KINDS:
            raise UnknownName("kind of anomalies", anomalies, _KINDS)
        rng = np.random.default_rng(seed)
        train = draw(np.arange(len(arrays["train"])), n_train, rng)
        test = np.arange(len(arrays["test"]))
        test = test[:n_test] if anomalies == "published-suite" else draw(test, n_test, rng)
        normals = to_unit(arrays["test"][test]), test
        match anomalies:
            case "suite":
                tests = _others(arrays, normals, seed, first=False) | _suite(normals, seed, published=False)
            case "published-suite":
                tests = _others(arrays, normals, seed, first=True) | _suite(normals, seed, published=True)
            case "corruptions":
                tests = _corruptions(normals, seed)
            case "perturbations":
                tests = _perturbations(normals, seed, n_sequences)
        return Split(X_train=to_unit(arrays["train"][train]), train_ids=train, tests=tests)


def _others(arrays: Mapping[str, NDArray[np.uint8]], normals: Rows, seed: int, *, first: bool) -> Tests:
    """Return a test set for each other set: its first images, or random ones."""
    tests = {}
    for name in _OTHERS:
        if (images := arrays.get(f"other_{name}")) is not None:
            n = min(len(normals[0]), len(images))
            rows = np.arange(n) if first else draw(np.arange(len(images)), n, _rng(seed, name))
            some = normals[0][:n], normals[1][:n]
            tests[name] = _mixed(some, (to_unit(images[rows]), OTHER[name] + rows), _rng(seed, name, 1))
    return tests


def _suite(normals: Rows, seed: int, *, published: bool) -> Tests:
    from adbench_image_pairs import suite

    tests = {}
    for number, (name, made) in enumerate(suite.MADE.items()):
        if name not in (suite.PUBLISHED if published else suite.SUITE):
            continue
        images, rows = normals
        X = np.ascontiguousarray(made.make(images, _rng(seed, name)), dtype=np.float32)
        attack = Attack(suite.EPSILON, made.direction, made.clip) if made.direction else None
        if attack and made.at_images:
            attack = replace(attack, at=images)
        tests[name] = _mixed(normals, (X, MADE + number * PART + rows), _rng(seed, name, 1), attack)
    return tests


def _corruptions(normals: Rows, seed: int) -> Tests:
    from adbench_image_pairs.corruptions import KINDS, SEVERITIES, corrupt

    tests = {}
    for number, kind in enumerate(KINDS):
        for severity in SEVERITIES:
            name = f"{kind}-{severity}"
            X = corrupt(normals[0], kind, severity, _rng(seed, name))
            ids = CORRUPTED + (10 * number + severity) * PART + normals[1]
            tests[name] = _mixed(normals, (X, ids), _rng(seed, name, 1))
    return tests


def _perturbations(normals: Rows, seed: int, n_sequences: int | None) -> Tests:
    from adbench_image_pairs.perturbations import KINDS, N_STEPS, perturb

    images, rows = normals[0][:n_sequences], normals[1][:n_sequences]
    tests = {}
    for number, kind in enumerate(KINDS):
        X = perturb(images, kind, _rng(seed, kind))
        ids = PERTURBED + (100 * number + np.arange(N_STEPS)) * PART + rows[:, np.newaxis]  # (n, steps)
        tests[kind] = _mixed(normals, (X.reshape(-1, *X.shape[2:]), ids.ravel()), _rng(seed, kind, 1))
    return tests


def _mixed(normals: Rows, anomalies: Rows, rng: np.random.Generator, attack: Attack | None = None) -> TestSet:
    """Return both in random order, so that a row's place does not tell its class."""
    n = len(normals[0])
    order = rng.permutation(n + len(anomalies[0]))
    if attack and attack.at is not None:
        attack = replace(attack, at=attack.at[order[order >= n] - n])
    return TestSet(
        X=np.concatenate([normals[0], anomalies[0]])[order],
        y=(order >= n).astype(np.uint8),
        row_ids=np.concatenate([NORMAL_TEST + normals[1], anomalies[1]])[order],
        attack=attack,
    )


def _rng(seed: int, name: str, purpose: int = 0) -> np.random.Generator:
    """Return a generator for one test set, so that its rows do not depend on which others there are."""
    return np.random.default_rng([seed, zlib.crc32(name.encode()), purpose])


def _fitted(images: NDArray[np.uint8], shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Return images of the wanted size: with a black rim, and the grey channel thrice, where they are smaller."""
    if images.shape[1:] == shape:
        return images
    height, width = ((to - of) // 2 for to, of in zip(shape[:2], images.shape[1:3], strict=True))
    padded = np.pad(images, ((0, 0), (height, height), (width, width), (0, 0)))
    return np.repeat(padded, shape[2], axis=3)
