"""What a run does when nothing else is said; light, since the command line shows it in its help."""

from __future__ import annotations

from pathlib import Path

DEFAULT_STORE = Path("adbench-results")
DEFAULT_OUT = Path("leaderboards")
#: Repetitions, by profile: quick is a look at everything within ten minutes.
DEFAULT_SEEDS = {"quick": 1, "standard": 3, "full": 5}
EXECUTORS = ("local", "inline")
#: Seconds a trial, by profile; None is no limit.
DEFAULT_TIMEOUT = {"quick": 600.0, "standard": 3600.0, "full": None}
