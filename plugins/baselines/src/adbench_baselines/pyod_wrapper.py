"""Any detector of PyOD as an adbench detector, with PyOD's own defaults."""

from __future__ import annotations

import copy
import difflib
import importlib
import inspect
import io
import random
import re
import sys
from contextlib import contextmanager, nullcontext, redirect_stdout
from pathlib import Path

import numpy as np
import pyod.models

from adbench import PluginError, SkipTrial, UsageError, check_rows

# ``contamination`` moves only PyOD's own threshold, and randomness comes from the harness's seed.
_NOT_HYPERPARAMETERS = {"contamination", "random_state"}


class PyOD:
    """A detector of PyOD, chosen by its class name.

    Published tables are made with PyOD's default hyperparameters, so nothing is passed on but what
    is set here. A plain class rather than a dataclass: which hyperparameters there are depends on
    the detector.

    Parameters
    ----------
    detector
        Class name in ``pyod.models``, in any case: ``"KNN"``, ``"iforest"``. Must be given.
    feature_limit
        Rows with more features than this are not tried: the trial is skipped.
    **hyperparameters
        For the class's constructor.

    Raises
    ------
    UsageError
        If no detector is named, PyOD has none of that name, or the detector no such hyperparameter.
    PluginError
        If the detector needs a package that is not installed, cannot use the rows, fails in its own way,
        or gives scores that are no numbers.

    References
    ----------
    Zhao, Nasrullah & Li (2019). PyOD: a Python toolbox for scalable outlier detection. JMLR 20(96).

    Examples
    --------
    >>> import numpy as np
    >>> rows = np.arange(20.0).reshape(-1, 1)
    >>> PyOD("knn", n_neighbors=2).fit(rows, seed=0).score(np.array([[9.0], [30.0]]))
    array([ 1., 12.])
    """

    def __init__(self, detector: str = "", feature_limit: int | None = None, **hyperparameters) -> None:
        if not detector:
            raise UsageError(f"name PyOD's class: --set pyod.detector=CLASS; it has {', '.join(_MODULE_OF)}")
        self.detector = detector
        self.feature_limit = feature_limit
        self.hyperparameters = hyperparameters
        parameters = inspect.signature(_find(detector)).parameters
        known = [name for name in parameters if name not in _NOT_HYPERPARAMETERS]
        if wrong := [name for name in hyperparameters if name not in known]:
            raise UsageError(f"PyOD's {detector} has no hyperparameter {wrong[0]!r}; it has {', '.join(known)}")

    def fit(self, X, *, seed):
        """Fit the PyOD detector; what it prints is dropped."""
        check_rows(X, at_least=2)
        rows = _rows(X)
        if self.feature_limit is not None and rows.shape[1] > self.feature_limit:
            raise SkipTrial(f"{rows.shape[1]} features, above the feature_limit of {self.feature_limit}")
        make = _find(self.detector)
        given = {"random_state": seed, "n_features": rows.shape[1]}  # where the constructor has them
        filled = {name: value for name, value in given.items() if name in inspect.signature(make).parameters}
        self.seed_ = seed
        self.shape_ = X.shape[1:]
        with self._in_pyod("fit"):
            self.model_ = make(**(filled | self.hyperparameters)).fit(rows)
        return self

    def score(self, X):
        """Return PyOD's decision function, which is higher for outliers already."""
        check_rows(X, self.shape_)
        # On a shallow copy, since some detectors (ECOD, COPOD) keep the scored rows in themselves.
        model = copy.copy(self.model_)
        with self._in_pyod("score"):
            # Infinite ones (PCA's, where a direction has no variance) are passed on: the harness calls them invalid.
            return np.asarray(model.decision_function(_rows(X)), dtype=np.float64)

    def train_scores(self):
        """Return PyOD's ``decision_scores_``: a neighbour method leaves the row itself out."""
        return np.asarray(self.model_.decision_scores_, dtype=np.float64)

    def n_parameters(self):
        """Return how many parameters PyOD's network has; None for what is no network."""
        parameters = getattr(getattr(self.model_, "model_", None), "parameters", None)
        return sum(parameter.numel() for parameter in parameters()) if parameters else None

    @contextmanager
    def _in_pyod(self, doing):
        """Seed the streams PyOD draws from, drop what it prints, and name it in whatever it raises."""
        with _seeded(self.seed_), redirect_stdout(io.StringIO()):
            try:
                yield
            except MemoryError:
                raise  # a status of its own
            # Each of PyOD's detectors fails in its own way: ValueError, IndexError, LinAlgError, torch's errors ...
            except Exception as error:
                told = " ".join(f"{type(error).__name__}: {error}".split())
                raise PluginError(f"PyOD's {self.detector} cannot {doing} these rows: {told}") from error


def _rows(X):
    """Copy to writable float64: PyOD never sees the caller's array, and numba compiles for one type only."""
    return np.array(X, dtype=np.float64, order="C")


def _modules_by_class():
    """Map each detector's class name to its module, read from the sources: importing all takes seconds."""
    found = {}
    for path in sorted(Path(pyod.models.__path__[0]).glob("*.py")):
        if path.name.startswith(("base", "ts_", "pyg_")):  # ts: points of a series, pyg: nodes of a graph; no rows
            continue
        source = path.read_text(encoding="utf-8")
        for name in re.findall(r"^class (\w+)\(Base(?:DeepLearning)?Detector\)", source, flags=re.MULTILINE):
            found.setdefault(name, f"pyod.models.{path.stem}")
    return found


_MODULE_OF = _modules_by_class()


def _find(name):
    """Import the PyOD detector with this class name."""
    spelling = {known.lower(): known for known in _MODULE_OF}
    if name.lower() not in spelling:
        near = difflib.get_close_matches(name.lower(), spelling, n=3)
        hint = f"Did you mean {' or '.join(spelling[n] for n in near)}?" if near else f"It has {', '.join(_MODULE_OF)}."
        raise UsageError(f"PyOD has no detector named {name!r}. {hint}")
    class_name = spelling[name.lower()]
    try:
        with redirect_stdout(io.StringIO()):
            return getattr(importlib.import_module(_MODULE_OF[class_name]), class_name)
    except ImportError as error:
        raise PluginError(f"PyOD's {class_name} needs another package: {error}") from None


@contextmanager
def _seeded(seed):
    """Seed the global random streams, which many of PyOD's detectors draw from, and restore them."""
    numpy_state, python_state = np.random.get_state(), random.getstate()  # noqa: NPY002 - the stream to restore
    torch = sys.modules.get("torch")
    with torch.random.fork_rng(devices=[]) if torch else nullcontext():
        try:
            np.random.seed(seed)  # noqa: NPY002 - the stream PyOD uses
            random.seed(seed)
            if torch:
                torch.manual_seed(seed)
            yield
        finally:
            np.random.set_state(numpy_state)  # noqa: NPY002
            random.setstate(python_state)
