"""Fitted models that are kept and loaded: through the harness, in processes of their own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import adbench
from adbench.errors import PluginError, UsageError
from adbench.execution import models
from adbench.execution.jobs.saved import LOADED
from adbench.execution.models import ModelDir, Unusable
from adbench.planning.trial import digest
from adbench.registry import Registry
from adbench.store import Store

PLUGINS = Path(__file__).parent / "plugins"


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """The test plugins, importable here and in hosts, and a file with a line for each fit."""
    monkeypatch.syspath_prepend(PLUGINS)
    monkeypatch.setenv("PYTHONPATH", str(PLUGINS))
    monkeypatch.setenv("ADBENCH_TEST_FITS", str(tmp_path / "fits"))
    monkeypatch.setenv("ADBENCH_TEST_LUCK", str(tmp_path / "luck"))
    tmp_path.joinpath("fits").touch()
    return Registry.of(__import__("adbench_faults"), __import__("adbench_savers"))


@pytest.fixture
def run(installed, tmp_path):
    """Run a detector into a store, with models in ``models``, and tell what came of it."""

    def run(detector="saver", store="store", **options):
        options = {"seeds": 1, "jobs": 1, "model_dir": tmp_path / "models", **options}
        fits = len(tmp_path.joinpath("fits").read_text().splitlines())
        results = adbench.run([detector], ["tiny"], registry=installed, store=tmp_path / store, **options)
        with Store.open_for_reading(results.store) as opened:
            record = opened.record(results.keys[0])
            arrays = opened.arrays(record.key) if opened.has_arrays(record.key) else {}
        fits = len(tmp_path.joinpath("fits").read_text().splitlines()) - fits
        return SimpleNamespace(record=record, arrays=arrays, fits=fits, notes=record.notes, results=results)

    return run


@pytest.fixture
def model(tmp_path):
    """Find the one model that is kept."""

    def model():
        (folder,) = tmp_path.joinpath("models").iterdir()
        return folder

    return model


def kept(tmp_path):
    return sorted(path.name for path in tmp_path.joinpath("models").iterdir())


def test_a_model_is_loaded_rather_than_fitted(run):
    """In another store the same trial loads its model: nothing is fitted, and every array is to the bit the fit's."""
    fitted, loaded = run(), run(store="other")

    assert (fitted.fits, loaded.fits) == (1, 0)
    assert fitted.record.status == loaded.record.status == "ok"
    assert {"scores/test/score", "train_scores/score", "embedding/test/xy"} <= set(fitted.arrays)
    assert {"extreme/test/reconstruction", "curve/step", "curve/loss", "curve/extra"} <= set(fitted.arrays)
    assert set(fitted.arrays) == set(loaded.arrays)
    for name, array in fitted.arrays.items():
        np.testing.assert_array_equal(loaded.arrays[name], array, err_msg=name)


def test_what_is_told_of_a_loaded_model(run):
    """Its fit's seconds and notes are those of the fit, and a note says that it was loaded."""
    fitted, loaded = run(), run(store="other")

    assert loaded.record.fit_seconds == fitted.record.fit_seconds > 0
    assert fitted.notes == ("two steps were enough",)
    assert loaded.notes == (LOADED, *fitted.notes)
    assert loaded.record.versions == fitted.record.versions


def test_a_model_is_not_part_of_the_trial(run):
    """With or without models, fitted or loaded, it is the same trial with the same scores."""
    plain, fitted, loaded = run(store="plain", model_dir=None), run(), run(store="other")

    assert plain.record.key == fitted.record.key == loaded.record.key
    assert plain.notes == fitted.notes
    for name, array in plain.arrays.items():
        np.testing.assert_array_equal(loaded.arrays[name], array, err_msg=name)


def test_finished_trials_are_not_run_for_their_models(run, tmp_path):
    """A trial that is done stays done: its model is not made."""
    run(model_dir=None)
    assert run().fits == 0
    assert not kept(tmp_path)


def test_without_isolation_as_well(run):
    """The executor that runs in this process keeps and loads models too."""
    assert [run(store=store, executor="inline").fits for store in "ab"] == [1, 0]


def test_a_deleted_record_is_made_from_the_model(run, tmp_path):
    """A trial whose scores were lost is scored anew, not fitted anew."""
    fitted = run()
    (tmp_path / "store" / "scores" / f"{fitted.record.key}.npz").unlink()
    again = run()
    assert (again.fits, again.record.status) == (0, "ok")


