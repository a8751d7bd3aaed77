"""Batches, the loop, evaluation and saving that the PyTorch detectors share."""

from collections import Counter
from itertools import chain
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from adbench_torch_training.batches import Batches
from adbench_torch_training.devices import pick_device, seeded
from adbench_torch_training.evaluation import evaluate, input_gradient
from adbench_torch_training.saving import load_network, save_network
from adbench_torch_training.scaling import Scaling
from adbench_torch_training.settings import require
from adbench_torch_training.training import OPTIMIZERS, Curve, Descent, train
from torch import nn

from adbench import PluginError, UsageError, tracking

CPU = torch.device("cpu")
ROWS = np.arange(20, dtype=np.float32).reshape(10, 2)


@pytest.fixture(autouse=True)
def _own_stream():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


@pytest.fixture
def heard(monkeypatch):
    """What training logs: a list of (step, values)."""

    points = []

    class Listener:
        def log(self, step, values):
            points.append((step, values))

        def progress(self, *told):
            pass

    monkeypatch.setattr(tracking, "_listener", Listener())
    return points


def first_column(batches):
    return [[int(row[0]) // 2 for row in batch] for (batch,) in batches]


def test_an_epoch_has_every_row_once():
    """Two epochs in batches of four: each row once an epoch, the third batch short, other orders."""
    batches = Batches((ROWS,), 4, CPU, epochs=2)

    made = first_column(batches)

    assert len(batches) == len(made) == 6 and [len(batch) for batch in made] == [4, 4, 2] * 2
    first, second = list(chain(*made[:3])), list(chain(*made[3:]))
    assert sorted(first) == sorted(second) == list(range(10)) and first != second


def test_steps_are_full_batches():
    """Five batches of four use every row twice, each again only when all have been used."""
    made = first_column(Batches((ROWS,), 4, CPU, steps=5))
    rows = list(chain(*made))

    assert [len(batch) for batch in made] == [4] * 5
    assert sorted(rows[:10]) == sorted(rows[10:]) == list(range(10))


def test_a_batch_may_be_larger_than_the_rows():
    """Rows are then repeated within it."""
    ((batch,),) = Batches((ROWS[:3],), 8, CPU, steps=1)

    assert sorted(Counter(batch[:, 0].tolist()).values()) == [2, 3, 3]


def test_members_have_orders_of_their_own():
    """With members there is a new first axis, and each member sees every row."""
    made = [batch for (batch,) in Batches((ROWS,), 5, CPU, steps=2, members=3)]

    assert [tuple(batch.shape) for batch in made] == [(3, 5, 2)] * 2
    seen = torch.cat(made, dim=1)[..., 0]
    assert (seen.sort(dim=1).values == torch.arange(0, 20, 2)).all() and (seen[0] != seen[1]).any()


def test_arrays_stay_together():
    """Labels are drawn with their rows."""
    for rows, labels in Batches((ROWS, ROWS[:, 0]), 3, CPU, epochs=1):
        assert (rows[:, 0] == labels).all()


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_training_descends(optimizer, heard):
    """Every optimizer brings a line nearer to its points, and each epoch's mean loss is logged."""
    line = nn.Linear(2, 1)
    X = torch.rand(200, 2).numpy()
    batches = Batches((X, X @ np.array([1.0, -2.0], np.float32)), 20, CPU, epochs=30)

    train(
        line, lambda rows, y: (line(rows)[:, 0] - y).square().mean(), batches, learning_rate=0.02, optimizer=optimizer
    )

    assert [step for step, _ in heard] == list(range(30))
    assert heard[-1][1]["loss"] < 0.2 * heard[0][1]["loss"] and not line.training


def test_the_rate_falls_along_half_a_cosine():
    """From its start over a half in the middle to 0 at the end."""
    weight = nn.Parameter(torch.zeros(1))
    descent, rates = Descent([weight], "adam", 0.5, cosine_over=10), []

    for _ in range(10):
        rates.append(descent.optimizer.param_groups[0]["lr"])
        descent.step(weight.square().sum())

    assert rates[0] == 0.5 and rates[5] == pytest.approx(0.25)
    assert descent.optimizer.param_groups[0]["lr"] == pytest.approx(0, abs=1e-12)


def test_the_curve_has_a_mean_for_each_member(heard):
    """Two losses a step, a point every second one, counted on from an earlier curve."""
    curve = Curve(["a", "b"], "step", 2, after=10)

    for losses in ([1.0, 5.0], [3.0, 7.0], [9.0, 9.0]):
        curve.add(torch.tensor(losses))

    assert heard == [(12, {"a": 2.0, "b": 6.0})]


def test_a_loss_that_is_not_finite_ends_the_training():
    """With the step, and what to do."""
    with pytest.raises(PluginError, match="no longer finite in step 1; try a lower learning_rate"):
        Curve(["loss"], "step", 1).add(torch.tensor(float("nan")))


def test_evaluation_joins_batches_in_order():
    """Whatever the batch size, for a tensor, a mapping, and no rows at all."""
    for size in (1, 3, 100):
        assert (evaluate(lambda rows: rows * 2, ROWS, CPU, size) == ROWS * 2).all()
        made = evaluate(lambda rows: {"sum": rows.sum(1)}, ROWS, CPU, size)
        assert (made["sum"] == ROWS.sum(1)).all()
    assert evaluate(lambda rows: rows.sum(1), ROWS[:0], CPU).shape == (0,)


def test_the_gradient_is_each_rows_own():
    """Of the sum of squares it is twice the row, in every batch size."""
    for size in (1, 3, 100):
        assert (input_gradient(lambda rows: rows.square().sum(1), ROWS, CPU, size) == 2 * ROWS).all()


def test_read_only_rows_are_taken_without_a_warning():
    """As memory-mapped files are."""
    frozen = ROWS.copy()
    frozen.flags.writeable = False

    assert (evaluate(lambda rows: rows, frozen, CPU) == ROWS).all()


def test_seeding_leaves_the_stream_alone():
    """Inside, the seed decides; outside, nothing has happened."""
    before = torch.get_rng_state()

    with seeded(3, CPU):
        first = torch.rand(2)
    with seeded(3, CPU):
        second = torch.rand(2)

    assert (first == second).all() and (torch.get_rng_state() == before).all()


@pytest.mark.parametrize("name", ["tpu", "cuda:99", "nonsense", "meta", None])
def test_a_device_that_is_not_here_is_one_line(name):
    """Named, with what is expected."""
    with pytest.raises(UsageError, match="'device' must be auto, cpu or a GPU that is here"):
        pick_device(name)


def test_scaling_takes_rows_to_the_unit_interval():
    """Constant features go to 0, rows within [0, 1] stay, and undoing gives the rows back."""
    X = np.array([[1.0, 5.0, 7.0], [3.0, 5.0, 8.0]])
    scaling, unit = Scaling((3,)), Scaling((3,))

    scaling.fit_range(X)
    unit.fit_range(X / 10)

    rows = torch.from_numpy(X.astype(np.float32))
    assert (scaling(rows) == torch.tensor([[0.0, 0, 0], [1, 0, 1]])).all()
    assert scaling.undo(scaling(rows)) == pytest.approx(rows)
    assert (unit(rows) == rows).all()


def test_constant_features_stay_near_zero():
    """Also where rounding leaves a constant a deviation of 1e-17, and where single precision sees no difference."""
    X = np.c_[np.full(57, 0.1), np.full(57, 1e-46), 1e6 + np.linspace(0, 1e-3, 57), np.linspace(-1, 2, 57)]

    for fit in (Scaling.fit_moments, Scaling.fit_range):
        scaling = Scaling((4,))
        fit(scaling, X)
        scaled = scaling(torch.from_numpy(np.float32(X)))
        assert scaled[:, :3].abs().max() < 0.1 and scaled[:, 3].abs().max() > 0.9


def test_rmsprop_is_tensorflows():
    """Its mean square starts at 1: the first step along a small gradient is as small."""
    weight = nn.Parameter(torch.zeros(1))

    Descent([weight], "rmsprop", 0.1).step(weight.sum() * 1e-3)

    assert -weight.item() == pytest.approx(0.1 * 1e-3 / np.sqrt(0.9 + 0.1 * 1e-6), rel=1e-4)


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({"batch_size": 1}, "'batch_size' must be 1 or more; got 0"),
        ({"positive": ("learning_rate",)}, "'learning_rate' must be above 0; got -1"),
        ({"positive": ("scale",)}, "'scale' must be above 0; got nan"),
    ],
)
def test_settings_out_of_range_are_one_line(limits, told):
    """With the name, what is expected and what was got."""
    settings = SimpleNamespace(batch_size=0, learning_rate=-1, scale=float("nan"))

    with pytest.raises(UsageError, match=told):
        require(settings, **limits)


