"""The toy sets: what each test set holds, and the scores that are known beforehand."""

import subprocess
import sys
from math import erf, pi, sqrt

import numpy as np
import pytest
from adbench_toys2d import adbench_datasets
from adbench_toys2d.shapes import SHAPES, radius_of
from adbench_toys2d.toys import Toy

from adbench import Dataset, Finder, UsageError, evaluate
from adbench.testing import dataset_checks

SPECS = {spec.params["shape"]: spec for spec in adbench_datasets()}
# The best AUROC that any score can have on the test set "uniform"; see the README.
BEST = {"gaussian": 0.9372, "gaussian-narrow": 0.9843, "moons": 0.9244, "rings": 0.8751, "clusters": 0.9383}


@pytest.fixture(scope="module")
def pool():
    """Return each shape's arrays, generated once."""
    made = {}

    def of(shape):
        if shape not in made:
            made[shape] = Toy(shape).load(Toy(shape).locate(Finder(())))
        return made[shape]

    return of


def split(shape, arrays, profile="full", seed=1, repetition=0):
    (task,) = SPECS[shape].tasks
    return Toy(shape).split(arrays, seed=seed, repetition=repetition, **task.params, **task.sizes[profile])


def auroc(test, scores):
    return evaluate(test.y, scores).auroc


@pytest.mark.parametrize("check", dataset_checks(*SPECS.values()), ids=str)
def test_contract(check):
    """Every rule of adbench.testing.dataset_checks holds."""
    check()


def test_the_hook_loads_no_array_library():
    """Listing the toys imports adbench only."""
    code = "import sys, adbench_toys2d as t; t.adbench_datasets(); sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_shape_is_a_dataset_that_no_general_run_takes():
    """Toys are run when named; the main board is of real data."""
    assert set(SPECS) == set(SHAPES) == set(BEST)
    assert [task.default for spec in SPECS.values() for task in spec.tasks] == [False] * len(SHAPES)
    assert all(isinstance(Toy(shape), Dataset) for shape in SHAPES)