def test_a_failed_scoring_costs_no_second_fit(run, tmp_path):
    """The model is kept before scoring: --retry-failed takes it."""
    unlucky = run("needs-luck")
    tmp_path.joinpath("luck").touch()
    lucky = run("needs-luck", retry_failed=True)

    assert (unlucky.fits, unlucky.record.status) == (1, "error")
    assert (lucky.fits, lucky.record.status) == (0, "ok")


def test_a_model_can_be_browsed(run, model):
    """A folder's name says what it is, and its model.json whose it is; no folder of this machine is in it."""
    record = run(settings={"saver": {"scale": 2.0}}).record
    folder = model()
    facts = json.loads((folder / "model.json").read_text())

    assert folder.name == f"saver_tiny_novelty_0_{record.key[:16]}"
    told = ("detector", "dataset", "variant", "task", "repetition", "params", "adbench")
    assert [facts[name] for name in told] == ["saver", "tiny", "", "novelty", 0, {"scale": 2.0}, adbench.__version__]
    assert (facts["key"], facts["fit_seconds"]) == (record.key, record.fit_seconds)
    assert facts["versions"] == dict(record.versions)
    assert sorted(facts["files"]) == ["curve.npz", "state/mean.npy", "state/more/still/own.json"]
    assert str(folder.parent) not in (folder / "model.json").read_text()


@pytest.mark.parametrize(
    "other",
    [{"seed": 1}, {"settings": {"saver": {"scale": 2.0}}}, {"settings": {"tiny": {"n": 100}}}],
    ids=["seed", "parameter", "rows"],
)
def test_another_trial_has_another_model(run, other):
    """Another seed, parameter or other rows never find this model; with --skip-train that is said."""
    run()
    skipped = run(store="other", skip_train=True, **other).record
    assert skipped.status == "skipped"
    assert "only one of other code, data or settings; run once without --skip-train" in skipped.reason


def test_changed_code_has_another_model(run, tmp_path, monkeypatch):
    """When a detector's source changes, its old model is not met."""
    from adbench.planning import provenance

    run()
    monkeypatch.setattr(provenance, "source_hash", lambda package: "0" * 64)
    assert run(store="other").fits == 1
    assert len(kept(tmp_path)) == 2


def test_skip_train(run):
    """With --skip-train a model is loaded, what has none is skipped with the way out, and runs later without it."""
    run()
    loaded = run(store="other", skip_train=True)
    missing = run("other-saver", store="other", skip_train=True)
    later = run("other-saver", store="other")

    assert (loaded.record.status, loaded.fits) == ("ok", 0)
    assert (missing.record.status, missing.fits) == ("skipped", 0)
    assert missing.record.reason == "no fitted model of it in --model-dir; run once without --skip-train"
    assert (later.record.status, later.fits) == ("ok", 1)


def test_skip_train_of_a_detector_that_cannot_save(run, tmp_path):
    """A detector without save and load is skipped, says why, and runs later without --skip-train."""
    tmp_path.joinpath("models").mkdir()
    skipped = run("good", skip_train=True)
    assert skipped.record.status == "skipped"
    assert "without save and load" in skipped.record.reason

    assert run("good").record.status == "ok"
    assert not kept(tmp_path)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"skip_train": True, "model_dir": None}, "nothing is fitted with --skip-train: give --model-dir"),
        ({"skip_train": True}, "there is no folder .*models with fitted models: run once without --skip-train"),
        ({"model_dir": 5}, "'model_dir' must be a folder; got 5"),
    ],
    ids=["no folder given", "no such folder", "no folder at all"],
)
def test_wrong_usage(run, tmp_path, options, words):
    """What cannot be meant is refused in one line, before anything is run."""
    with pytest.raises(UsageError, match=words) as refusal:
        run(**options)
    assert "\n" not in str(refusal.value)
    assert not tmp_path.joinpath("store").exists()


def test_a_folder_that_cannot_be_made(run, tmp_path):
    """A model folder below a file is refused in one line, before anything is run."""
    tmp_path.joinpath("a-file").touch()
    with pytest.raises(UsageError, match="a-file/models cannot be used for --model-dir: Not a directory"):
        run(model_dir=str(tmp_path / "a-file" / "models"))
    assert not tmp_path.joinpath("store").exists()


def edit(facts, **changes):
    """Change model.json as somebody would who reckons its checksum as well."""
    body = json.loads(facts.read_text()) | changes
    body.pop("sha256")
    facts.write_text(json.dumps(body | {"sha256": digest(body)}))


