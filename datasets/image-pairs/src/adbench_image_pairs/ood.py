"""Out-of-distribution suites: one set of images is normal, and many test sets each bring other anomalies."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np
from adbench_image_sources import parts
from adbench_image_sources.cifar import CIFAR10
from adbench_image_sources.drawing import Rows, check_sizes, draw, mixed, to_unit
from adbench_image_sources.emnist import EMNIST_LETTERS
from adbench_image_sources.idx_sets import FASHION, KMNIST, MNIST
from adbench_image_sources.images import Images, OtherSource, Source
from numpy.typing import NDArray

from adbench import Attack, DataMissing, Finder, Found, Split, TestSet
from adbench_image_pairs import other_sets

_NORMAL: Mapping[str, Source] = {"mnist": MNIST, "fashion": FASHION, "cifar10": CIFAR10}
# The order is part of the row ids.
_OTHERS: Mapping[str, OtherSource] = {
    "mnist": MNIST,
    "fashion": FASHION,
    "letters": EMNIST_LETTERS,
    "kmnist": KMNIST,
    "notmnist": other_sets.NOTMNIST,
    "omniglot": other_sets.OMNIGLOT,
    "svhn": other_sets.SVHN,
    "cifar100": other_sets.CIFAR100,
}
_GREY = ("mnist", "fashion", "letters", "kmnist", "notmnist", "omniglot")
_BESIDE = {"mnist": _GREY, "fashion": _GREY, "cifar10": ("mnist", "fashion", "svhn", "cifar100")}

# Row ids: the millions tell where a row comes from, the rest its number there; a row that is made of a
# normal test image has that image's number. So an id means the same in every variant.
PART = 1_000_000
NORMAL_TEST = 1 * PART  # training images are numbered from 0
OTHER = {name: (10 + number) * PART for number, name in enumerate(_OTHERS)}
MADE, CORRUPTED, PERTURBED = 100 * PART, 1_000 * PART, 2_000 * PART

Arrays = Mapping[str, NDArray[np.uint8]]
Tests = dict[str, TestSet]
Anomalies = Literal["suite", "suite-published", "corruptions", "perturbations"]


@dataclass(frozen=True)
class OutOfDistribution:
    """Images of one set are normal; what is found of other sets, and what is made, are anomalies.

    Parameters
    ----------
    normal
        ``mnist``, ``fashion`` or ``cifar10``.
    """

    normal: Literal["mnist", "fashion", "cifar10"]

    def locate(self, finder: Finder) -> Found:
        """Look for the normal set, or its stand-in, and for each other set, some of which have none."""
        others, absent = {}, []
        for name in _BESIDE[self.normal]:
            if name != self.normal:
                try:
                    others[name] = _OTHERS[name].locate(finder)
                except DataMissing:
                    absent.append(_OTHERS[name].title)
        joined = parts.join(others)
        if absent:  # the suite's mean is over other test sets then
            joined = replace(joined, note=f"{joined.note} Without {', '.join(absent)}, which are not here.".strip())
        return parts.join({self.normal: _NORMAL[self.normal].locate(finder), "others": joined})

    def load(self, found: Found) -> dict[str, NDArray[np.uint8]]:
        """Decode the normal set (``train``, ``test`` and their labels) and each other set's test images (``other_*``).

        All have the normal set's size: grey images get a black rim and three equal channels beside CIFAR-10.
        """
        located = parts.split(found)
        images = _NORMAL[self.normal].load(located[self.normal])
        arrays = vars(images).copy()
        for name, part in parts.split(located["others"]).items():
            arrays[f"other_{name}"] = _fitted(_OTHERS[name].load_test(part), images.test.shape[1:])
        return arrays

    def describe(self, found: Found, arrays: Arrays) -> Found:
        """Name the variant by what is there: how many images a copy of CIFAR-10 holds is known only now."""
        located = parts.split(found)
        images = Images(**{name: array for name, array in arrays.items() if not name.startswith("other_")})
        described = _NORMAL[self.normal].describe(located[self.normal], images)
        return parts.join(located | {self.normal: described})

    def split(
        self,
        arrays: Arrays,
        *,
        seed: int,
        repetition: int,
        anomalies: Anomalies,
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
            ``suite``, ``suite-published``, ``corruptions`` or ``perturbations``.
        n_train, n_test
            Training images, and normal images in each test set; None, or more than there are: all of them.
        n_sequences
            With ``perturbations``, how many of the normal images to make sequences of.
        """
        check_sizes(n_train=n_train, n_test=n_test, n_sequences=n_sequences)
        rng = np.random.default_rng(seed)
        train = draw(np.arange(len(arrays["train"])), n_train, rng)
        test = np.arange(len(arrays["test"]))
        test = test[:n_test] if anomalies == "suite-published" else draw(test, n_test, rng)
        normals = to_unit(arrays["test"][test]), NORMAL_TEST + test
        tests = _TESTS[anomalies](arrays, normals, seed, n_sequences)
        return Split(X_train=to_unit(arrays["train"][train]), train_ids=train, tests=tests)


