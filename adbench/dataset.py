"""What a dataset is: where its files are, how they decode, and how rows are split.

The three steps are apart so that the harness can do each once: ``locate`` looks at names only,
``load`` decodes (the result is fingerprinted and kept as memory-mapped arrays), ``split`` picks rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from adbench.finder import Finder

    Arrays = Mapping[str, NDArray[Any]]


STAND_IN = "standin"
"""Variant of what is made where the real data are not: its images may be shown to anybody."""


@dataclass(frozen=True)
class Found:
    """What a dataset found on this machine.

    Parameters
    ----------
    variant
        Empty for the complete official data; else a short name of what was found instead, such as
        ``standin`` or ``10000rows``. Tables show ``dataset@variant``.
    files
        The files ``load`` will read. Decoded arrays are reused until their sizes or times change.
    note
        For a reader: what this is, and what to do to get the real thing.
    details
        Plain values that ``locate`` hands to ``load``, such as which of several parts is a stand-in.
    """

    variant: str = ""
    files: tuple[Path, ...] = ()
    note: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Attack:
    """How the harness turns rows into adversarial ones, inside the trial, by the detector's own gradient.

    One step of the fast gradient sign method: ``x + direction * epsilon * sign(g(at))``, where ``g`` is the
    gradient of the headline score by its input. A test set with an attack stands in the tables of
    detectors that have ``input_gradient``, and is never ranked: only those who offer it are attacked.

    Parameters
    ----------
    epsilon
        The step, in units of the input.
    direction
        -1 lowers the anomaly score (an anomaly that hides), +1 raises it.
    clip
        Whether the result is kept in [0, 1].
    at : ndarray, optional
        Where the gradient is taken, one row for each attacked row; None: at the row itself.

    References
    ----------
    Goodfellow, Shlens and Szegedy (2015), Explaining and harnessing adversarial examples, section 4.
    """

    epsilon: float
    direction: int = -1
    clip: bool = True
    at: NDArray[np.floating[Any]] | None = None


@dataclass(frozen=True)
class TestSet:
    """Rows to score. ``y``: 1 = anomaly, 0 = normal. ``row_ids``: each row's index in the dataset.

    With an ``attack``, the rows with ``y == 1`` are what the attack starts from.
    """

    __test__ = False  # not a test class, whatever pytest makes of the name

    X: NDArray[np.floating[Any]]
    y: NDArray[np.integer[Any]]
    row_ids: NDArray[np.integer[Any]]
    attack: Attack | None = None


@dataclass(frozen=True)
class Split:
    """What one repetition of a task gives: training rows and one or more test sets.

    Parameters
    ----------
    X_train : ndarray
        Images float32 ``(n, height, width, channels)`` in [0, 1]; tables float64 ``(n, n_features)``.
    train_ids : ndarray of shape (n,)
        Each training row's index in the dataset.
    tests : mapping of str to TestSet
        Mostly one, named ``test``. Where a test set *is* the training set, give the same ``X`` object.
    y_train : ndarray of shape (n,), optional
        Labels, for supervised tasks only.
    contamination : float, optional
        The stated share of anomalies among the training rows, in ``outlier`` tasks.
    """

    X_train: NDArray[np.floating[Any]]
    train_ids: NDArray[np.integer[Any]]
    tests: Mapping[str, TestSet] = field(default_factory=dict)
    y_train: NDArray[np.integer[Any]] | None = None
    contamination: float | None = None


@runtime_checkable
class Describes(Protocol):
    """A dataset that knows its variant only once it has decoded its files, such as how many rows they hold."""

    def describe(self, found: Found, arrays: Arrays) -> Found:
        """Return ``found`` with the variant and note that the decoded arrays call for.

        Called once, after ``load``; what it says is kept with the arrays.
        """
        ...


@runtime_checkable
class Dataset(Protocol):
    """A dataset plugin: usually a plain dataclass, its fields given by the spec's ``params``."""

    def locate(self, finder: Finder) -> Found:
        """Say what is on this machine, by file names only: cheap, called at every run.

        Raises
        ------
        DataMissing
            If there is nothing and no stand-in; the text says what to do.
        """
        ...

    def load(self, found: Found) -> Arrays:
        """Decode the files into named arrays, for instance ``X`` and ``y``.

        Called once per state of the files, in a process of its own; the arrays' fingerprint becomes
        part of every trial's identity.

        Raises
        ------
        DatasetError
            One line: the file, what was expected, what was found.
        """
        ...

    def split(self, arrays: Arrays, *, seed: int, repetition: int, **params: Any) -> Split:
        """Make one repetition's rows: a pure function of its arguments.

        Parameters
        ----------
        arrays
            As ``load`` gave them, memory-mapped and read-only.
        seed
            In [0, 2**31): drawn from the root seed, the task and the repetition.
        repetition
            0, 1, 2 ...: for published protocols that number their seeds this way.
        **params
            The task's ``params`` and the profile's ``sizes``.
        """
        ...