def rename_file(folder, name):
    facts = folder / "model.json"
    files = json.loads(facts.read_text())["files"]
    files[name] = files.pop("state/mean.npy")
    edit(facts, files=files)


def flip(path):
    contents = bytearray(path.read_bytes())
    contents[-1] ^= 1
    path.write_bytes(contents)


def link_elsewhere(folder, name):
    elsewhere = folder.parent.parent / "elsewhere"
    shutil.move(folder / name, elsewhere)
    (folder / name).symlink_to(elsewhere)


DAMAGES = {
    "altered bytes": (lambda folder: flip(folder / "state" / "mean.npy"), "state/mean.npy is not what was saved"),
    "altered curve": (lambda folder: flip(folder / "curve.npz"), "curve.npz is not what was saved"),
    "cut short": (lambda folder: os.truncate(folder / "state" / "mean.npy", 9), "state/mean.npy is not what was"),
    "missing file": (lambda folder: (folder / "state" / "mean.npy").unlink(), "state/mean.npy is missing"),
    "folder for a file": (
        lambda folder: ((folder / "state" / "mean.npy").unlink(), (folder / "state" / "mean.npy").mkdir()),
        "state/mean.npy is not what was saved",
    ),
    "pipe for a file": (
        lambda folder: ((folder / "state" / "mean.npy").unlink(), os.mkfifo(folder / "state" / "mean.npy")),
        "state/mean.npy is not what was saved",
    ),
    "no state": (lambda folder: shutil.rmtree(folder / "state"), "state/mean.npy is missing"),
    "no facts": (lambda folder: (folder / "model.json").unlink(), "model.json is missing"),
    "facts cut short": (lambda folder: os.truncate(folder / "model.json", 100), "model.json is damaged"),
    "facts that are none": (lambda folder: (folder / "model.json").write_text("[1]"), "model.json is damaged"),
    "deep facts": (lambda folder: (folder / "model.json").write_text("[" * 100_000), "model.json is damaged"),
    "empty facts": (lambda folder: (folder / "model.json").write_text(""), "model.json is damaged"),
    "changed facts": (
        lambda folder: (folder / "model.json").write_text(
            (folder / "model.json").read_text().replace('"repetition": 0', '"repetition": 1')
        ),
        "model.json is not what was written",
    ),
    "another trial's": (lambda folder: edit(folder / "model.json", key="0" * 64), "another trial's"),
    "another format": (lambda folder: edit(folder / "model.json", format=2), "another version of adbench"),
    "seconds that are none": (lambda folder: edit(folder / "model.json", fit_seconds="7"), "model.json is damaged"),
    "negative seconds": (lambda folder: edit(folder / "model.json", fit_seconds=-7.0), "model.json is damaged"),
    "notes that are none": (lambda folder: edit(folder / "model.json", notes=[7]), "model.json is damaged"),
    "versions that are none": (lambda folder: edit(folder / "model.json", versions=["x"]), "model.json is damaged"),
    "files that are none": (lambda folder: edit(folder / "model.json", files=[]), "model.json is damaged"),
    "link": (lambda folder: link_elsewhere(folder, "state/mean.npy"), "state/mean.npy is a link"),
    "link to the facts": (lambda folder: link_elsewhere(folder, "model.json"), "model.json is missing, or no plain"),
    "behind a link": (lambda folder: link_elsewhere(folder, "state"), "is a link, or lies behind one"),
    "path escape": (lambda folder: rename_file(folder, "state/../../../fits"), "names a file that no model has"),
    "absolute path": (lambda folder: rename_file(folder, "/etc/hostname"), "names a file that no model has"),
    "odd path": (lambda folder: rename_file(folder, "state//mean.npy"), "names a file that no model has"),
    "path with a null": (lambda folder: rename_file(folder, "state/\0"), "model.json is damaged"),
    "other folder": (lambda folder: rename_file(folder, "store/mean.npy"), "names a file that no model has"),
    "file in its place": (
        lambda folder: (shutil.rmtree(folder), folder.write_text("a diary")),
        "model.json is missing",
    ),
}


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """A model that the harness made, with its key."""
    folder = tmp_path_factory.mktemp("sound")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(PLUGINS)
        patch.setenv("PYTHONPATH", str(PLUGINS))
        patch.setenv("ADBENCH_CACHE", str(folder / "cache"))
        patch.setenv("ADBENCH_TEST_FITS", str(folder / "fits"))
        registry = Registry.of(__import__("adbench_faults"), __import__("adbench_savers"))
        options = {"store": folder / "store", "model_dir": folder / "models", "seeds": 1}
        results = adbench.run("saver", "tiny", registry=registry, **options)
    return folder / "models", results.keys[0]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_model_is_refused(sound, tmp_path, damage):
    """What is not what was saved is refused in one line that names no folder; untouched, it is taken."""
    folder, key = sound
    shutil.copytree(folder, tmp_path / "models")
    (model,) = (tmp_path / "models").iterdir()
    assert models.fetch(model, key, tmp_path / "sound")["key"] == key
    spoil, words = DAMAGES[damage]
    spoil(model)

    with pytest.raises(Unusable) as refusal:
        models.fetch(model, key, tmp_path / "copy")

    assert words in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert str(tmp_path) not in str(refusal.value)


