import pytest

from adbench.reporting.leaderboard import Leaderboard
from adbench.reporting.markdown import overall_page


@pytest.fixture
def board_of(synthetic, tmp_path):
    """Return the leaderboard of records."""

    def board_of(*made):
        return Leaderboard.of(synthetic.tasks(tmp_path / "store", *made))

    return board_of


def ranks(board):
    return {row.detector: row.rank for row in board.rows}


def test_ranks_by_auroc(synthetic, board_of):
    """The best AUROC has rank 1, and rows stand in that order."""
    (board,) = board_of(
        synthetic.record("low", separation=0.5),
        synthetic.record("high", separation=4),
        synthetic.record("middle", separation=1.5),
    ).boards

    assert [(row.detector, row.rank) for row in board.rows] == [("high", 1), ("middle", 2), ("low", 3)]


def test_ties_share_a_rank(synthetic, board_of):
    """Equal AUROCs share the mean of their ranks."""
    record, arrays = synthetic.record("alpha", separation=2)
    twin, _ = synthetic.record("twin")

    (board,) = board_of((record, arrays), (twin, arrays), synthetic.record("weak", separation=0)).boards

    assert ranks(board) == {"alpha": 1.5, "twin": 1.5, "weak": 3}


def test_failed_ranks_last(synthetic, board_of):
    """A detector with a failed repetition ranks behind all that finished, however lucky the rest; failed ones tie."""
    (board,) = board_of(
        synthetic.record("weak", separation=0),
        synthetic.record("weak", separation=0, repetition=1),
        synthetic.record("lucky", separation=5),
        synthetic.record("lucky", repetition=1, status="timeout"),
        synthetic.record("broken", status="error"),
        synthetic.record("broken", repetition=1, status="error"),
    ).boards

    assert ranks(board) == {"weak": 1, "lucky": 2.5, "broken": 2.5}
    assert [row.failed for row in board.rows] == [False, True, True]
    assert board.rows[2].statuses == {"ok": 1, "timeout": 1}


def test_skipped_and_missing_trials(synthetic, board_of):
    """What was skipped or has not run is no failure and has no rank; it stands last, and takes no rank from others."""
    leaderboard = board_of(
        synthetic.record("alpha"),
        synthetic.record("beta", status="skipped"),
        synthetic.record("gamma", status="missing"),
        synthetic.record("delta", status="error"),
    )

    rows = leaderboard.boards[0].rows
    assert [(row.detector, row.rank, row.failed, row.absent) for row in rows] == [
        ("alpha", 1, False, False),
        ("delta", 2, True, False),
        ("beta", None, False, True),
        ("gamma", None, False, True),
    ]
    assert [standing.detector for standing in leaderboard.sections[0].standings] == ["alpha", "delta", "beta", "gamma"]


def test_floors_are_not_ranked(synthetic, board_of):
    """A floor stands in the table without a rank, and takes none from others."""
    leaderboard = board_of(
        synthetic.record("alpha", separation=1), synthetic.record("noise", separation=3, role="floor")
    )

    assert ranks(leaderboard.boards[0]) == {"noise": None, "alpha": 1}
    standings = leaderboard.sections[0].standings
    assert [(standing.detector, standing.mean_rank) for standing in standings] == [("alpha", 1), ("noise", None)]


def test_second_scores_are_not_ranked(synthetic, board_of):
    """The declared score alone is ranked, also where another score of the same fit is better."""
    record, arrays = synthetic.record("alpha", separation=0, scores=["elbo", "rate"])
    arrays["scores/test/rate"] = arrays["y/test"] * 1.0

    leaderboard = board_of((record, arrays), synthetic.record("beta", separation=2))

    assert [(row.detector, row.score, row.rank) for row in leaderboard.boards[0].rows] == [
        ("alpha", "rate", None),
        ("beta", "score", 1),
        ("alpha", "elbo", 2),
    ]
    assert [len(standing.tasks["moons/novelty"]) for standing in leaderboard.sections[0].standings] == [1, 1]


@pytest.mark.parametrize(
    ("separation", "expected"), [(3, True), (1, False), (0, False)], ids=["above both", "above one", "above none"]
)
def test_beats_floors(synthetic, board_of, separation, expected):
    """A detector beats the floors if the paired lower bound is above 0 for each of them, over the repetitions."""
    (board,) = board_of(
        *(synthetic.record("alpha", separation=separation, repetition=number) for number in range(2)),
        *(synthetic.record("noise", separation=0, role="floor", repetition=number) for number in range(2)),
        *(synthetic.record("mean", separation=1, role="floor", repetition=number) for number in range(2)),
    ).boards
    (alpha,) = (row for row in board.rows if row.detector == "alpha")

    assert alpha.beats_floors is expected
    assert set(alpha.differences) == {"noise", "mean"}


