"""Published AUROCs, reproduced by the whole harness on the official data.

The tables are those of Livernoche et al. (2024), arXiv:2305.18593 (``vicliv/DTE``), setting "clean": the first
half of the normal rows in file order trains; and the same with a random half, pyod called directly.
"""

import os
from pathlib import Path

import numpy as np
import pytest

import adbench

DETECTORS = ("pyod-iforest", "pyod-knn", "pyod-pca", "pyod-ocsvm", "pyod-lof")
REPETITIONS = 5

PUBLISHED = {
    "cardio": (93.32, 92.00, 96.54, 95.61, 92.21),
    "mammography": (88.02, 87.58, 89.93, 88.63, 85.52),
    "thyroid": (98.96, 98.68, 98.55, 98.56, 92.72),
    "vowels": (61.83, 82.21, 52.29, 75.91, 86.30),
}
RANDOM_HALF = {
    "cardio": (95.1, 93.3, None, 96.3, 91.9),
    "mammography": (87.5, 87.5, 89.7, 88.4, 83.8),
    "thyroid": (98.8, 98.6, 98.1, 98.2, 96.1),
    "vowels": (78.6, 97.3, 63.5, 82.3, 95.2),
}

#: PyOD's PCA sums distances to the principal axes' unit vectors, so their signs count, and scikit-learn 1.5
#: changed its convention for them. With the older one the published numbers come out (see the last test).
AXES_TURNED = {"mammography": 89.69, "vowels": 52.84}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("ADBENCH_DATA" not in os.environ, reason="ADBENCH_DATA names no folder with the official data"),
    pytest.mark.timeout(1800),
]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """One run over all of it."""
    pytest.importorskip("adbench_tabular")
    pytest.importorskip("adbench_baselines")
    tasks = [f"{dataset}/{task}" for dataset in PUBLISHED for task in ("first-half", "novelty")]
    folder = tmp_path_factory.mktemp("anchors")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ADBENCH_CACHE", str(folder / "cache"))
        return adbench.run(DETECTORS, tasks, seeds=REPETITIONS, store=folder / "store")


@pytest.fixture(scope="module")
def aurocs(results):
    """Mean AUROC in percent, by task and detector; of trials that are ok in all repetitions."""
    frame = results.leaderboard().to_frame()
    complete = frame[frame["status"] == f"ok {REPETITIONS}"]
    return {(row.task, row.detector): 100 * row.auroc for row in complete[["task", "detector", "auroc"]].itertuples()}


def cells(table):
    return [
        pytest.param(dataset, detector, value, id=f"{dataset}-{detector}")
        for dataset, values in table.items()
        for detector, value in zip(DETECTORS, values, strict=True)
        if value is not None
    ]


@pytest.mark.parametrize(("dataset", "detector", "published"), cells(PUBLISHED))
def test_published_cells(aurocs, dataset, detector, published):
    """With the published split the published cell comes out: to .1 points, for the random forest to 3."""
    expected = AXES_TURNED.get(dataset, published) if detector == "pyod-pca" else published
    found = aurocs[f"{dataset}/first-half", detector]

    assert found == pytest.approx(expected, abs=3 if detector == "pyod-iforest" else 0.1)


@pytest.mark.parametrize(("dataset", "detector", "expected"), cells(RANDOM_HALF))
def test_random_half(aurocs, dataset, detector, expected):
    """With a random half as training rows the numbers of direct calls come out: to 1.2 points, the forest to 3."""
    found = aurocs[f"{dataset}/novelty", detector]

    assert found == pytest.approx(expected, abs=3 if detector == "pyod-iforest" else 1.2)


def test_infinite_scores_are_no_result(results):
    """PyOD's PCA divides by the variance of empty directions of cardio: invalid where that is 0, and never .5."""
    ((board, row),) = (
        (board, row)
        for board in results.leaderboard().boards
        if board.task == "cardio/novelty"
        for row in board.rows
        if row.detector == "pyod-pca"
    )

    assert row.failed
    assert row.statuses["invalid"] >= 1
    assert set(row.statuses) <= {"ok", "invalid"}
    reasons = [outcome.reason for outcome in board.of.outcomes["pyod-pca"] if outcome.status == "invalid"]
    assert all("is NaN or infinite" in reason for reason in reasons)
    assert row.auroc is None or row.auroc.estimate != 0.5


@pytest.mark.parametrize("dataset", AXES_TURNED)
def test_published_pca_had_other_signs(dataset):
    """With the axes' signs of scikit-learn before 1.5, PyOD's PCA gives the published cells."""
    pytest.importorskip("pyod")
    from scipy.spatial.distance import cdist
    from sklearn.metrics import roc_auc_score
    from sklearn.preprocessing import StandardScaler
    from sklearn.utils.extmath import svd_flip

    (path,) = Path(os.environ["ADBENCH_DATA"]).rglob(f"*_{dataset}.npz")
    with np.load(path) as file:
        X, y = file["X"].astype(float), file["y"].ravel()
    normals = np.flatnonzero(y == 0)
    half = round(0.5 * len(normals))
    test = np.r_[normals[half:], np.flatnonzero(y == 1)]
    scaler = StandardScaler().fit(X[normals[:half]])
    train = scaler.transform(X[normals[:half]])
    U, singular_values, axes = np.linalg.svd(train, full_matrices=False)
    _, axes = svd_flip(U, axes, u_based_decision=True)

    scores = (cdist(scaler.transform(X[test]), axes) / singular_values**2).sum(axis=1)

    published = PUBLISHED[dataset][DETECTORS.index("pyod-pca")]
    assert 100 * roc_auc_score(y[test], scores) == pytest.approx(published, abs=0.1)
