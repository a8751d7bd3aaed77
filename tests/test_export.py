import pandas as pd
import pytest

from adbench.metric_names import DECISION_METRICS, RANK_METRICS
from adbench.reporting.export import COLUMNS, to_frame, write

COSTS = ["fit_seconds", "score_seconds", "peak_mb"]


@pytest.fixture
def frame(synthetic, tmp_path):
    """The long form of one trial that is ok and one that is not."""
    made = [
        synthetic.record("alpha", variant="100rows", repetition=2, scores=["elbo", "rate"]),
        synthetic.record("beta", variant="100rows", repetition=2, status="timeout", reason="too slow"),
    ]
    return to_frame(synthetic.cells(tmp_path / "store", *made))


def test_columns(frame, synthetic):
    """The columns are those promised, in this order, and say which trial it was."""
    first = frame.iloc[0]

    assert " ".join(frame.columns) == (
        "key detector score dataset task test variant profile setting lane seed status threshold metric value"
    )
    assert first["dataset":"status"].to_dict() == {
        "dataset": "moons",
        "task": "novelty",
        "test": "test",
        "variant": "100rows",
        "profile": "quick",
        "setting": "novelty",
        "lane": "corrected",
        "seed": 2,
        "status": "ok",
    }
    assert first["key"] == synthetic.trial("alpha", variant="100rows", repetition=2).key


def test_one_row_a_metric(frame):
    """Each score of an ok trial has every rank metric and cost once, and every decision metric once a threshold."""
    of_elbo = frame[(frame["detector"] == "alpha") & (frame["score"] == "elbo")]
    without = of_elbo[of_elbo["threshold"] == ""]
    oracle = of_elbo[of_elbo["threshold"] == "oracle"]

    assert without["metric"].tolist() == [*RANK_METRICS, *COSTS]
    assert oracle["metric"].tolist() == list(DECISION_METRICS)
    assert not frame.duplicated(["key", "score", "test", "threshold", "metric"]).any()
    assert set(frame["score"]) == {"elbo", "rate", ""}


def test_failed_trials_have_one_row(frame):
    """A trial that is not ok has one row with its status, and neither metric nor value."""
    (failed,) = frame[frame["status"] != "ok"].to_dict("records")

    assert (failed["detector"], failed["status"], failed["metric"]) == ("beta", "timeout", "")
    assert pd.isna(failed["value"])


@pytest.mark.parametrize(("form", "read"), [("csv", pd.read_csv), ("parquet", pd.read_parquet)])
def test_files(frame, tmp_path, form, read):
    """Both forms give the same table back, and leave no other file."""
    write(frame, tmp_path / f"long.{form}", form)

    found = read(tmp_path / f"long.{form}")

    texts = dict.fromkeys(set(COLUMNS) - {"seed", "value"}, "")
    pd.testing.assert_frame_equal(found.fillna(texts), frame, check_dtype=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"long.{form}", "store"]


def test_a_table_of_failures_has_numbers_for_values(synthetic, tmp_path):
    """The value column is a number also where there is none: files of several runs can be joined."""
    frame = to_frame(synthetic.cells(tmp_path, synthetic.record(status="crash")))

    assert frame["value"].dtype == "float64"
    assert to_frame([]).columns.tolist() == list(COLUMNS)


def test_a_write_that_fails_leaves_the_old_file(frame, tmp_path, monkeypatch):
    """A table is written whole or not at all."""
    path = tmp_path / "long.csv"
    path.write_text("the old one")

    def full(self, target, **_):
        target.write_text("half of")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pd.DataFrame, "to_csv", full)
    with pytest.raises(OSError, match="No space left"):
        write(frame, path, "csv")
    assert path.read_text() == "the old one"
    assert sorted(found.name for found in tmp_path.iterdir()) == ["long.csv", "store"]
