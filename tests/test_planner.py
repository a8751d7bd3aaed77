import pytest

from adbench.planning.planner import Dropped, Source, make_plan, split_arguments
from adbench.planning.selection import select_detectors, select_tasks


@pytest.fixture
def plan(toys):
    def plan(detectors=(), datasets=("toy-table",), **options):
        selected = select_detectors(toys, detectors), select_tasks(toys, datasets)
        sources = {"toy-table": Source("toy", "f" * 64, "Made up."), "toy-nowhere": "look elsewhere"}
        options = {"profile": "quick", "repetitions": range(2), "root": 0, "overrides": {}, **options}
        return make_plan(toys, *selected, sources, **options)

    return plan


def test_pairs_that_cannot_work(plan):
    """Pairs that cannot work are dropped once, whatever the repetitions, each with its reason; the rest is planned."""
    made = plan()

    assert made.dropped == [
        Dropped("toy-images", "toy-table/novelty", "takes images only, and this is a table"),
        Dropped("toy-labels", "toy-table/novelty", "learns from labels, and this task trains without"),
    ]
    assert [(p.trial.detector, p.trial.repetition) for p in made.trials] == [
        ("toy-distance", 0),
        ("toy-noise", 0),
        ("toy-distance", 1),
        ("toy-noise", 1),
    ]


def test_data_that_is_not_here(plan):
    """A task without data is dropped as a whole, with what to do about it."""
    made = plan(datasets=["toy-nowhere"])

    assert made.dropped == [Dropped("", "toy-nowhere/novelty", "look elsewhere")]
    assert not made.trials


def test_detectors_meet_the_same_rows(plan):
    """Detectors share the rows of a repetition and have seeds of their own; repetitions differ in both."""
    first, second, *later = (planned.trial for planned in plan().trials)

    assert first.split_key == second.split_key
    assert first.split_seed() == second.split_seed()
    assert first.detector_seed() != second.detector_seed()
    assert first.split_key != later[0].split_key
    assert first.split_seed() != later[0].split_seed()


def test_root_seed_moves_everything(plan):
    """Another root gives other rows and other detector seeds."""
    one, other = (plan(["toy-distance"], root=root).trials[0].trial for root in (0, 1))

    assert one.split_seed() != other.split_seed()
    assert one.detector_seed() != other.detector_seed()


def test_profiles_resolve_to_numbers(plan):
    """A profile's sizes and budgets become the trial's own numbers."""
    quick, standard = (plan(["toy-distance"], profile=profile).trials[0].trial for profile in ("quick", "standard"))

    assert (quick.params, quick.split) == ({}, {"n_train": 60})
    assert (standard.params, standard.split) == ({"power": 2.0}, {})


def test_overrides(plan):
    """What the user sets replaces the profile's values and shows in the labels."""
    overrides = {"toy-distance": {"power": 3}, "toy-table": {"n_train": 50}}

    set_by_user, floor = (planned.trial for planned in plan(overrides=overrides, profile="standard").trials[:2])

    assert (set_by_user.params, set_by_user.split) == ({"power": 3}, {"n_train": 50})
    assert set_by_user.detector_label == "toy-distance(power=3)"
    assert set_by_user.task_label == "toy-table@toy/novelty(n_train=50)"
    assert (floor.detector_label, floor.split_key) == ("toy-noise", set_by_user.split_key)


def test_split_arguments_in_order(toys):
    """The user's settings go before the profile's sizes, and these before the task's own."""
    task = toys.dataset("toy-table").tasks[0]

    assert split_arguments(task, "quick", {}) == {"n_train": 60}
    assert split_arguments(task, "quick", {"n_train": 5}) == {"n_train": 5}
    assert split_arguments(task, "full", {}) == {}


def test_trials_carry_what_they_came_from(plan):
    """A planned trial holds its specs, the note on the data, and the versions of both plugins' code."""
    planned = plan(["toy-distance"]).trials[0]

    assert (planned.detector.name, planned.dataset.name, planned.note) == ("toy-distance", "toy-table", "Made up.")
    assert planned.trial.block == "toy-table"
    assert len(planned.trial.detector_code["source"]) == 64
    assert planned.trial.detector_code == planned.trial.dataset_code