@pytest.mark.parametrize("damage", ["altered bytes", "file in its place"])
def test_a_damaged_model_is_told_and_made_anew(run, model, tmp_path, damage):
    """A damaged model is never loaded: an error with --skip-train, else a note, a fit and a sound one in its place."""
    spoil, words = DAMAGES[damage]
    fitted = run()
    spoil(model())

    refused = run(store="other", skip_train=True)
    assert (refused.record.status, refused.fits) == ("error", 0)
    assert refused.record.reason.startswith("the model in --model-dir cannot be used: ")
    assert words in refused.record.reason

    again = run(store="other", retry_failed=True)
    assert (again.record.status, again.fits) == ("ok", 1)
    assert again.notes[0].startswith("the model in --model-dir could not be used and was fitted anew: ")
    assert words in again.notes[0]
    np.testing.assert_array_equal(again.arrays["scores/test/score"], fitted.arrays["scores/test/score"])

    third = run(store="third", skip_train=True)
    assert (third.record.status, third.fits) == ("ok", 0)
    assert third.notes == (LOADED, *fitted.notes)
    assert len(kept(tmp_path)) == 1
    for record in (refused.record, again.record):
        assert str(tmp_path / "models") not in record.to_json()


def test_files_beside_a_model_are_not_given_to_it(sound, tmp_path):
    """A detector loads from the files that model.json names, and sees no other."""
    folder, key = sound
    shutil.copytree(folder, tmp_path / "models")
    (model,) = (tmp_path / "models").iterdir()
    (model / "state" / "mean.pickle").write_bytes(b"trouble")
    found = models.fetch(model, key, tmp_path / "seen")
    seen = [path.relative_to(tmp_path / "seen").as_posix() for path in (tmp_path / "seen").rglob("*.*")]
    assert sorted(seen) == sorted(found["files"])


def test_a_model_that_cannot_be_loaded(run, tmp_path):
    """A load that raises is told; the detector is made anew and fitted, with the scores of a fit."""
    fitted, again = run("load-raises"), run("load-raises", store="other")
    skipped = run("load-raises", store="third", skip_train=True)

    assert again.fits == 1
    assert "ValueError: model-" in again.notes[0]
    assert "mean.npy is of another kind" in again.notes[0]
    np.testing.assert_array_equal(again.arrays["scores/test/score"], fitted.arrays["scores/test/score"])
    assert skipped.record.status == "error"
    assert "of another kind" in skipped.record.reason
    for record in (again.record, skipped.record):
        assert str(tmp_path / "models") not in record.to_json()
        assert str(tmp_path) not in replace(record, log="").to_json()


def test_loading_has_the_limits_of_a_trial(run):
    """What loading allocates counts as the trial's."""
    run("load-takes-all-memory")
    assert run("load-takes-all-memory", store="other").record.status == "memory"


@pytest.mark.parametrize(
    ("detector", "words"),
    [
        ("save-raises", "RuntimeError: cannot write model-"),
        ("save-writes-nothing", "save wrote no file into its folder"),
        ("save-links", "save wrote something that is no plain file: state/link"),
        ("save-fills-the-disk", "File too large"),
        ("copy-fills-the-disk", "File too large"),
    ],
)
def test_a_save_that_fails_loses_no_trial(run, tmp_path, detector, words):
    """A model that cannot be saved is a note: the trial is ok with its scores, and nothing of the model stays."""
    done = run(detector)

    assert done.record.status == "ok"
    assert "scores/test/score" in done.arrays
    assert done.notes[-1].startswith("the fitted model was not saved to --model-dir: ")
    assert words in done.notes[-1]
    assert str(tmp_path) not in done.record.to_json()
    assert not kept(tmp_path)
    assert not list((tmp_path / "store").rglob("mean.npy"))


