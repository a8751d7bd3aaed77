"""What opens under a row: right numbers, few bytes, and images only where they may be shown."""

import base64
import gzip
import json
import re

import numpy as np
import pytest

from adbench.builtin import adbench_thresholds
from adbench.evaluation import evaluate
from adbench.reporting import web
from adbench.reporting.blocks import Pictures, block_of, packed
from adbench.reporting.leaderboard import Leaderboard
from adbench.reporting.reading import read_tasks
from adbench.store import Store


def block(record, arrays, **options):
    evaluations = {
        test["name"]: {
            score: evaluate(
                arrays[f"y/{test['name']}"],
                arrays[f"scores/{test['name']}/{score}"],
                arrays[f"train_scores/{score}"],
                thresholds=adbench_thresholds(),
            )
            for score in record.detector_facts["scores"]
        }
        for test in record.rows["tests"]
    }
    return block_of(record, evaluations, arrays, **options)


def test_histogram_counts_every_row(synthetic):
    """Whatever the scores, each row is in one bin, far ones in the outermost."""
    record, arrays = synthetic.record(separation=2)
    arrays["scores/test/score"][:2] = [-1e9, 1e9]

    shown = block(record, arrays)["tests"]["test"]["score"]["histogram"]

    y = arrays["y/test"]
    assert (sum(shown["normal"]), sum(shown["anomaly"]), sum(shown["train"])) == ((y == 0).sum(), (y == 1).sum(), 100)
    assert len(shown["edges"]) == len(shown["normal"]) + 1
    assert np.all(np.diff(shown["edges"]) > 0)
    assert shown["edges"][-1] < 100


def test_curves_are_those_of_scikit_learn(synthetic):
    """The thinned ROC curve lies on the whole one, and its area is the AUROC."""
    metrics = pytest.importorskip("sklearn.metrics")
    record, arrays = synthetic.record(separation=1)
    shown = block(record, arrays)["tests"]["test"]["score"]
    fpr, tpr, _ = metrics.roc_curve(arrays["y/test"], arrays["scores/test/score"], drop_intermediate=False)

    whole = {(round(x, 3), round(y, 3)) for x, y in zip(fpr, tpr, strict=True)}
    assert set(zip(*shown["roc"], strict=True)) <= whole
    assert metrics.auc(*shown["roc"]) == pytest.approx(shown["auroc"], abs=0.02)
    assert (shown["roc"][0][0], shown["roc"][1][0], shown["roc"][0][-1], shown["roc"][1][-1]) == (0, 0, 1, 1)
    assert max(map(len, (*shown["roc"], *shown["pr"]))) <= 40


def test_thresholds(synthetic):
    """Every rule is there with its limits, the oracle marked; of scores that are not ranked, two."""
    shown = block(*synthetic.record(scores=["elbo", "rate"]))["tests"]["test"]
    names = [rule["name"] for rule in shown["elbo"]["thresholds"]]

    assert names == [spec.name for spec in adbench_thresholds()] + ["oracle"]
    assert [rule["oracle"] for rule in shown["elbo"]["thresholds"]].count(True) == 1
    assert {rule["name"] for rule in shown["rate"]["thresholds"]} == {"contamination", "oracle"}
    assert "by_index" in shown["elbo"] and "by_index" not in shown["rate"]


def test_a_failure_shows_its_log(synthetic):
    """A trial that is not ok has its reason and the end of its log, and no number."""
    record, _ = synthetic.record(status="error", reason="ValueError: no", log="line\n" * 2000)
    shown = block_of(record, {}, {})
    assert (shown["status"], shown["reason"], len(shown["log"])) == ("error", "ValueError: no", 4000)
    assert "tests" not in shown


def test_constant_and_huge_scores_are_shown(synthetic):
    """Scores without spread, or near the largest number there is, still make a histogram."""
    for scores in (np.zeros(120), np.linspace(-1e300, 1e300, 120)):
        record, arrays = synthetic.record()
        arrays["scores/test/score"] = scores
        assert json.loads(gzip.decompress(packed(block(record, arrays))))


def test_packing_is_deterministic(synthetic):
    """The same block gives the same bytes, in whatever order its parts were found."""
    shown = block(*synthetic.record())
    assert packed(shown) == packed(dict(reversed(shown.items())))


@pytest.fixture
def with_images(synthetic):
    """A trial of 4 x 4 images with what was kept of them."""

    def with_images(**facts):
        record, arrays = synthetic.record(
            rows={
                "train_rows": 100,
                "shape": [4, 4, 1],
                "contamination": None,
                "tests": [{"name": "test", "is_train": False, "rows": 120, "repeated_share": 0}],
            },
            dataset_facts={"modality": "image", **facts},
        )
        index = np.array([3, 5, 7])
        images = np.linspace(0, 1, 48, dtype=np.float32).reshape(3, 16)
        return record, arrays | {"extreme/test/index": index, "extreme/test/X": images}

    return with_images


def test_images(with_images):
    """Extreme images come with their score, label and row; a picture that is shown twice is kept once."""
    record, arrays = with_images()
    pictures = Pictures()

    rows = block(record, arrays, pictures=pictures)["images"]["test"]["rows"]
    block(record, arrays, pictures=pictures)

    assert [row["index"] for row in rows] == [3, 5, 7]
    assert rows[0]["score"] == pytest.approx(arrays["scores/test/score"][3], rel=1e-3)
    assert set(pictures.found) == {row["image"] for row in rows}
    assert all(base64.b64decode(url.partition(",")[2]).startswith(b"\x89PNG") for url in pictures.found.values())


@pytest.mark.parametrize(
    ("images", "facts", "shown"),
    [
        ("all", {}, True),
        ("free", {}, False),
        ("free", {"images_licence": "MIT"}, True),
        ("none", {"images_licence": "MIT"}, False),
    ],
)
def test_who_may_see_images(with_images, synthetic, tmp_path, images, facts, shown):
    """Test images are on a page if asked for; those of no free licence are not on one for others."""
    with Store.open(synthetic.store(tmp_path / "store", with_images(**facts))) as store:
        rules = adbench_thresholds()
        page = web.web_page(Leaderboard.of(read_tasks([store], rules)), [store], rules, images=images)
    assert bool(re.search(r"data:image/png;base64", page)) == shown


def test_a_full_page_says_what_it_left_out(synthetic, tmp_path, monkeypatch):
    """Beyond its bytes a page has no more blocks: first repetitions come first, and the rest is named."""
    made = [synthetic.record(name, repetition=number) for name in ("alpha", "beta") for number in range(3)]
    monkeypatch.setattr(web, "BLOCK_BYTES", 6000)
    with Store.open(synthetic.store(tmp_path / "store", *made)) as store:
        rules = adbench_thresholds()
        blocks = web._Blocks([store], rules, "all")
        blocks.gather(Leaderboard.of(read_tasks([store], rules)))

    kept = [record.trial.repetition for record, _ in made if record.key in blocks.kept]
    assert 0 < len(kept) < 6
    assert kept.count(0) == 2
    assert sum(map(len, blocks.kept.values())) <= 6000