def _suite(arrays: Arrays, normals: Rows, seed: int, _: int | None, *, published: bool) -> Tests:
    return _others(arrays, normals, seed, first=published) | _made(normals, seed, published=published)


def _others(arrays: Arrays, normals: Rows, seed: int, *, first: bool) -> Tests:
    """Return a test set for each other set: its first images, or random ones."""
    tests = {}
    for name in _OTHERS:
        if (images := arrays.get(f"other_{name}")) is not None:
            n = min(len(normals[0]), len(images))
            rows = np.arange(n) if first else draw(np.arange(len(images)), n, _rng(seed, name))
            some = normals[0][:n], normals[1][:n]
            tests[name] = mixed(some, (to_unit(images[rows]), OTHER[name] + rows), _rng(seed, name, 1))
    return tests


def _made(normals: Rows, seed: int, *, published: bool) -> Tests:
    from adbench_image_pairs import suite

    images, ids = normals
    tests = {}
    for number, (name, made) in enumerate(suite.MADE.items()):
        if name not in (suite.PUBLISHED if published else suite.SUITE):
            continue
        X = np.ascontiguousarray(made.make(images, _rng(seed, name)), dtype=np.float32)
        attack = Attack(suite.EPSILON, made.direction, made.clip) if made.direction else None
        if attack and made.at_images:
            attack = replace(attack, at=images)
        tests[name] = mixed(normals, (X, MADE + number * PART + ids % PART), _rng(seed, name, 1), attack)
    return tests


def _corruptions(_: Arrays, normals: Rows, seed: int, __: int | None) -> Tests:
    from adbench_image_pairs.corruptions import KINDS, SEVERITIES, corrupt

    tests = {}
    for number, kind in enumerate(KINDS):
        for severity in SEVERITIES:
            name = f"{kind}-{severity}"
            X = corrupt(normals[0], kind, severity, _rng(seed, name))
            ids = CORRUPTED + (10 * number + severity) * PART + normals[1] % PART
            tests[name] = mixed(normals, (X, ids), _rng(seed, name, 1))
    return tests


def _perturbations(_: Arrays, normals: Rows, seed: int, n_sequences: int | None) -> Tests:
    from adbench_image_pairs.perturbations import KINDS, N_STEPS, perturb

    images, rows = normals[0][:n_sequences], normals[1][:n_sequences, np.newaxis] % PART
    tests = {}
    for number, kind in enumerate(KINDS):
        X = perturb(images, kind, _rng(seed, kind))
        ids = PERTURBED + (100 * number + np.arange(N_STEPS)) * PART + rows  # (n, steps)
        tests[kind] = mixed(normals, (X.reshape(-1, *X.shape[2:]), ids.ravel()), _rng(seed, kind, 1))
    return tests


_TESTS: Mapping[Anomalies, Callable[[Arrays, Rows, int, int | None], Tests]] = {
    "suite": partial(_suite, published=False),
    "suite-published": partial(_suite, published=True),
    "corruptions": _corruptions,
    "perturbations": _perturbations,
}


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