def test_a_save_that_dies_leaves_nothing(run, tmp_path):
    """A process that is killed while its detector saves is a crash, and there is no model, whole or half."""
    assert run("save-dies").record.status == "crash"
    assert not kept(tmp_path)
    assert run("save-dies", store="other", skip_train=True).record.status == "skipped"


def test_what_saving_takes_is_not_the_detectors(run):
    """The 80 MB that a detector takes to save itself are not in its peak."""
    assert run("save-is-large").record.peak_mb < 60


def test_a_full_disk(run, tmp_path):
    """On a file system without room the trial is ok with a note, and no part of a model takes what room there is."""
    disk = tmp_path / "models"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk], capture_output=True)
    if mounted.returncode:
        pytest.skip("this user may mount nothing")
    try:
        done = run("slow-saver")
        assert done.record.status == "ok"
        assert done.notes[-1] == "the fitted model was not saved to --model-dir: No space left on device"
        assert not kept(tmp_path)
    finally:
        subprocess.run(["umount", disk], check=True)


def test_models_of_other_versions(run, model):
    """A model that other versions fitted is loaded with a note, and its trial is stale; --strict-versions fits anew."""
    run()
    edit(model() / "model.json", versions={"torch": "1.0"})

    loaded = run(store="other")
    strict = run(store="other", strict_versions=True)
    again = run(store="third")

    assert loaded.fits == 0
    assert loaded.notes[:2] == (LOADED, "other versions fitted it (torch 1.0 -> none)")
    assert loaded.record.versions == {"torch": "1.0"}
    assert strict.fits == 1
    assert strict.notes[0].endswith("fitted anew: other versions fitted it (torch 1.0 -> none)")
    assert (again.fits, again.notes[0]) == (0, LOADED)


def test_forecasts_count_the_fit(run, model):
    """What was loaded would have to be fitted with another seed: a forecast takes the seconds of the fit."""
    run()
    edit(model() / "model.json", fit_seconds=3600.0)
    loaded = run(store="other")

    assert loaded.record.seconds < 60
    with Store.open_for_reading(loaded.results.store) as store:
        ((*_, seconds),) = store.seconds()
    assert seconds >= 3600