@pytest.mark.parametrize("profile, n_train, n_test", [("quick", 1_000, 500), ("full", 10_000, 2_000)])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_split_has_three_test_sets_on_the_scale_of_the_training_rows(pool, shape, profile, n_train, n_test):
    """Training rows are normal; two test sets hold as many anomalies as normal rows, the third is a grid."""
    arrays = pool(shape)
    made = split(shape, arrays, profile)
    assert made.X_train.shape == (n_train, 2) and not arrays["y"][made.train_ids].any()
    np.testing.assert_allclose(made.X_train.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(made.X_train.std(axis=0), 1)
    mean, deviation = arrays["X"][made.train_ids].mean(axis=0), arrays["X"][made.train_ids].std(axis=0)
    assert list(made.tests) == ["uniform", "far", "grid"]
    for name, test in made.tests.items():
        assert test.X.dtype == np.float64
        np.testing.assert_array_equal(test.X, (arrays["X"][test.row_ids] - mean) / deviation)
        np.testing.assert_array_equal(test.y, arrays["y"][test.row_ids])
        assert not np.intersect1d(made.train_ids, test.row_ids).size
        assert name == "grid" or np.bincount(test.y).tolist() == [n_test, n_test]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_grid_is_a_heat_map_in_rows(pool, shape):
    """Its 400 scores, shaped to 20 x 20, have y down and x across, each from 0 to 10."""
    arrays = pool(shape)
    test = split(shape, arrays).tests["grid"]
    x, y = arrays["X"][test.row_ids].reshape(20, 20, 2).transpose(2, 0, 1)
    np.testing.assert_allclose(x, np.tile(np.linspace(0, 10, 20), (20, 1)))
    np.testing.assert_array_equal(y, x.T)


@pytest.mark.parametrize("shape", SHAPES)
def test_far_anomalies_and_the_grids_labels_follow_the_distance(pool, shape):
    """No far anomaly is where 99.9 % of the normal rows are, and 99 % of them are where the grid is normal."""
    arrays = pool(shape)
    distance = SHAPES[shape].distance(arrays["X"])
    normal, _, far, grid = (arrays["part"] == part for part in range(4))
    assert distance[far].min() > radius_of(0.999) and np.count_nonzero(far) == 4_000
    assert (distance[normal] < radius_of(0.999)).mean() > 0.998
    assert (distance[normal] < radius_of(0.99)).mean() > 0.988
    np.testing.assert_array_equal(arrays["y"][grid], distance[grid] > radius_of(0.99))


@pytest.mark.parametrize(
    "n_train, n_test", [(1, 10), (0, 10), (-3, 10), (100, 0), (100, -3), (12_000, 500), (8_001, 4_000), (100, 4_001)]
)
def test_sizes_beyond_the_pool_are_refused(pool, n_train, n_test):
    """Fewer rows than asked for would make another task of the same name."""
    with pytest.raises(UsageError, match=rf"both at most 12,000 together; got {n_train:,} and {n_test:,}$"):
        Toy("moons").split(pool("moons"), seed=1, repetition=0, n_train=n_train, n_test=n_test)


def test_the_largest_sizes_take_the_whole_pool(pool):
    """8,000 and 4,000 normal rows are all there are, and 4,000 anomalies of each kind."""
    made = Toy("moons").split(pool("moons"), seed=1, repetition=0, n_train=8_000, n_test=4_000)
    assert len(made.X_train) == 8_000
    assert [np.bincount(made.tests[name].y).tolist() for name in ("uniform", "far")] == [[4_000, 4_000]] * 2


def test_the_seed_alone_draws_the_rows(pool):
    """Same seed, same rows; another seed, other rows; the repetition has no say, and the pool is always the same."""
    arrays = pool("moons")
    again = Toy("moons").load(Toy("moons").locate(Finder(())))
    assert all(np.array_equal(arrays[name], again[name]) for name in arrays)
    first = split("moons", arrays, seed=1, repetition=0)
    np.testing.assert_array_equal(first.train_ids, split("moons", arrays, seed=1, repetition=3).train_ids)
    assert not np.array_equal(first.train_ids, split("moons", arrays, seed=2).train_ids)


@pytest.mark.parametrize("shape, sd", [("gaussian", 1.0), ("gaussian-narrow", 0.5)])
def test_the_distance_to_the_mean_reaches_the_auroc_that_theory_gives(pool, shape, sd):
    """1 - 2 pi sd^2 P(N in the square) / 100: .9372 and .9843, up to three standard errors of 2,000 + 2,000 rows.

    A uniform row at radius r scores below a normal one with probability exp(-r^2 / 2 sd^2). Its integral over
    the square is 2 pi sd^2 times the share of N((5, 5), sd^2 I) within; the square's area is 100.
    """
    theory = 1 - 2 * pi * sd**2 * erf(5 / sd / sqrt(2)) ** 2 / 100
    # Variances of P(below) over uniform rows, and of P(above) over normal ones.
    over_uniform = pi * sd**2 / 100 - (1 - theory) ** 2
    over_normal = (2 * pi * sd**2 / 100) ** 2
    error = sqrt((over_uniform + over_normal) / 2_000)
    tests = split(shape, pool(shape)).tests
    found = {name: auroc(test, np.hypot(*test.X.T)) for name, test in tests.items()}
    assert abs(found["uniform"] - theory) < 3 * error < 0.013
    assert found["far"] > 0.999 and found["grid"] == 1
    assert round(theory, 4) == BEST[shape]


@pytest.mark.parametrize("shape", SHAPES)
def test_the_best_scores_of_the_readme_are_those_of_the_density(pool, shape):
    """Integrated over the square, and met by the pool's rows as closely as their number allows."""
    ticks = (np.arange(250) + 0.5) / 25
    cells = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
    mass = np.sort(np.concatenate([SHAPES[shape].density(part) for part in np.array_split(cells, 25)]))
    rarer = np.cumsum(mass) - mass / 2  # of normal rows, those where the density is lower than in a cell
    assert round(1 - rarer.mean() / mass.sum(), 4) == pytest.approx(BEST[shape], abs=1e-4)
    arrays = pool(shape)
    chosen = arrays["part"] <= 1
    score = -SHAPES[shape].density(arrays["X"][chosen])
    assert evaluate(arrays["y"][chosen], score).auroc == pytest.approx(BEST[shape], abs=0.012)
