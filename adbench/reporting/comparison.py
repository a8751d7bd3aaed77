"""Two sets of results held against each other: what got better, worse, slower, beyond noise.

A pair is a detector on a task under a profile that both have. AUROCs of the declared score are
compared on each test set, in pairs of scores where rows and labels are equal. Hundreds of intervals
at 95 % hold some that exclude 0 by chance, and a check that fails by chance is soon ignored: so a
difference counts as better or worse only if its p-value, times what Holm's method asks for over all
AUROCs that differ at all, is below 0.05. What its own interval alone would call different is told
as a number, beside the number that chance would give.

Limits for seconds and memory leave out what a busy machine does to a measurement; they are not
estimated from the data.
"""

from __future__ import annotations

import heapq
import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

import numpy as np

from adbench.bundles.gathering import Found, tasks_of
from adbench.errors import AdbenchError, one_line
from adbench.intervals import Interval, combine_auroc, combine_differences, delong, delong_difference
from adbench.record import FAILURES, MISSING
from adbench.reporting.changes import IMPROVEMENTS, LEVEL, REGRESSIONS, SMALLEST_DIFFERENCE, Change, Comparison
from adbench.reporting.source import Source

_Z = 1.959963984540054  # normal quantile at 0.975


def compare(before: Sequence[Source], after: Sequence[Source]) -> Comparison:
    """Compare what open stores and bundles hold together with what others hold.

    Parameters
    ----------
    before, after
        A and B: what is told is B relative to A.
    """
    found = Comparison()
    runs = {id(source): source.run_facts() for source in (*before, *after)}
    differing: list[Change] = []
    for profile, task, a, b in _places(before, after):
        found.new += len(b.keys() - a.keys())
        found.gone += [f"{detector} on {task} ({profile})" for detector in sorted(a.keys() - b.keys())]
        for detector in sorted(a.keys() & b.keys()):
            found.pairs += 1
            place = (profile, task, detector)
            found.changes += _status(place, a[detector], b[detector])
            found.changes += _memory(place, a[detector], b[detector])
            machines = [_machines(side[detector], runs) for side in (a, b)]
            if machines[0] == machines[1]:
                found.changes += _seconds(place, a[detector], b[detector])
            else:
                found.elsewhere += all(machines)
            try:
                differing += _aurocs(place, a[detector], b[detector], found)
            except AdbenchError as error:
                found.notes.append(one_line(f"{task} ({profile}) {detector}: AUROCs are not compared: {error}"))
    judged = _judged(differing)
    found.changes += [change for change in judged if change.verdict]
    found.doubtful = sum(not change.verdict and _excludes_zero(change) for change in judged)
    order = (*REGRESSIONS, "other", *IMPROVEMENTS)
    found.changes.sort(key=lambda c: (order.index(c.verdict), c.profile, c.task, c.detector, c.of, c.test))
    return found


Place = tuple[str, str, str]
Repetitions = Mapping[int, Found]


def _places(
    before: Sequence[Source], after: Sequence[Source]
) -> Iterator[tuple[str, str, dict[str, Repetitions], dict[str, Repetitions]]]:
    """Yield profile, task, and on both sides detector -> repetition -> trial; one task at a time is read."""
    merged = heapq.merge(_of_side(0, before), _of_side(1, after), key=lambda item: item[:3])
    for (profile, task), items in groupby(merged, key=lambda item: item[:2]):
        there = {side: _by_detector(found) for _, _, side, found in items}
        yield profile, task, there.get(0, {}), there.get(1, {})


def _of_side(side: int, sources: Sequence[Source]) -> Iterator[tuple[str, str, int, list[Found]]]:
    for profile, task, found in tasks_of(sources):
        yield profile, task, side, found


def _by_detector(trials: Sequence[Found]) -> dict[str, Repetitions]:
    """Return detector -> repetition -> trial, of those that ran or were skipped."""
    detectors: dict[str, dict[int, Found]] = {}
    for found in (found for found in trials if found.record.status != MISSING):
        detectors.setdefault(found.label.detector, {})[found.record.trial.repetition] = found
    return {**detectors}


def _status(place: Place, a: Repetitions, b: Repetitions) -> list[Change]:
    """Compare how the repetitions ended that both have."""
    then, now = ([side[number].record.status for number in sorted(a.keys() & b.keys())] for side in (a, b))
    if then == now:
        return []
    broke = any(x == "ok" and y in FAILURES for x, y in zip(then, now, strict=True))
    mended = any(x in FAILURES and y == "ok" for x, y in zip(then, now, strict=True))
    verdict = "worse" if broke else "better" if mended else "other"
    return [Change(verdict, *place, "status", _counts(then), _counts(now))]


def _seconds(place: Place, a: Repetitions, b: Repetitions) -> list[Change]:
    values = [[f.record.fit_seconds + f.record.score_seconds for f in _ok(side)] for side in (a, b)]
    return _cost(place, "seconds", ("slower", "faster"), *values, ratio=1.5, least=0.5)


def _memory(place: Place, a: Repetitions, b: Repetitions) -> list[Change]:
    values = [[f.record.peak_mb for f in _ok(side)] for side in (a, b)]
    return _cost(place, "MiB", ("more memory", "less memory"), *values, ratio=1.25, least=50)


