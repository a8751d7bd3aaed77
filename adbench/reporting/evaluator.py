"""Evaluates stored trials: a pure function of their scores and labels, cached where they came from.

The cache's version names the evaluation and the threshold rules with their code, so that a changed
rule is applied anew.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import msgspec
from numpy.typing import NDArray

from adbench.errors import AdbenchError, PluginError, StoreError, one_line
from adbench.evaluation import EVALUATION_VERSION, Evaluation, evaluate
from adbench.intervals import Interval, delong_difference
from adbench.planning.provenance import source_hash
from adbench.planning.trial import digest
from adbench.record import Record
from adbench.reporting.caching import decoded, encoded
from adbench.reporting.source import Source
from adbench.specs import ThresholdSpec

#: Rate at which rules flag where no contamination is stated.
NOVELTY_RATE = 0.05

Evaluations = dict[str, dict[str, Evaluation]]
Comparisons = dict[str, dict[str, dict[str, Interval]]]


class Evaluated(msgspec.Struct):
    """What is kept of a trial: test set -> score -> evaluation, and notes on rules that failed."""

    tests: Evaluations
    notes: tuple[str, ...]


_Differences = dict[str, dict[str, dict[str, Interval]]]
"""What is kept of a trial's comparisons: line -> test set -> score -> difference."""


@dataclass(frozen=True)
class Line:
    """A trial to compare others with, a floor or the best method, and where its scores are."""

    record: Record
    source: Source
    is_floor: bool

    @property
    def name(self) -> str:
        """Its key with the time of its end: what ran again is another line."""
        return f"{self.record.key} {self.record.finished}"

    @cached_property
    def scores(self) -> dict[str, NDArray[Any]]:
        """Its declared scores by test set, attacks left out: read once, since many are compared with it."""
        declared = self.record.detector_facts["scores"][0]
        found = scores_in(self.source.arrays(self.record.key))
        attacks = {facts["name"] for facts in self.record.rows.get("tests", []) if "attack" in facts}
        return {test: scores for test, score, scores in found if score == declared and test not in attacks}


def evaluation_version(thresholds: Sequence[ThresholdSpec]) -> str:
    """Return what changes with anything that decides a number."""
    rules = [asdict(spec) | {"source": _source_of(spec)} for spec in thresholds]
    return f"{EVALUATION_VERSION}-{digest(rules)[:16]}"


def _source_of(spec: ThresholdSpec) -> str:
    """Return the hash of a rule's code: its package's, or its module's where the package is this large one."""
    module = spec.target.partition(":")[0]
    package = module.partition(".")[0]
    return source_hash(module if package == "adbench" else package)