def test_scaling_by_moments():
    """Mean 0 and standard deviation 1, by the training rows."""
    scaling = Scaling((2,))

    scaling.fit_moments(ROWS)

    made = scaling(torch.from_numpy(ROWS))
    assert made.mean(0) == pytest.approx(torch.zeros(2), abs=1e-6)
    assert made.std(0, correction=0) == pytest.approx(torch.ones(2))


def test_saved_tensors_come_back(tmp_path):
    """With their facts, whatever their memory format, and two that share memory."""
    weight = torch.rand(2, 3, 4, 5).to(memory_format=torch.channels_last)

    save_network(tmp_path / "new", {"weight": weight, "again": weight, "flag": torch.tensor(True)}, shape=[4, 5])
    tensors, facts = load_network(tmp_path / "new")

    assert facts == {"shape": [4, 5]} and set(tensors) == {"weight", "again", "flag"}
    assert (tensors["weight"] == weight).all()


@pytest.mark.parametrize("damage", ["missing", "empty", "cut", "text"])
def test_damaged_files_are_one_line(tmp_path, damage):
    """Named, with what was found; nothing in them can run code."""
    save_network(tmp_path, {"weight": torch.rand(50)}, shape=[1])
    path = tmp_path / "network.safetensors"
    whole = path.read_bytes()
    {
        "missing": path.unlink,
        "empty": lambda: path.write_bytes(b""),
        "cut": lambda: path.write_bytes(whole[:-20]),
        "text": lambda: path.write_text("no tensors"),
    }[damage]()

    with pytest.raises(PluginError, match=r"network.safetensors: expected a network that was saved"):
        load_network(tmp_path)
