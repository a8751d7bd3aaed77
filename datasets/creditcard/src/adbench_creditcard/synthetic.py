"""The stand-in: a table made from published summary figures, called synthetic wherever it shows.

Matched are the schema, the numbers of rows, frauds and repeated rows, the deviations of V1 to V28 and that
they are uncorrelated, their heavy tails, the daily rhythm of Time, median, mean and largest Amount, the signs
and order of the correlations of V1 to V28 with Time and Amount, and the frauds' mean in each of V1 to V28.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NORMALS, FRAUDS, REPEATED_NORMALS, REPEATED_FRAUDS = 284_315, 492, 1_062, 19

# One value for each of V1 to V28: what pandas' describe(), corr() and groupby("Class").mean() print for the
# official table, as in many public notebooks.
_DEVIATION = np.array(
    "1.958696 1.651309 1.516255 1.415869 1.380247 1.332271 1.237094 1.194353 1.098632 1.088850 1.020713 0.999201 "
    "0.995274 0.958596 0.915316 0.876253 0.849337 0.838176 0.814041 0.770925 0.734524 0.725702 0.624460 0.605647 "
    "0.521278 0.482227 0.403632 0.330083".split(),
    float,
)
_FRAUD_MEAN = np.array(
    "-4.771948 3.623778 -7.033281 4.542029 -3.151225 -1.397737 -5.568731 0.570636 -2.581123 -5.676883 3.800173 "
    "-6.259393 -0.109334 -6.971723 -0.092929 -4.139946 -6.665836 -2.246308 0.680659 0.372319 0.713588 0.014049 "
    "-0.040308 -0.105130 0.041449 0.051648 0.170575 0.075667".split(),
    float,
)
_WITH_AMOUNT = np.array(
    "-0.227709 -0.531409 -0.210880 0.098732 -0.386356 0.215981 0.397311 -0.103079 -0.044246 -0.101502 0.000104 "
    "-0.009542 0.005293 0.033751 -0.002986 -0.003910 0.007309 0.035650 -0.056151 0.339403 0.105999 -0.064801 "
    "-0.112633 0.005146 -0.047837 -0.003208 0.028825 0.010258".split(),
    float,
)
_WITH_TIME = np.array(
    "0.117396 -0.010593 -0.419618 -0.105260 0.173072 -0.063016 0.084714 -0.036949 -0.008660 0.030617 -0.247689 "
    "0.124348 -0.065902 -0.098757 -0.183453 0.011903 -0.073297 0.090438 0.028975 -0.050866 0.044736 0.144059 "
    "0.051142 -0.016182 -0.233083 -0.041407 -0.005135 -0.009413".split(),
    float,
)
# Payments in each hour of the day, in thousands, both days together, about: the dip is at night.
_HOURS = np.array(
    "7.7 4.2 3.3 3.5 2.2 3.0 4.1 7.2 10.3 15.8 16.6 16.9 "
    "15.4 15.4 16.6 16.5 16.5 16.2 17.0 15.6 16.8 17.7 15.4 10.9".split(),
    float,
)
_LAST_SECOND, _HIGHEST_AMOUNT = 172_792, 25_691.16
_AMOUNT_MEDIAN, _AMOUNT_MEAN = 22.0, 88.29
_FRAUD_AMOUNT_MEDIAN, _FRAUD_AMOUNT_LOG_DEVIATION, _HIGHEST_FRAUD_AMOUNT = 9.25, 2.5, 2_125.87

# Chosen so that detectors find the frauds about as hard as the official ones: AUROC .95, no better.
_TAIL = 4.0  # degrees of freedom of Student's t
_SEVERITY = 2.0  # shape of the gamma distribution of how far a fraud goes; its mean is 1


def generate(
    n_normals: int = NORMALS, n_frauds: int = FRAUDS, seed: int = 2013
) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    """Make the table, always the same for the same arguments.

    Parameters
    ----------
    n_normals, n_frauds
        Rows of each class; the official numbers by default.
    seed
        Of the generator.

    Returns
    -------
    X : ndarray of shape (n, 30)
        Time (whole seconds, increasing), V1 to V28, Amount (to the cent).
    y : ndarray of shape (n,)
        1 = fraud.
    """
    rng = np.random.default_rng(seed)
    y = np.repeat(np.array([0, 1], np.uint8), [n_normals, n_frauds])
    normals, frauds = slice(n_normals), slice(n_normals, None)

    # Rows of a multivariate t are uncorrelated, yet extreme in many columns at once, as the real ones are.
    scale = np.sqrt((_TAIL - 2) / rng.chisquare(_TAIL, (len(y), 1)))
    V = scale * rng.standard_normal((len(y), 28))  # deviation 1 so far
    X = np.empty((len(y), 30))
    X[:, 0] = _seconds(rng, len(y), _HOURS)
    X[frauds, 0] = _seconds(rng, n_frauds, np.ones(24))
    X[normals, 0] = _ordered_like(_tied(rng, V[normals], scale[normals], _WITH_TIME), X[normals, 0])
    X[normals, 29] = _ordered_like(_tied(rng, V[normals], scale[normals], _WITH_AMOUNT), _amounts(rng, n_normals))
    X[frauds, 29] = _fraud_amounts(rng, n_frauds)

    severity = rng.gamma(_SEVERITY, 1 / _SEVERITY, (n_frauds, 1))
    X[:, 1:29] = V * _DEVIATION
    X[frauds, 1:29] = X[frauds, 1:29] * (1 + severity) + severity * _FRAUD_MEAN

    for rows, share in ((normals, REPEATED_NORMALS / NORMALS), (frauds, REPEATED_FRAUDS / FRAUDS)):
        _repeat_some(rng, X[rows], share)
    in_time = np.argsort(X[:, 0], kind="stable")
    # Rounded, so that what mathematics libraries make of the last digit does not make another table.
    return X[in_time].round(6), y[in_time]


def _seconds(rng: np.random.Generator, n: int, per_hour: NDArray[np.float64]) -> NDArray[np.float64]:
    """Draw seconds of two days by how busy each hour of the day is."""
    hour = rng.choice(48, n, p=np.tile(per_hour / per_hour.sum() / 2, 2))
    return np.minimum(hour * 3600 + rng.integers(0, 3600, n), _LAST_SECOND).astype(np.float64)


def _amounts(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    """Draw amounts: log-normal, by median and mean."""
    deviation = np.sqrt(2 * np.log(_AMOUNT_MEAN / _AMOUNT_MEDIAN))
    drawn = np.exp(np.log(_AMOUNT_MEDIAN) + deviation * rng.standard_normal(n))
    return np.minimum(drawn.round(2), _HIGHEST_AMOUNT)


def _fraud_amounts(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    drawn = np.exp(np.log(_FRAUD_AMOUNT_MEDIAN) + _FRAUD_AMOUNT_LOG_DEVIATION * rng.standard_normal(n))
    return np.minimum(drawn.round(2), _HIGHEST_FRAUD_AMOUNT)


def _tied(
    rng: np.random.Generator, V: NDArray[np.float64], scale: NDArray[np.float64], correlation: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return a variable with these correlations with the columns of V, and the same tails."""
    rest = np.sqrt(1 - (correlation**2).sum())
    # Column by column: the order in which BLAS adds differs between machines.
    tied = rest * scale[:, 0] * rng.standard_normal(len(V))
    for column, weight in zip(V.T, correlation, strict=True):
        tied += weight * column
    return tied


def _ordered_like(pattern: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the values in the order of the pattern: the smallest where the pattern is smallest."""
    ordered = np.empty_like(values)
    ordered[np.argsort(pattern, kind="stable")] = np.sort(values)
    return ordered


def _repeat_some(rng: np.random.Generator, rows: NDArray[np.float64], share: float) -> None:
    """Overwrite a share of the rows by copies of others, in place."""
    n = round(share * len(rows))
    chosen = rng.permutation(len(rows))[: 2 * n]
    rows[chosen[:n]] = rows[chosen[n:]]
