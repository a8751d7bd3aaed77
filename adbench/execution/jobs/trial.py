"""The job of a trial: make the detector, fit, score, and tell honestly how it went."""

from __future__ import annotations

import random
import time
import traceback
from collections.abc import Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adbench import tracking
from adbench.detector import HasInputGradient, HasTrainScores
from adbench.errors import SkipTrial, one_line
from adbench.execution import frames
from adbench.execution.host import resolve
from adbench.execution.jobs import arrays, attacks, extras
from adbench.execution.jobs.judging import InvalidScores, judge
from adbench.execution.limits import PeakMemory

ARRAYS = "arrays.npz"
_TOLD_EVERY_SECONDS = 0.1


def run(
    detector: dict[str, Any], split: str, seed: int, workdir: Path, progress: int | None, **_: Any
) -> dict[str, Any]:
    """Run one trial.

    Parameters
    ----------
    detector
        The spec's fields, with resolved ``params``.
    split
        Folder with the rows, as :func:`adbench.execution.jobs.data.split` left it.
    seed
        Given to ``fit``.
    workdir
        Where the arrays go: ``scores/TEST/SCORE``, ``train_scores/SCORE``, ``curve/NAME`` and extras.
    progress
        File descriptor for progress frames, or None.

    Returns
    -------
    dict
        ``status``, ``reason``, ``notes``, ``installed``, ``peak_mb`` and ``warmup_seconds``,
        ``fit_seconds``, ``train_score_seconds``, ``score_seconds`` as far as it came.
    """
    session = _Session(detector, Path(split), seed, _Curve(progress))
    with _listening(session.curve), _global_seeds(seed):
        try:
            session.run()
        except SkipTrial as skip:
            session.end("skipped", str(skip))
        except MemoryError as error:
            session.end("memory", f"an allocation failed: {error}".rstrip(": "))
        # The one place where whatever a plugin raises becomes an outcome.
        except Exception as error:  # noqa: BLE001
            traceback.print_exc()
            session.end(*judge(error))
    np.savez(workdir / ARRAYS, allow_pickle=False, **(session.arrays | session.curve.arrays()))
    return session.outcome


