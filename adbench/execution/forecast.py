"""How long trials may take, from earlier timings."""

from __future__ import annotations

import statistics
from collections.abc import Iterable

from adbench.planning.trial import Trial


class Forecast:
    """How long trials may take, from earlier timings.

    Parameters
    ----------
    history
        Detector, dataset, task and wall seconds of earlier trials, oldest first.
    """

    def __init__(self, history: Iterable[tuple[str, str, str, float]]) -> None:
        self._exact: dict[tuple[str, str, str], float] = {}
        self._detector: dict[str, list[float]] = {}
        self._median: dict[str, float] = {}
        for detector, dataset, task, seconds in history:
            self.learn(detector, dataset, task, seconds)

    def learn(self, detector: str, dataset: str, task: str, seconds: float) -> None:
        """Add a timing."""
        self._exact[detector, dataset, task] = seconds
        self._detector.setdefault(detector, []).append(seconds)
        self._median.pop(detector, None)

    def seconds(self, trial: Trial) -> float | None:
        """Return a trial's forecast: the same pair's last timing, else the detector's median."""
        exact = self._exact.get((trial.detector, trial.dataset, trial.task))
        if exact is not None:
            return exact
        if trial.detector not in self._median and (known := self._detector.get(trial.detector)):
            self._median[trial.detector] = statistics.median(known)
        return self._median.get(trial.detector)

    def total(self, trials: Iterable[Trial], jobs: int) -> float | None:
        """Return the forecast for several trials; None when most of them are of detectors that have not run."""
        guesses = [self.seconds(trial) for trial in trials]
        known = [guess for guess in guesses if guess is not None]
        if 2 * len(known) < len(guesses):
            return None
        typical = statistics.median(known) if known else 0.0
        return sum(typical if guess is None else guess for guess in guesses) / jobs
