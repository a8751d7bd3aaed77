"""From members to scores: single, mean, variance and WAIC."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor

STATISTICS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "single": lambda energies: energies[:, 0],
    "mean": lambda energies: energies.mean(1),
    "variance": lambda energies: energies.var(1, correction=0),
    # WAIC as Choi, Jang & Alemi (2018) use it: mean log-likelihood minus its variance. Ours is an energy.
    "waic": lambda energies: energies.mean(1) + energies.var(1, correction=0),
}
"""Name -> function of energies ``(n, m)`` that are higher for anomalies; variances are the population's."""


def summarised(energies: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return every statistic of every energy.

    Parameters
    ----------
    energies
        Name -> ``(n, m)``, higher for anomalies.

    Returns
    -------
    dict
        ``ENERGY-STATISTIC`` -> ``(n,)``, higher for anomalies.
    """
    return {
        f"{name}-{statistic}": function(values)
        for name, values in energies.items()
        for statistic, function in STATISTICS.items()
    }