def command_line(tmp_path, store, *words):
    command = [sys.executable, "-c", "from adbench.cli import main; main()", "run", "-D", "tiny", *words]
    places = ["--store", store, "--out", f"{store}-pages", "--model-dir", "models"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([*command, *places], cwd=tmp_path, **pipes)


def trials_told(run):
    """Return how a run said that its trials ended, once it has."""
    out, err = run.communicate(timeout=120)
    assert run.returncode in (0, 1), err
    return json.loads(out)["trials"]


def test_two_runs_at_once(installed, tmp_path):
    """Two runs of the same trials with one model folder are both ok, and leave one whole model for each trial."""
    words = ("-d", "slow-saver", "--seeds", "6", "-j", "2", "--json")
    runs = [command_line(tmp_path, store, *words) for store in ("one", "two")]
    assert [trials_told(run) for run in runs] == [{"ok": 6}] * 2
    assert len(kept(tmp_path)) == 6
    assert not [name for name in kept(tmp_path) if name.startswith(".")]

    assert trials_told(command_line(tmp_path, "three", *words, "--skip-train")) == {"ok": 6}
    found = []
    for store in ("one", "two", "three"):
        with Store.open_for_reading(tmp_path / store) as opened:
            records = list(opened.records().values())
            found.append({r.key: opened.arrays(r.key)["scores/test/score"].tolist() for r in records})
            assert not [note for record in records for note in record.notes if "not saved" in note or "anew" in note]
    assert found[0] == found[1] == found[2]


def test_a_killed_run_leaves_whole_models(installed, tmp_path):
    """After kill -9 in the midst of saving, each model that is there loads, and the rest is fitted."""
    words = ("-d", "slow-saver", "--seeds", "8", "-j", "2", "--json")
    run = command_line(tmp_path, "one", *words)
    deadline = time.monotonic() + 60
    while not list((tmp_path / "models").glob("slow*")):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
    run.send_signal(signal.SIGKILL)
    run.communicate()

    assert trials_told(command_line(tmp_path, "two", *words)) == {"ok": 8}
    with Store.open_for_reading(tmp_path / "two") as store:
        notes = [note for record in store.records().values() for note in record.notes]
    assert LOADED in notes
    assert not [note for note in notes if "could not be used" in note or "not saved" in note]


def test_the_command_line(installed, tmp_path):
    """From the command line: made, loaded, skipped and told on the page, with no folder of this machine on it."""
    made = command_line(tmp_path, "one", "-d", "saver", "--seeds", "2")
    made.communicate(timeout=60)
    loaded = command_line(tmp_path, "two", "-d", "saver", "-d", "good", "--seeds", "2", "--skip-train")
    out, _ = loaded.communicate(timeout=60)
    page = (tmp_path / "two-pages" / "tiny.md").read_text()

    assert (made.returncode, loaded.returncode) == (0, 0)
    assert "4 trials: 2 ok, 2 skipped" in out
    assert f"- saver on tiny/novelty #0 #1: **note**. {LOADED}" in page.replace("\\", "")
    assert "- saver on tiny/novelty #0 #1: **note**. two steps were enough" in page
    assert "**skipped**. a detector without save and load" in page
    assert str(tmp_path) not in page


def test_notes_are_bounded_and_escaped(run):
    """However much a plugin notes, a trial keeps 20 lines of 300 signs, each once, harmless where they are shown."""
    done = run("talks")
    notes = done.notes

    assert len(notes) == 21
    assert notes[-1] == "more than 20 notes: the rest is left out"
    assert notes[0] == "note 0 <b>*of*</b> many [31m"
    assert len(set(notes)) == len(notes)
    assert max(map(len, notes)) == 300
    page = done.results.to_markdown()
    assert "note 1" in page
    assert "<b>" not in page


def facts_of(key="k"):
    return {"key": key, "fit_seconds": 1.0, "notes": [], "versions": {}}


def made_in(folder, contents="state"):
    (folder / "state").mkdir(parents=True)
    (folder / "state" / "w").write_text(contents)
    return folder


def test_partial_folders_are_swept_when_nobody_can_be_writing_them(tmp_path):
    """What a killed process left a day ago goes; what another may be writing now stays, and so do models."""
    for name in (".partial-old", ".partial-new", "model"):
        made_in(tmp_path / name)
    old = time.time() - 2 * 86400
    for name in (".partial-old", "model"):
        os.utime(tmp_path / name, (old, old))
    # Like a folder that its owner renames between the look at names and the look at ages.
    (tmp_path / ".partial-gone").symlink_to("nowhere")

    ModelDir(tmp_path).open()

    assert sorted(path.name for path in tmp_path.iterdir()) == [".partial-gone", ".partial-new", "model"]


def test_the_first_of_two_equal_models_stays(tmp_path):
    """A process that finds the model written meanwhile leaves it, and nothing of its own."""
    made = made_in(tmp_path / "made")
    folder = tmp_path / "models"
    folder.mkdir()
    models.keep(made, folder / "m", facts_of())
    before = (folder / "m").stat().st_ino
    models.keep(made, folder / "m", facts_of())
    assert [path.name for path in folder.iterdir()] == ["m"]
    assert (folder / "m").stat().st_ino == before


def test_a_model_is_readable_by_whom_the_umask_lets(tmp_path):
    """A folder for a whole group: a model has the permissions of any file made here."""
    models.keep(made_in(tmp_path / "made"), tmp_path / "m", facts_of())
    assert (tmp_path / "m").stat().st_mode == (tmp_path / "made").stat().st_mode


def test_empty_state_is_no_model(tmp_path):
    """A model without state would be loaded as whatever the constructor makes."""
    (tmp_path / "made" / "state").mkdir(parents=True)
    with pytest.raises(PluginError, match="save wrote no file"):
        models.keep(tmp_path / "made", tmp_path / "m", facts_of())
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


def test_a_model_without_room_for_its_copy(tmp_path):
    """A copy that cannot be written is told without a folder's name."""
    models.keep(made_in(tmp_path / "made"), tmp_path / "m", facts_of())
    tmp_path.joinpath("a-file").touch()
    with pytest.raises(Unusable, match=r"^its copy: Not a directory$"):
        models.fetch(tmp_path / "m", "k", tmp_path / "a-file" / "copy")


def test_names_of_models(synthetic):
    """A name is one harmless part of a path, whatever a user's file is called, and another one for any other trial."""
    odd = synthetic.trial(dataset="../a b/" + "ü" * 300, variant="x\0y")
    name = models.folder_name(odd)
    assert len(name) < 255
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@-")
    assert name.startswith("alpha_")
    names = {models.folder_name(synthetic.trial(repetition=number)) for number in range(3)}
    assert len(names) == 3
