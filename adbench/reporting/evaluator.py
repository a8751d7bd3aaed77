"""Evaluates stored trials: a pure function of their scores and labels, cached in the store.

The cache's version names the evaluation and the threshold rules with their code, so that a changed
rule is applied anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

from numpy.typing import NDArray

from adbench.errors import StoreError
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

        A record whose scores cannot be read comes back as ``error``, with the reason.
        """
        if record.status != "ok":
            return record, {}
        if not self._store.has_arrays(record.key):
            return replace(record, status="error", reason=f"score file {record.key[:12]}….npz is missing"), {}
        if (body := self._known.get(record.key)) is None:
            try:
                arrays = self._arrays(record.key)
                body = self._evaluate(record, arrays)
            except StoreError as error:
                return replace(record, status="error", reason=str(error)), {}
            self._new[record.key] = body
        return record, {
            test: {score: Evaluation.from_dict(values) for score, values in by_score.items()}
            for test, by_score in body.items()
        }

    def compare(self, record: Record, floors: Iterable[Record]) -> dict[str, dict[str, dict[str, Interval]]]:
        """Return test set -> score -> floor -> AUROC minus the floor's on the same rows."""
        found: dict[str, dict[str, dict[str, Interval]]] = {}
        for floor in floors:
            pair = f"{record.key}-{floor.key}"
            if (body := self._known.get(pair) or self._new.get(pair)) is None:
                body = self._new[pair] = self._difference(record.key, floor.key)
            for test, by_score in body.items():
                for score, values in by_score.items():
                    found.setdefault(test, {}).setdefault(score, {})[floor.trial.detector_label] = Interval(*values)
        return found

    def keep(self) -> None:
        """Cache what was evaluated anew."""
        self._store.keep_evaluations(self._version, self._new)
        self._new = {}

    def _evaluate(self, record: Record, arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        rate = record.rows.get("contamination") or NOVELTY_RATE
        body: dict[str, Any] = {}
        for test, score, scores in _scores(arrays):
            train_scores = arrays[f"train_scores/{score}"]
            made = evaluate(arrays[f"y/{test}"], scores, train_scores, rate=rate, thresholds=self._thresholds)
            body.setdefault(test, {})[score] = made.to_dict()
        return body

    def _difference(self, key: str, floor: str) -> dict[str, Any]:
        arrays, of_floor = self._arrays(key), self._store.arrays(floor)
        lines = {test: scores for test, _, scores in _scores(of_floor)}
        body: dict[str, Any] = {}
        for test, score, scores in _scores(arrays):
            body.setdefault(test, {})[score] = list(delong_difference(arrays[f"y/{test}"], scores, lines[test]))
        return body

    def _arrays(self, key: str) -> dict[str, NDArray[Any]]:
        """Read a score file, keeping the last one: a trial is compared with several floors in turn."""
        if self._open[0] != key:
            self._open = key, self._store.arrays(key)
        return self._open[1]


def _scores(arrays: Mapping[str, NDArray[Any]]) -> list[tuple[str, str, NDArray[Any]]]:
    """Return test set, score name and scores of a trial."""
    names = [name.split("/") for name in arrays if name.startswith("scores/")]
    return [(test, score, arrays[f"scores/{test}/{score}"]) for _, test, score in names]
