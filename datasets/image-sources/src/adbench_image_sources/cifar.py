"""CIFAR-10 from whichever form of it is here: the official batches, class folders of pictures, or a stand-in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from adbench import Finder, Found
from adbench_image_sources import cifar_batches, cifar_folders, photographs
from adbench_image_sources.cifar_classes import CLASSES
from adbench_image_sources.images import Images, Source, damaged

N_TRAIN, N_TEST = 5_000, 1_000  # of each class

_HOW = "for the official one put cifar-10-python.tar.gz into cifar10/ of the data folder (--data-dir or ADBENCH_DATA)"
_HELD_OUT = "without test_batch the last sixth of each class for testing"
_READ = {
    cifar_batches.FORM: cifar_batches.read,
    cifar_folders.FORM: cifar_folders.read,
    photographs.FORM: photographs.read,
}


@dataclass(frozen=True)
class Cifar10(Source):
    """CIFAR-10: 32 x 32 colour images of ten classes.

    Complete beats exact: a complete set of official batches comes first, then class folders of PNG or JPEG
    pictures, then official batches of which some are missing, last the stand-in. A benchmark needs the test
    images, which a partial copy often has not. Who wants the partial copy gives a data folder without the pictures.
    """

    title: str = "CIFAR-10"

    def locate(self, finder: Finder) -> Found:
        """Look for the forms in the order above. A partial copy's variant stays ``partial`` until it is read."""
        batches = cifar_batches.find(finder)
        if batches and not batches.variant:
            return replace(batches, note="CIFAR-10: the official batches.")
        if pictures := cifar_folders.find(finder):
            beside = f" The partial {batches.files[0].name} beside them is not used." if batches else ""
            return replace(pictures, note=f"CIFAR-10: {pictures.note}; {_HOW}.{beside}")
        if batches:
            return replace(batches, note=f"CIFAR-10: part of the official batches, {_HELD_OUT}; {_HOW}.")
        found = photographs.find()
        return replace(found, note=f"CIFAR-10: {found.note} ({_pairs()}); {_HOW}.")

    def load(self, found: Found) -> Images:
        """Decode what was found.

        Where there are no test images (or no others), the last sixth of each class, in the order of the
        files, is for testing: the shares of the official set.

        Raises
        ------
        DatasetError
            One line: the file, what was expected, what was found.
        """
        images = _in_two_parts(_READ[found.details["form"]](found))
        for part, labels in (("training", images.train_labels), ("test", images.test_labels)):
            if missing := [CLASSES[k] for k in np.flatnonzero(_counts(labels) == 0)]:
                where = Path(found.details.get("root", found.files[0]))
                expected = "images of all ten classes for training and for testing"
                raise damaged(where, expected, f"no {part} image of {', '.join(missing)}")
        return images

    def describe(self, found: Found, images: Images) -> Found:
        """Return what was found with the variant that the number of images calls for.

        ``4000rows`` for part of the official batches; ``jpeg``, or ``jpeg-600rows`` if incomplete.
        """
        form = found.details["form"]
        if form == photographs.FORM:
            return found
        n_rows = len(images.train) + len(images.test)
        complete = np.all(_counts(images.train_labels) == N_TRAIN) and np.all(_counts(images.test_labels) == N_TEST)
        kind = "" if form == cifar_batches.FORM else found.variant
        if complete:
            return replace(found, variant=kind)
        told = f"{found.note} Here: {len(images.train):,} training and {len(images.test):,} test images."
        return replace(found, variant="-".join(filter(None, (kind, f"{n_rows}rows"))), note=told)


def _in_two_parts(images: Images) -> Images:
    """Return the images with some for testing, taken from the end of each class if one part is empty."""
    if len(images.train) and len(images.test):
        return images
    pool, labels = (images.train, images.train_labels) if len(images.train) else (images.test, images.test_labels)
    is_test = np.zeros(len(labels), dtype=bool)
    for k in range(len(CLASSES)):
        rows = np.flatnonzero(labels == k)
        is_test[rows[len(rows) * N_TRAIN // (N_TRAIN + N_TEST) :]] = True
    return Images(pool[~is_test], labels[~is_test], pool[is_test], labels[is_test])


def _counts(labels: NDArray[np.uint8]) -> NDArray[np.intp]:
    return np.bincount(labels, minlength=len(CLASSES))


def _pairs() -> str:
    names = zip(CLASSES, photographs.NAMES, strict=True)
    return ", ".join(f"'{label}' is {name}" for label, name in names)


CIFAR10 = Cifar10()