class Evaluator:
    """Evaluates one source's records.

    Parameters
    ----------
    source
        Takes what is evaluated anew.
    thresholds
        Rules to apply.
    """

    def __init__(self, source: Source, thresholds: Sequence[ThresholdSpec]) -> None:
        self._source = source
        self._thresholds = thresholds
        self._version = evaluation_version(thresholds)
        self._known: dict[str, bytes] = {}
        self._new: dict[str, bytes] = {}
        self._open: tuple[str, dict[str, NDArray[Any]]] = ("", {})

    def recall(self, keys: Collection[str]) -> None:
        """Get ready for some trials: take what is cached of them."""
        names = [name for key in keys for name in (key, lines_of(key))]
        self._known = self._source.cached(self._version, names)

    def evaluate(self, record: Record) -> tuple[Record, Evaluations]:
        """Return the record and its evaluations, test set -> score -> evaluation.

        A record whose scores cannot be read comes back as ``error``, with the reason; one for which a
        threshold rule fails, with a note.
        """
        if record.status != "ok":
            return record, {}
        if not self._source.has_arrays(record.key):
            return replace(record, status="error", reason=f"score file {record.key[:12]}….npz is missing"), {}
        known = decoded(self._known.get(record.key), Evaluated)
        if known is None:
            try:
                known = evaluate_scores(record, self._arrays(record.key), self._thresholds)
            except AdbenchError as error:
                return replace(record, status="error", reason=str(error)), {}
            self._new[record.key] = encoded(known)
        return replace(record, notes=(*record.notes, *known.notes)) if known.notes else record, known.tests

    def compare(self, record: Record, lines: Iterable[Line]) -> tuple[Comparisons, tuple[str, ...]]:
        """Return test set -> score -> line -> AUROC minus the line's on the same rows.

        A line whose scores cannot be read is left out, and a note says so.
        """
        named = {line.name: line for line in lines}
        known = decoded(self._known.get(lines_of(record.key)), _Differences) or {}
        made = {name: known[name] for name in named if name in known}
        notes = []
        for name in named.keys() - made.keys():
            try:
                made[name] = self._difference(record.key, named[name])
            except StoreError as error:
                notes.append(f"not compared with {named[name].record.trial.detector_label}: {error}")
        if not made.keys() <= known.keys():
            self._new[lines_of(record.key)] = encoded(made)
        found: Comparisons = {}
        for name in sorted(made):
            for test, by_score in made[name].items():
                for score, interval in by_score.items():
                    detector = named[name].record.trial.detector_label
                    found.setdefault(test, {}).setdefault(score, {})[detector] = interval
        return found, tuple(sorted(notes))

    def keep(self) -> None:
        """Cache what was evaluated anew."""
        self._source.keep_cached(self._version, self._new)
        self._new = {}

    def _difference(self, key: str, line: Line) -> dict[str, dict[str, Interval]]:
        lines = line.scores
        found: dict[str, dict[str, Interval]] = {}
        arrays = self._arrays(key)
        for test, score, scores in scores_in(arrays):
            if test in lines:
                found.setdefault(test, {})[score] = delong_difference(arrays[f"y/{test}"], scores, lines[test])
        return found

    def _arrays(self, key: str) -> dict[str, NDArray[Any]]:
        """Read a score file, keeping the last one: a trial is compared with several lines in turn."""
        if self._open[0] != key:
            self._open = key, self._source.arrays(key)
        return self._open[1]


def evaluate_scores(
    record: Record, arrays: Mapping[str, NDArray[Any]], thresholds: Sequence[ThresholdSpec]
) -> Evaluated:
    """Evaluate every score of a trial on every test set; a rule that finds no limits is left out, with a note.

    Raises
    ------
    UsageError
        If scores or labels are such that they cannot be evaluated.
    """
    rate = record.rows.get("contamination") or NOVELTY_RATE
    tests: Evaluations = {}
    notes: dict[str, None] = {}
    for test, score, scores in scores_in(arrays):
        y, train_scores = arrays[f"y/{test}"], arrays[f"train_scores/{score}"]
        try:
            made = evaluate(y, scores, train_scores, rate=rate, thresholds=thresholds)
        except PluginError:
            failures = [_failure(spec, train_scores, rate) for spec in thresholds]
            sound = [spec for spec, failure in zip(thresholds, failures, strict=True) if not failure]
            made = evaluate(y, scores, train_scores, rate=rate, thresholds=sound)
            notes |= dict.fromkeys(f"{score}: {failure}" for failure in failures if failure)
        tests.setdefault(test, {})[score] = made
    return Evaluated(tests, tuple(notes))


def scores_in(arrays: Mapping[str, NDArray[Any]]) -> list[tuple[str, str, NDArray[Any]]]:
    """Return test set, score name and scores of a trial's arrays."""
    names = [name.split("/") for name in arrays if name.startswith("scores/")]
    return [(test, score, arrays[f"scores/{test}/{score}"]) for _, test, score in names]


def lines_of(key: str) -> str:
    """Return the name under which a trial's comparisons are kept."""
    return f"{key}-lines"


def _failure(spec: ThresholdSpec, train_scores: NDArray[Any], rate: float) -> str:
    """Return why a rule finds no limits, empty if it does; it sees training scores alone, so any test will do."""
    try:
        evaluate([0, 1], [0.0, 1.0], train_scores, rate=rate, thresholds=[spec])
    except PluginError as error:
        return one_line(str(error))
    return ""
