import subprocess
import sys
from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adbench.planning import trial as trial_module
from adbench.planning.trial import Trial, digest, seed_of

IDENTITY = {
    "detector": "beta",
    "dataset": "circles",
    "task": "outlier",
    "setting": "outlier",
    "lane": "published",
    "repetition": 1,
    "root": 1,
    "fingerprint": "0" * 64,
    "variant": "standin",
    "params": {"k": 6},
    "split": {"n": 100},
    "detector_code": {"distribution": "moonshine", "version": "1.1", "source": "a" * 64},
    "dataset_code": {"distribution": "moonshine", "version": "1.0", "source": "c" * 64},
}
LABELS = {"block": "others", "overrides": {"k": 6}, "split_overrides": {"n": 3}, "profile": "full"}
ROWS = {"dataset", "task", "repetition", "root", "fingerprint", "variant", "split", "dataset_code"}


@pytest.mark.parametrize("part", IDENTITY)
def test_each_part_of_the_identity_moves_the_key(synthetic, part):
    """Whatever decides the outcome makes another trial."""
    assert synthetic.trial(**{part: IDENTITY[part]}).key != synthetic.trial().key


@pytest.mark.parametrize("part", LABELS)
def test_labels_leave_the_key(synthetic, part):
    """What a trial is called, and by which profile, leaves it the same experiment."""
    assert synthetic.trial(**{part: LABELS[part]}).key == synthetic.trial().key


def test_every_field_is_identity_or_label():
    """A new field must be put on one side, and the tests above must know it."""
    assert {field.name for field in fields(Trial)} == {*IDENTITY, *LABELS}


def test_protocol_version_moves_the_key(synthetic, monkeypatch):
    """When the harness changes what a trial does, no old result counts."""
    before = synthetic.trial().key
    monkeypatch.setattr(trial_module, "PROTOCOL_VERSION", trial_module.PROTOCOL_VERSION + 1)

    assert synthetic.trial().key != before


@pytest.mark.parametrize("part", IDENTITY)
def test_rows_depend_on_data_and_split_alone(synthetic, part):
    """Trials share their rows unless the data, its code, the task, the split or the repetition differ."""
    changed = synthetic.trial(**{part: IDENTITY[part]})
    assert (changed.split_key != synthetic.trial().split_key) == (part in ROWS)


def test_golden_key(synthetic):
    """The key of one trial, as every process, machine and version of Python must find it: stores depend on it."""
    trial = synthetic.trial(params={"k": 5, "name": "café", "rate": 0.1}, overrides={"k": 5})

    assert trial.key == "875ea7d472d9070805a18c7b5895110ad12520f6f6ef59f44b5cdc4175b765c5"
    assert trial.split_key == "cd43e033fce12d80f2b8a3b2209d118016175d7a1b2cf08a5e952db70f5fac2c"
    assert (trial.split_seed(), trial.detector_seed()) == (1526055744, 1489000167)


def test_key_is_the_same_in_another_process():
    """Hash randomisation does not reach keys: another process finds the same."""
    code = "from adbench.planning.trial import digest; print(digest({'b': [1, 2.5], 'a': {'y': None, 'x': 'é'}}))"
    found = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout.strip()
        for seed in ("1", "2")
    }

    assert found == {digest({"a": {"x": "é", "y": None}, "b": [1, 2.5]})}


def test_labels(synthetic):
    """Tables show the variant and what the user set, in order of name, and nothing else."""
    trial = synthetic.trial(
        variant="100rows", params={"k": 5, "z": 1}, overrides={"z": 1, "k": 5}, split_overrides={"n": 3}
    )

    assert trial.detector_label == "alpha(k=5, z=1)"
    assert trial.dataset_label == "moons@100rows"
    assert trial.task_label == "moons@100rows/novelty(n=3)"
    assert synthetic.trial().task_label == "moons/novelty"


@pytest.mark.parametrize(
    ("one", "other"), [("1", 1), (1, 1.0), (1, True), ("None", None), ("a, z=1", "a"), ("\udc80", "\\udc80")]
)
def test_other_settings_have_other_labels(synthetic, one, other):
    """Two values never look alike: text stands in quotes, a number as it is."""
    labels = {synthetic.trial(overrides={"k": value}).detector_label for value in (one, other)}
    assert len(labels) == 2
    assert all(label.encode() for label in labels)


def test_text_in_labels(synthetic):
    """A text among the settings is shown as JSON, as --set takes it."""
    assert synthetic.trial(overrides={"detector": "INNE ä"}).detector_label == 'alpha(detector="INNE ä")'


def test_roots_have_labels_of_their_own(synthetic):
    """Other seeds draw other rows: a root other than 0 is shown as a setting of the task, and not of the detector."""
    trial = synthetic.trial(root=7, split_overrides={"n": 3})
    assert (trial.task_label, trial.detector_label) == ("moons/novelty(n=3, seed=7)", "alpha")
    assert synthetic.trial(root=7).task_label == "moons/novelty(seed=7)"


@given(st.lists(st.one_of(st.integers(), st.text()), min_size=1))
def test_seeds_are_in_range(parts):
    """A seed is one that every library takes, and a function of its parts."""
    assert 0 <= seed_of(*parts) < 2**31
    assert seed_of(*parts) == seed_of(*parts)


def test_numbers_that_are_none_have_no_key(synthetic):
    """NaN is no part of an identity: it would differ from itself."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        _ = synthetic.trial(params={"k": float("nan")}).key
