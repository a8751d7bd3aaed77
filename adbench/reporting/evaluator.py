"""Evaluates stored trials: a pure function of their scores and labels, cached in the store.

The cache's version names the evaluation and the threshold rules with their code, so that a changed
rule is applied anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from numpy.typing import NDArray

from adbench.errors import AdbenchError, PluginError, StoreError, one_line
from adbench.evaluation import EVALUATION_VERSION, Evaluation, evaluate
from adbench.intervals import Interval, delong_difference
from adbench.planning.provenance import source_hash
from adbench.planning.trial import digest
from adbench.record import Record
from adbench.specs import ThresholdSpec
from adbench.store import Store

#: Rate at which rules flag where no contamination is stated.
NOVELTY_RATE = 0.05

Evaluations = dict[str, dict[str, Evaluation]]
Comparisons = dict[str, dict[str, dict[str, Interval]]]


class Evaluator:
    """Evaluates one store's records.

    Parameters
    ----------
    store
        Open; takes what is evaluated anew if it is open for writing.
    thresholds
        Rules to apply.
    """

    def __init__(self, store: Store, thresholds: Sequence[ThresholdSpec]) -> None:
        self._store = store
        self._thresholds = thresholds
        rules = [asdict(spec) | {"source": source_hash(spec.target.partition(".")[0])} for spec in thresholds]
        self._version = f"{EVALUATION_VERSION}-{digest(rules)[:16]}"
        self._known = store.evaluations(self._version)
        self._new: dict[str, Any] = {}
        self._open: tuple[str, dict[str, NDArray[Any]]] = ("", {})

    def evaluate(self, record: Record) -> tuple[Record, Evaluations]:
        """Return the record and its evaluations, test set -> score -> evaluation.

        A record whose scores cannot be read comes back as ``error``, with the reason; one for which a
        threshold rule fails, with a note.
        """
        if record.status != "ok":
            return record, {}
        if not self._store.has_arrays(record.key):
            return replace(record, status="error", reason=f"score file {record.key[:12]}….npz is missing"), {}
        known = _evaluations(self._known.get(record.key))
        if known is None:
            try:
                body = self._evaluate(record, self._arrays(record.key))
            except AdbenchError as error:
                return replace(record, status="error", reason=str(error)), {}
            known = _evaluations(body)
            assert known is not None
            self._new[record.key] = body
        made, notes = known
        return replace(record, notes=(*record.notes, *notes)), made

    def compare(self, record: Record, floors: Iterable[Record]) -> tuple[Comparisons, tuple[str, ...]]:
        """Return test set -> score -> floor -> AUROC minus the floor's on the same rows.

        A floor whose scores cannot be read is left out, and a note says so.
        """
        found: Comparisons = {}
        notes = []
        for floor in floors:
            name, pair = floor.trial.detector_label, f"{record.key}-{floor.key}"
            made = _intervals(self._known.get(pair) or self._new.get(pair))
            if made is None:
                try:
                    body = self._difference(record.key, floor.key)
                except StoreError as error:
                    notes.append(f"not compared with {name}: {error}")
                    continue
                made = _intervals(body)
                assert made is not None
                self._new[pair] = body
            for test, by_score in made.items():
                for score, interval in by_score.items():
                    found.setdefault(test, {}).setdefault(score, {})[name] = interval
        return found, tuple(notes)

    def keep(self) -> None:
        """Cache what was evaluated anew."""
        self._store.keep_evaluations(self._version, self._new)
        self._new = {}

    def _evaluate(self, record: Record, arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        rate = record.rows.get("contamination") or NOVELTY_RATE
        tests: dict[str, Any] = {}
        notes: dict[str, None] = {}
        for test, score, scores in _scores(arrays):
            y, train_scores = arrays[f"y/{test}"], arrays[f"train_scores/{score}"]
            try:
                made = evaluate(y, scores, train_scores, rate=rate, thresholds=self._thresholds)
            except PluginError:
                failures = [_failure(spec, train_scores, rate) for spec in self._thresholds]
                sound = [spec for spec, failure in zip(self._thresholds, failures, strict=True) if not failure]
                made = evaluate(y, scores, train_scores, rate=rate, thresholds=sound)
                notes |= dict.fromkeys(f"{score}: {failure}" for failure in failures if failure)
            tests.setdefault(test, {})[score] = made.to_dict()
        return {"tests": tests, "notes": list(notes)}

    def _difference(self, key: str, floor: str) -> dict[str, Any]:
        arrays, of_floor = self._arrays(key), self._store.arrays(floor)
        lines = {test: scores for test, _, scores in _scores(of_floor)}
        body: dict[str, Any] = {}
        for test, score, scores in _scores(arrays):
            if test in lines:  # not so where the detector was attacked by its own gradient, which floors have none of
                body.setdefault(test, {})[score] = list(delong_difference(arrays[f"y/{test}"], scores, lines[test]))
        return body

    def _arrays(self, key: str) -> dict[str, NDArray[Any]]:
        """Read a score file, keeping the last one: a trial is compared with several floors in turn."""
        if self._open[0] != key:
            self._open = key, self._store.arrays(key)
        return self._open[1]


def _failure(spec: ThresholdSpec, train_scores: NDArray[Any], rate: float) -> str:
    """Return why a rule finds no limits, empty if it does; it sees training scores alone, so any test will do."""
    try:
        evaluate([0, 1], [0.0, 1.0], train_scores, rate=rate, thresholds=[spec])
    except PluginError as error:
        return one_line(str(error))
    return ""


def _evaluations(body: Any) -> tuple[Evaluations, tuple[str, ...]] | None:
    """Read what :meth:`Evaluator._evaluate` made, None if it is something else: the cache is nobody's only copy."""
    try:
        made = {
            test: {score: Evaluation.from_dict(values) for score, values in by_score.items()}
            for test, by_score in body["tests"].items()
        }
        return made, tuple(body["notes"])
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _intervals(body: Any) -> dict[str, dict[str, Interval]] | None:
    """Read what :meth:`Evaluator._difference` made, None if it is something else."""
    try:
        return {
            test: {score: Interval(*map(float, values)) for score, values in by_score.items()}
            for test, by_score in body.items()
        }
    except (AttributeError, TypeError, ValueError):
        return None


def _scores(arrays: Mapping[str, NDArray[Any]]) -> list[tuple[str, str, NDArray[Any]]]:
    """Return test set, score name and scores of a trial."""
    names = [name.split("/") for name in arrays if name.startswith("scores/")]
    return [(test, score, arrays[f"scores/{test}/{score}"]) for _, test, score in names]
