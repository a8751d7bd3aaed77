"""Running from Python: the same session as the command line's."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from adbench.downloads.watch import WarningWatch
from adbench.errors import UsageError
from adbench.execution.runner import View
from adbench.progress import QuietView
from adbench.registry import Registry
from adbench.session import Options, Session
from adbench.store import Store

if TYPE_CHECKING:
    import pandas as pd

    from adbench.reporting.leaderboard import Leaderboard


def run(
    detectors: Sequence[str] | str = (),
    datasets: Sequence[str] | str = (),
    *,
    registry: Registry | None = None,
    view: View | None = None,
    **options: Any,
) -> Results:
    """Run detectors on datasets and return what came of it.

    Finished trials are never run twice: their stored scores are used.

    Parameters
    ----------
    detectors
        Names, globs or ``@GROUP``; all installed ones if none are given.
    datasets
        ``DATASET``, ``DATASET/TASK``, globs or ``file:PATH#...``; all default tasks if none are given.
    registry
        What is installed; found by entry points if not given.
    view
        Who is told of progress; nobody if not given.
    **options
        ``profile`` ("quick", "standard", "full"); ``seeds`` (number of repetitions, default 1 in quick,
        3 in standard, 5 in full); ``seed`` (root of all random seeds, default 0); ``jobs`` (trials at a
        time, default the number of cores);
        ``timeout`` (seconds a trial, None for none; default 10 min in quick, 1 h in standard);
        ``memory`` (bytes a trial); ``budget`` (seconds after which no trial is started); ``store``
        (folder, default ``adbench-results``); ``data_dir`` (folder with real data); ``settings``
        (``{name: {param: value}}``); ``lane``; ``retry_failed``; ``strict_versions``; ``download``
        (fetch what the datasets lack, from ``ADBENCH_MIRROR`` or upstream, before the run; without it a
        mirror alone is asked, if there is one); ``model_dir`` (folder where fitted models are
        looked for, and kept); ``skip_train`` (skip trials that have no model there); ``executor`` ("local",
        or "inline": in this process, without limits, for debugging).

    Returns
    -------
    Results

    Raises
    ------
    AdbenchError
        For wrong names, nothing to run, damaged data or a store that cannot be used; nothing is lost then.

    Examples
    --------
    >>> results = adbench.run(["pyod-knn", "@floors"], ["breast-cancer"], seeds=2)  # doctest: +SKIP
    >>> results.to_markdown()  # doctest: +SKIP
    """
    for name in ("store", "data_dir", "model_dir"):
        if isinstance(options.get(name), str | os.PathLike):
            options[name] = Path(options[name])
    try:
        asked = Options(detectors=_listed(detectors), datasets=_listed(datasets), **options)
    except TypeError as error:
        raise UsageError(f"adbench.run: {error}") from error
    with Session(asked, registry or Registry.discover()) as session:
        session.bring_data(WarningWatch())
        session.execute(view or QuietView())
        return Results(session.options.store, session.keys())


@dataclass(frozen=True)
class Results:
    """The stored outcomes of a run's trials.

    Parameters
    ----------
    store
        Folder with the results.
    keys
        Of the trials, in the plan's order.
    """

    store: Path
    keys: tuple[str, ...]

    def to_frame(self) -> pd.DataFrame:
        """Return the long form: one row a metric, as ``adbench export`` gives it."""
        from adbench.reporting.cells import read_cells
        from adbench.reporting.export import to_frame

        with Store.open(self.store) as store:
            return to_frame(read_cells([store], only=set(self.keys)))

    def leaderboard(self) -> Leaderboard:
        """Return the ranked rows; ``.to_frame()`` gives them to pandas."""
        from adbench.reporting.reading import read_leaderboard

        with Store.open(self.store) as store:
            return read_leaderboard([store], only=set(self.keys))

    def to_markdown(self) -> str:
        """Return the leaderboard's overall page."""
        from adbench.reporting.markdown import overall_page

        return overall_page(self.leaderboard())

    def _repr_markdown_(self) -> str:
        return self.to_markdown()


def _listed(names: Sequence[str] | str) -> Sequence[str]:
    return [names] if isinstance(names, str) else list(names)
