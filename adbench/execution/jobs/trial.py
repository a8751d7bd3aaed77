"""The job of a trial: make the detector, fit, score, and tell honestly how it went."""

from __future__ import annotations

import operator
import random
import time
import traceback
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adbench.detector import CountsParameters, HasInputGradient, HasTrainScores, Saves
from adbench.errors import SkipTrial, one_line
from adbench.execution.host import resolve
from adbench.execution.jobs import arrays, attacks, extras
from adbench.execution.jobs.hearing import NOTE_LENGTH, Hearing, listening
from adbench.execution.jobs.judging import InvalidScores, judge
from adbench.execution.jobs.saved import Fit, Model
from adbench.execution.limits import PeakMemory
from adbench.execution.models import Unusable

ARRAYS = "arrays.npz"


def run(
    detector: dict[str, Any],
    split: str,
    seed: int,
    workdir: Path,
    progress: int | None,
    model: dict[str, Any] | None = None,
    **_: Any,
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
    model
        Where its fitted model is or goes, as :meth:`adbench.execution.models.ModelDir.job_args` gives it.

    Returns
    -------
    dict
        ``status``, ``reason``, ``notes``, ``installed``, ``peak_mb`` and ``warmup_seconds``,
        ``fit_seconds``, ``train_score_seconds``, ``score_seconds``, ``parameters`` as far as it came; with a model
        ``load_seconds``, ``save_seconds``, and the ``versions`` that fitted it.
    """
    hearing = Hearing(progress)
    session = _Session(detector, Path(split), seed, hearing, Model(**model, workdir=workdir) if model else None)
    with listening(hearing), _global_seeds(seed):
        try:
            session.run()
        except SkipTrial as skip:
            session.end("skipped", str(skip))
        except Unusable as error:
            session.end("error", str(error))
        except MemoryError as error:
            session.end("memory", f"an allocation failed: {error}".rstrip(": "))
        # The one place where whatever a plugin raises becomes an outcome.
        except Exception as error:  # noqa: BLE001
            traceback.print_exc()
            session.end(*judge(error))
    np.savez(workdir / ARRAYS, allow_pickle=False, **(session.arrays | hearing.curve()))
    session.outcome["notes"] = session.notes()
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
    hearing: Hearing
    model: Model | None = None
    arrays: dict[str, NDArray[Any]] = field(default_factory=dict)
    attacked: dict[str, NDArray[Any]] = field(default_factory=dict)
    outcome: dict[str, Any] = field(
        default_factory=lambda: {"status": "ok", "reason": "", "notes": [], "installed": True}
    )
    failed_beside: list[str] = field(default_factory=list)
    """What failed without failing the trial."""

    def run(self) -> None:
        facts = arrays.read_facts(self.split)
        peak = PeakMemory()
        try:
            detector = self._fitted(peak)
            if isinstance(detector, CountsParameters):
                self.outcome["parameters"] = _whole_number(detector.n_parameters())
            train_scores = self._train_scores(detector, self._rows("X_train"))
            scores = self._score_tests(detector, facts, train_scores)
        finally:
            self.outcome["peak_mb"] = peak.mb()
        for score in self.detector["scores"]:
            self.arrays[f"train_scores/{score}"] = train_scores[score]
        tests = [test for test in facts["tests"] if test["name"] in scores]
        self.failed_beside += extras.gather(self.arrays, detector, scores, self._test_rows, tests)

    def end(self, status: str, reason: str) -> None:
        """Take note of a trial that is not ok; its scores are not kept."""
        self.arrays = {}
        self.outcome |= {"status": status, "reason": one_line(reason)}

    def notes(self) -> list[str]:
        """Return what a reader must know, each thing once."""
        notes = [*(self.model.notes if self.model else []), *self.hearing.notes, *self.failed_beside]
        return list(dict.fromkeys(one_line(note, NOTE_LENGTH) for note in notes))

    def _fitted(self, peak: PeakMemory) -> Any:
        """Return the detector: fitted, or with a model that an earlier fit left."""
        detector = self._make()
        if self.model:
            if self._load(self.model, detector):
                return detector
            if self.model.unusable:
                detector = self._make()
        self._fit(detector)
        if self.model and isinstance(detector, Saves):
            self._keep(self.model, detector, peak)
        return detector

    def _make(self) -> Any:
        with self._timed("warmup_seconds"):
            try:
                make = resolve(self.detector["target"])
            except ImportError as error:
                if needs := self.detector["needs"]:
                    self.outcome["installed"] = False
                    raise SkipTrial(f"cannot be imported ({error}): pip install {needs!r}") from error
                raise
            return make(**self.detector["params"])

    def _fit(self, detector: Any) -> None:
        # A detector that changes these rows is not scored on what it made of them.
        X_train = self._rows("X_train")
        labels = [arrays.read(self.split / "y_train.npy")] if self.detector["supervision"] == "labels" else []
        with self._timed("fit_seconds"):
            detector.fit(X_train, *labels, seed=self.seed)

    def _load(self, model: Model, detector: Any) -> bool:
        """Load a detector's model if there is one, and take over what is known of its fit."""
        with self._timed("load_seconds"):
            try:
                fit = model.load_into(detector)
            except SkipTrial:
                self.outcome["installed"] = False  # a later run may find a model, or make one
                raise
        if fit is None:
            return False
        self.outcome |= {"fit_seconds": fit.seconds, "versions": dict(fit.versions)}
        self.hearing.recall(fit.curve, fit.notes)
        return True

    def _keep(self, model: Model, detector: Any, peak: PeakMemory) -> None:
        fit = Fit(self.outcome["fit_seconds"], self.hearing.curve(), self.hearing.notes)
        try:
            with self._timed("save_seconds"), peak.apart():
                model.keep(detector, fit)
        # What saving comes to is no part of the trial: its scores stand.
        except Exception as error:  # noqa: BLE001
            traceback.print_exc()
            self.failed_beside.append(f"the fitted model was not saved to --model-dir: {model.told(error)}")

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


def _whole_number(value: Any) -> int | None:
    """Return what a detector says of its size; raise TypeError if it is no number."""
    return None if value is None else operator.index(value)


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