def read_arrays(workdir: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays that :func:`run` left.

    Raises
    ------
    ValueError
        If they are missing or damaged: something else wrote into the folder.
    """
    try:
        with (workdir / ARRAYS).open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return dict(arrays)
    except Exception as error:
        raise ValueError(f"the trial's arrays cannot be read: {type(error).__name__}: {error}") from error


@dataclass
class _Session:
    """A trial under way: what is known if it ends here."""

    detector: dict[str, Any]
    split: Path
    seed: int
    curve: _Curve
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    attacked: dict[str, NDArray[Any]] = field(default_factory=dict)
    outcome: dict[str, Any] = field(
        default_factory=lambda: {"status": "ok", "reason": "", "notes": [], "installed": True}
    )

    def run(self) -> None:
        facts = arrays.read_facts(self.split)
        X_train = self._rows("X_train")
        labels = [arrays.read(self.split / "y_train.npy")] if self.detector["supervision"] == "labels" else []
        peak = PeakMemory()
        try:
            with self._timed("warmup_seconds"):
                detector = self._make()
            with self._timed("fit_seconds"):
                detector.fit(X_train, *labels, seed=self.seed)
            del X_train  # a detector that changed it must not be scored on what it made of it
            train_scores = self._train_scores(detector, self._rows("X_train"))
            scores = self._score_tests(detector, facts, train_scores)
        finally:
            self.outcome["peak_mb"] = peak.mb()
        for score in self.detector["scores"]:
            self.arrays[f"train_scores/{score}"] = train_scores[score]
        tests = [test for test in facts["tests"] if test["name"] in scores]
        self.outcome["notes"] = extras.gather(self.arrays, detector, scores, self._test_rows, tests)

    def end(self, status: str, reason: str) -> None:
        """Take note of a trial that is not ok; its scores are not kept."""
        self.arrays = {}
        self.outcome |= {"status": status, "reason": one_line(reason)}

    def _make(self) -> Any:
        try:
            make = resolve(self.detector["target"])
        except ImportError as error:
            if needs := self.detector["needs"]:
                self.outcome["installed"] = False
                raise SkipTrial(f"cannot be imported ({error}): pip install {needs!r}") from error
            raise
        return make(**self.detector["params"])

    def _score_tests(
        self, detector: Any, facts: Mapping[str, Any], train_scores: Mapping[str, NDArray[Any]]
    ) -> dict[str, Mapping[str, NDArray[Any]]]:
        scores: dict[str, Mapping[str, NDArray[Any]]] = {}
        self.outcome["score_seconds"] = 0.0
        for test in facts["tests"]:
            if "attack" in test:
                if not isinstance(detector, HasInputGradient):
                    continue  # only who offers a gradient can be attacked: such test sets are never ranked
                with self._timed("attack_seconds"):
                    self.attacked[test["name"]] = self._attack(detector, test)
            if test["is_train"]:
                # Scoring the training rows anew would count each row as its own neighbour.
                by_name = train_scores
                self.outcome["score_seconds"] += self.outcome["train_score_seconds"]
            else:
                X = self._test_rows(test)
                with self._timed("score_seconds"):
                    raw = detector.score(X)
                del X  # as above
                by_name = self._checked(raw, test["rows"], f"test set {test['name']!r}")
            self._refuse_constant(by_name, test["name"])
            scores[test["name"]] = by_name
            self.arrays |= {f"scores/{test['name']}/{score}": values for score, values in by_name.items()}
        return scores

    def _train_scores(self, detector: Any, X_train: NDArray[Any]) -> dict[str, NDArray[Any]]:
        with self._timed("train_score_seconds"):
            raw = detector.train_scores() if isinstance(detector, HasTrainScores) else detector.score(X_train)
        return self._checked(raw, len(X_train), "training rows")

    def _checked(self, raw: Any, n_samples: int, where: str) -> dict[str, NDArray[Any]]:
        """Return scores by name, or raise InvalidScores: wrong names, shape, type, NaN or infinite."""
        declared = tuple(self.detector["scores"])
        by_name = dict(raw) if isinstance(raw, Mapping) else {declared[0]: raw}
        if set(by_name) != set(declared):
            raise InvalidScores(f"{where}: expected the scores {', '.join(declared)}; got {', '.join(by_name)}")
        for name, value in by_name.items():
            if isinstance(value, np.ma.MaskedArray):
                raise InvalidScores(f"{where}: {name!r} is a masked array; give a number for each row")
            scores = np.asarray(value)
            if scores.shape != (n_samples,):
                raise InvalidScores(f"{where}: {name!r} must have shape ({n_samples},); got {scores.shape}")
            if scores.dtype.kind not in "biuf":
                raise InvalidScores(f"{where}: {name!r} must be real numbers; got dtype {scores.dtype}")
            if bad := int(np.count_nonzero(~np.isfinite(scores))):
                raise InvalidScores(f"{where}: {name!r} is NaN or infinite for {bad} of {n_samples} rows")
            by_name[name] = scores.astype(np.float32 if scores.dtype == np.float32 else np.float64)
        return by_name

    def _refuse_constant(self, by_name: Mapping[str, NDArray[Any]], test: str) -> None:
        for name, scores in by_name.items():
            if self.detector["role"] != "floor" and scores.min() == scores.max():
                raise InvalidScores(f"test set {test!r}: {name!r} is the same for all {len(scores)} rows")

    def _attack(self, detector: Any, test: Mapping[str, Any]) -> NDArray[Any]:
        number = test["number"]
        attacked = arrays.read(self.split / f"attacked_{number}.npy")
        at = self._rows(f"at_{number}") if (self.split / f"at_{number}.npy").exists() else None
        return attacks.apply(detector, self._rows(f"X_{number}"), attacked, at, **test["attack"])

    def _test_rows(self, test: Mapping[str, Any]) -> NDArray[Any]:
        """Return a test set's rows, always as they were made: a detector may have changed what it was given."""
        if test["name"] in self.attacked:
            return self.attacked[test["name"]].copy()
        return self._rows("X_train" if test["is_train"] else f"X_{test['number']}")

    def _rows(self, name: str) -> NDArray[Any]:
        """Return rows as the detector takes them: images stay images if it accepts them."""
        X = arrays.read(self.split / f"{name}.npy", writable=True)
        return X if X.ndim == 2 or "image" in self.detector["accepts"] else X.reshape(len(X), -1)

    @contextmanager
    def _timed(self, name: str) -> Any:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.outcome[name] = self.outcome.get(name, 0.0) + time.perf_counter() - started


class _Curve:
    """Collects a trial's training curve and tells its progress, a few times a second at most."""

    def __init__(self, pipe: int | None) -> None:
        self._pipe = pipe
        self._told = 0.0
        self._points: list[tuple[int, dict[str, float]]] = []

    def progress(self, label: str, done: int, total: int | None) -> None:
        now = time.monotonic()
        if self._pipe is None or now - self._told < _TOLD_EVERY_SECONDS:
            return
        self._told = now
        # The host no longer listens to a child that has written garbage.
        with suppress(BrokenPipeError):
            frames.write(self._pipe, {"label": label[:200], "done": done, "total": total})

    def log(self, step: int, values: dict[str, float]) -> None:
        self._points.append((step, values))

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return ``curve/step`` and ``curve/NAME``, NaN where a step logged no such value."""
        if not self._points:
            return {}
        names = sorted({name for _, values in self._points for name in values})
        curves = {name: [values.get(name, np.nan) for _, values in self._points] for name in names}
        steps = {"curve/step": np.array([step for step, _ in self._points])}
        return steps | {f"curve/{name}": np.array(curve) for name, curve in curves.items()}


@contextmanager
def _listening(curve: _Curve) -> Any:
    tracking.set_listener(curve)
    try:
        yield
    finally:
        tracking.set_listener(None)


@contextmanager
def _global_seeds(seed: int) -> Any:
    """Fix Python's and NumPy's global streams, for detectors that draw from them against the contract."""
    python, numpy_state = random.getstate(), np.random.get_state()  # noqa: NPY002 - the legacy stream is meant
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy_state)  # noqa: NPY002