def _cost(
    place: Place, of: str, verdicts: tuple[str, str], a: list[float], b: list[float], *, ratio: float, least: float
) -> list[Change]:
    """Compare medians; where there are several repetitions, their ranges must lie apart as well."""
    if not a or not b:
        return []
    then, now = statistics.median(a), statistics.median(b)
    low, high = (a, b) if now > then else (b, a)
    apart = min(len(a), len(b)) < 2 or min(high) > max(low)
    if not apart or abs(now - then) <= least or max(then, now) <= ratio * min(then, now):
        return []
    return [Change(verdicts[0] if now > then else verdicts[1], *place, of, then, now)]


def _aurocs(place: Place, a: Repetitions, b: Repetitions, found: Comparison) -> list[Change]:
    """Return the AUROCs that are not of the very same scores, yet without a verdict."""
    scores_a, scores_b = _declared(a), _declared(b)
    changes = []
    for test in sorted(scores_a.keys() & scores_b.keys()):
        then, now = scores_a[test], scores_b[test]
        found.aurocs += 1
        if then.keys() == now.keys() and all(_equal(then[number], now[number]) for number in then):
            found.equal += 1
            continue
        before, after = _mean_auroc(then), _mean_auroc(now)
        difference = _paired(then, now) or _unpaired(before, after)
        changes.append(Change("", *place, "AUROC", before.estimate, after.estimate, test, difference))
    return changes


Scored = tuple[Any, Any, Any]
"""Labels, row ids and declared scores of a test set."""


def _declared(side: Repetitions) -> dict[str, dict[int, Scored]]:
    """Return test set -> repetition -> what the declared score gave."""
    tests: dict[str, dict[int, Scored]] = {}
    for number, found in side.items():
        if found.record.status == "ok":
            arrays = found.source.arrays(found.record.key)
            declared = found.record.detector_facts["scores"][0]
            for name in arrays:
                kind, _, rest = name.partition("/")
                test, _, score = rest.rpartition("/")
                if kind == "scores" and score == declared:
                    tests.setdefault(test, {})[number] = (arrays[f"y/{test}"], arrays[f"row_ids/{test}"], arrays[name])
    return tests


def _equal(a: Scored, b: Scored) -> bool:
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def _paired(a: Mapping[int, Scored], b: Mapping[int, Scored]) -> Interval | None:
    """Return the mean paired difference, None unless all repetitions that both have saw the same rows."""
    both = sorted(a.keys() & b.keys())
    if not both or not all(_equal((*a[n][:2], 0), (*b[n][:2], 0)) for n in both):
        return None
    return combine_differences(
        [Interval(0, 0, 0) if _equal(a[n], b[n]) else delong_difference(a[n][0], b[n][2], a[n][2]) for n in both]
    )


def _unpaired(before: Interval, after: Interval) -> Interval:
    """Return the difference of two independent AUROCs, by the method of :func:`delong_difference`."""
    estimate = after.estimate - before.estimate
    below = math.hypot(after.estimate - after.lower, before.upper - before.estimate)
    above = math.hypot(after.upper - after.estimate, before.estimate - before.lower)
    return Interval(estimate, estimate - below, estimate + above)


def _mean_auroc(scored: Mapping[int, Scored]) -> Interval:
    made = [delong(y, scores) for y, _, scores in scored.values()]
    smaller = min(int(min(np.count_nonzero(y == 1), np.count_nonzero(y == 0))) for y, _, _ in scored.values())
    return combine_auroc([float(a[0]) for a, _ in made], [float(v[0, 0]) for _, v in made], smaller)


def _judged(changes: Sequence[Change]) -> list[Change]:
    """Return changes with Holm's p-values, and a verdict where it is below the level."""
    by_p = sorted(changes, key=lambda change: _p_value(change.difference))
    made, largest = [], 0.0
    for place, change in enumerate(by_p):
        difference = change.difference
        assert difference is not None
        largest = min(1.0, max(largest, (len(by_p) - place) * _p_value(difference)))
        counts = largest < LEVEL and abs(difference.estimate) > SMALLEST_DIFFERENCE
        verdict = ("better" if difference.estimate > 0 else "worse") if counts else ""
        made.append(replace(change, verdict=verdict, p=largest))
    return made


def _p_value(difference: Interval | None) -> float:
    """Return the two-sided p-value that goes with a 95 % interval, below 0.05 just where it excludes 0."""
    assert difference is not None
    estimate, lower, upper = difference
    towards_zero = estimate - lower if estimate > 0 else upper - estimate
    if not towards_zero:
        return 1.0 if estimate == 0 else 0.0
    return math.erfc(abs(estimate) * _Z / towards_zero / math.sqrt(2))


def _excludes_zero(change: Change) -> bool:
    difference = change.difference
    return difference is not None and not difference.lower <= 0 <= difference.upper


def _machines(side: Repetitions, runs: Mapping[int, Mapping[int, Mapping[str, Any]]]) -> set[tuple[Any, ...]]:
    """Return what seconds depend on beside the detector."""
    facts = [runs[id(found.source)].get(found.record.run, {}) for found in _ok(side)]
    return {tuple(one.get(name) for name in ("processor", "cores", "jobs", "threads")) for one in facts}


def _ok(side: Repetitions) -> list[Found]:
    return [found for found in side.values() if found.record.status == "ok"]


def _counts(statuses: Sequence[str]) -> str:
    return ", ".join(f"{status} {statuses.count(status)}" for status in sorted(set(statuses)))
