"""What a comparison of two sets of results found, and how it is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from adbench.intervals import Interval
from adbench.reporting.words import counted, printable

LEVEL = 0.05
SMALLEST_DIFFERENCE = 0.001
REGRESSIONS = ("worse", "slower", "more memory")
IMPROVEMENTS = ("better", "faster", "less memory")


@dataclass(frozen=True)
class Change:
    """One thing that differs between two results of a pair.

    Parameters
    ----------
    verdict
        One of ``REGRESSIONS`` or ``IMPROVEMENTS``, or ``other`` for a status that is neither.
    profile, task, detector, test
        What it is about; ``test`` for an AUROC alone.
    of
        ``AUROC``, ``status``, ``seconds`` or ``MiB``.
    before, after
        The values, means or medians over repetitions; of a status, counts as text.
    difference
        Of AUROCs, after minus before with its 95 % interval.
    p
        Of AUROCs, Holm's over all that differ.
    """

    verdict: str
    profile: str
    task: str
    detector: str
    of: str
    before: float | str
    after: float | str
    test: str = ""
    difference: Interval | None = None
    p: float | None = None

    def line(self) -> str:
        """Return it in words."""
        where = (
            f"{self.task}{f' {self.test}' if self.test not in ('', 'test') else ''} ({self.profile}) {self.detector}"
        )
        change = f"{self.of} {_told(self.before)} -> {_told(self.after)}"
        if self.difference is not None:
            change += f", {self.difference.estimate:+.4f} [{self.difference.lower:+.4f}, {self.difference.upper:+.4f}]"
        return printable(f"{self.verdict}: {where}: {change}")


_MOST_GONE = 10  # shown by name


@dataclass
class Comparison:
    """Results B against results A.

    Parameters
    ----------
    changes
        What differs beyond noise, worst first.
    pairs
        How many detectors on tasks both have.
    aurocs, equal
        How many AUROCs were compared, and of how many the scores are the same to the bit.
    doubtful
        How many more AUROCs differ by their own 95 % interval, and are not counted.
    new
        How many pairs only B has.
    gone
        Those that only A has: B may be a part of it, so they are told, and no regression.
    elsewhere
        Pairs whose seconds are not compared: they ran on another machine, or with other jobs.
    notes
        What could not be compared, and why.
    """

    changes: list[Change] = field(default_factory=list)
    pairs: int = 0
    aurocs: int = 0
    equal: int = 0
    doubtful: int = 0
    new: int = 0
    gone: list[str] = field(default_factory=list)
    elsewhere: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def regressions(self) -> list[Change]:
        """What got worse, slower or larger."""
        return [change for change in self.changes if change.verdict in REGRESSIONS]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        body = asdict(self)
        for change in body["changes"]:
            change["difference"] = change["difference"] and dict(
                zip(Interval._fields, change["difference"], strict=True)
            )
        return body

    def lines(self) -> Iterator[str]:
        """Yield it in words, a line a change."""
        if self.notes or self.changes or self.new or self.gone or self.equal < self.aurocs:
            counts = [f"{n} {name}" for name in (*REGRESSIONS, *IMPROVEMENTS, "other") if (n := self._count(name))]
            yield (
                f"{counted(self.pairs, 'pair')} of detector and task compared: "
                f"{', '.join(counts) or 'nothing differs beyond noise'}; {self.new} new, {len(self.gone)} gone"
            )
        else:
            yield f"nothing differs: {counted(self.pairs, 'pair')} of detector and task, to the bit"
        yield from (change.line() for change in self.changes)
        yield from (f"gone: {printable(name)}" for name in self.gone[:_MOST_GONE])
        if len(self.gone) > _MOST_GONE:
            yield f"gone: and {len(self.gone) - _MOST_GONE} more"
        differing = self.aurocs - self.equal
        if self.doubtful:
            yield (
                f"{self.doubtful} of {differing} AUROCs that differ do so by their own 95 % interval alone, "
                f"where chance gives about {LEVEL * differing:.0f}: not counted"
            )
        if self.elsewhere:
            yield f"seconds of {counted(self.elsewhere, 'pair')} are not compared: other machine, jobs or threads"
        yield from map(printable, self.notes)

    def _count(self, verdict: str) -> int:
        return sum(change.verdict == verdict for change in self.changes)


def _told(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.4f}" if abs(value) < 1 else f"{value:.1f}"