def test_without_floors_nothing_is_claimed(synthetic, board_of):
    """Where no floor ran on the same rows, nothing is said about beating one."""
    (board,) = board_of(synthetic.record("alpha", separation=3)).boards
    assert board.rows[0].beats_floors is None


def test_blocks_count_once(synthetic, board_of):
    """Tasks of one block count as one dataset: the mean rank is over blocks of mean ranks within them."""
    made = []
    for task in ("cat", "dog", "frog"):
        # Of three classes of one dataset, alpha loses all.
        made.append(synthetic.record("alpha", separation=0, dataset="pets", task=task, block="pets"))
        made.append(synthetic.record("beta", separation=4, dataset="pets", task=task, block="pets"))
    made.append(synthetic.record("alpha", separation=4, dataset="moons"))
    made.append(synthetic.record("beta", separation=0, dataset="moons"))

    standings = board_of(*made).sections[0].standings

    assert {standing.detector: standing.mean_rank for standing in standings} == {"alpha": 1.5, "beta": 1.5}
    assert {standing.detector: standing.ranked_blocks for standing in standings} == {
        "alpha": {"moons", "pets"},
        "beta": {"moons", "pets"},
    }


def test_means_are_not_taken_over_the_lucky(synthetic, board_of):
    """A detector that failed anywhere has no mean, only ranks."""
    leaderboard = board_of(
        synthetic.record("alpha"),
        synthetic.record("beta"),
        synthetic.record("alpha", dataset="circles", status="crash"),
        synthetic.record("beta", dataset="circles"),
    )
    means = {standing.detector: standing.mean("auroc") for standing in leaderboard.sections[0].standings}

    assert means["alpha"] is None
    assert means["beta"] is not None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"profile": "quick"}, {"profile": "full", "split": {"n": 9}}),
        ({"lane": "corrected"}, {"lane": "published", "task": "first-half"}),
        ({"supervision": "none"}, {"supervision": "labels", "task": "with-labels"}),
    ],
    ids=["profiles", "lanes", "labels"],
)
def test_what_never_mixes(synthetic, board_of, one, other):
    """Profiles, lanes, and detectors with and without labels stand in sections of their own."""
    sections = board_of(synthetic.record("alpha", **one), synthetic.record("beta", **other)).sections

    assert [[standing.detector for standing in section.standings] for section in sections] == [["alpha"], ["beta"]]
    assert [(section.profile, section.lane, section.uses_labels) for section in sections] == [
        (one.get("profile", "quick"), one.get("lane", "corrected"), False),
        (other.get("profile", "quick"), other.get("lane", "corrected"), other.get("supervision") == "labels"),
    ]


def test_variants_are_tasks_of_their_own(synthetic, board_of):
    """A stand-in never stands in the same table as the real data."""
    boards = board_of(synthetic.record("alpha"), synthetic.record("beta", variant="standin")).boards
    assert [(board.of.dataset, len(board.rows)) for board in boards] == [("moons", 1), ("moons@standin", 1)]


def test_one_board_a_test_set(synthetic, board_of):
    """A suite of test sets gives a board each, all of one fit."""
    boards = board_of(synthetic.record("alpha", tests=["test", "fog"])).boards
    assert [board.name for board in boards] == ["moons/novelty", "moons/novelty: fog"]


def test_numbers_of_a_row(synthetic, board_of, tmp_path):
    """A row's numbers are means over repetitions, inside their intervals; seconds are medians."""
    (board,) = board_of(
        *(
            synthetic.record("alpha", repetition=number, fit_seconds=seconds)
            for number, seconds in enumerate([1.0, 2.0, 9.0])
        )
    ).boards
    (row,) = board.rows

    made = [cell.evaluations["test"]["score"] for cell in synthetic.cells(tmp_path / "store")]
    assert row.auroc.estimate == pytest.approx(sum(evaluation.auroc for evaluation in made) / 3)
    assert row.auroc.lower < row.auroc.estimate < row.auroc.upper
    assert row.average_precision.lower < row.average_precision.estimate < row.average_precision.upper
    assert row.fit_seconds == 2.0
    assert board.contamination == 0.25
    assert row.decisions["oracle"].f1 >= row.decisions["contamination"].f1


def test_to_frame(synthetic, board_of):
    """The frame has one row a board and score; a failed one has its status and no numbers."""
    frame = board_of(synthetic.record("alpha"), synthetic.record("beta", status="crash")).to_frame()

    assert frame["detector"].tolist() == ["alpha", "beta"]
    assert frame["status"].tolist() == ["ok 1", "crash 1"]
    assert frame["rank"].tolist() == [1, 2]
    assert frame["auroc"].isna().tolist() == [False, True]


def test_nothing_gives_an_empty_board():
    """No cells give a leaderboard without sections, and a page that says so."""
    assert Leaderboard.of([]).sections == ()
    assert "No results yet" in overall_page(Leaderboard.of([]))
