"""The command line: what it says, where it says it, and the exit code it leaves with."""

import csv
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

TOYS = Path(__file__).parent / "toys"
COMMAND = (sys.executable, "-W", "error", "-c", "from adbench.cli import main; main()")
TOY_RUN = ("run", "-d", "toy-distance", "-d", "toy-noise", "-D", "toy-table", "--seeds", "1", "-j", "1")


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A folder in which toys have run, once for all tests."""
    folder = tmp_path_factory.mktemp("ran")
    environment = os.environ | {"PYTHONPATH": str(TOYS), "ADBENCH_CACHE": str(tmp_path_factory.mktemp("cache"))}
    subprocess.run([*COMMAND, *TOY_RUN], cwd=folder, env=environment, capture_output=True, check=True)
    return folder


@pytest.fixture
def after_a_run(ran, adbench_command, tmp_path):
    """The command line in a folder where toys have run."""
    shutil.copytree(ran, tmp_path, dirs_exist_ok=True)
    return adbench_command


def keys(adbench_command):
    lines = csv.DictReader(adbench_command("export").stdout.splitlines())
    return {line["detector"]: line["key"] for line in lines}


RUN = ("run", "-d", "toy-distance", "-D", "toy-table")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["runn"], "No such command 'runn'"),
        (["list", "detector"], "'detector' is not one of 'detectors', 'datasets'"),
        (["list", "--yaml"], "No such option '--yaml'"),
        (["run"], "nothing to run: give --all, or -d DETECTOR and -D DATASET"),
        (["run", "-d"], "Option '-d' requires an argument"),
        ([*RUN, "more"], "unexpected extra argument"),
        (["run", "-d", "toy-distanse"], "no detector named 'toy-distanse'. Did you mean 'toy-distance'"),
        (["run", "-d", "toys-*"], "no detector named 'toys-*'"),
        (["run", "-d", "@flors"], "no group named '@flors'. Did you mean '@floors'"),
        (["run", "-D", "toy-tabel"], "no dataset named 'toy-tabel'. Did you mean 'toy-table'"),
        (["run", "-D", "toy-table/novel"], "no task named 'toy-table/novel'. Did you mean 'toy-table/novelty'"),
        (["run", "-D", "toy:wrong"], "no toy of that name"),
        (["run", "-D", "gs:bucket"], "no installed plugin opens 'gs' addresses"),
        (["run", "-d", "toy-images", "-D", "toy-table"], "toy-images on toy-table/novelty: takes images only"),
        (["run", "-d", "toy-distance", "-D", "toy-nowhere"], "toy-nowhere is nowhere; look elsewhere"),
        (
            ["run", "-D", "toy-nowhere", "--lane", "published"],
            "'toy-nowhere' has no task to run by default in the lane",
        ),
        ([*RUN, "--lane", "fast"], "'fast' is not one of 'corrected', 'published'"),
        ([*RUN, "--profile", "fast"], "'fast' is not one of 'quick', 'standard', 'full'"),
        ([*RUN, "--executor", "slurm"], "'slurm' is not one of"),
        ([*RUN, "--seeds", "0"], "0 is not in the range x>=1"),
        ([*RUN, "--seeds", "three"], "'three' is not a valid integer range"),
        ([*RUN, "--seed", "x"], "'x' is not a valid integer"),
        ([*RUN, "-j", "0"], "0 is not in the range x>=1"),
        ([*RUN, "--timeout", "soon"], "--timeout takes something like 90, 30s, 10m or 1.5h; got 'soon'"),
        ([*RUN, "--timeout", "0"], "--timeout takes something like 90, 30s, 10m or 1.5h; got '0'"),
        ([*RUN, "--timeout", "-5m"], "got '-5m'"),
        ([*RUN, "--budget", "1 fortnight"], "--budget takes something like"),
        ([*RUN, "--memory", "much"], "--memory takes something like 500MB, 4GB or 2GiB; got 'much'"),
        ([*RUN, "--set", "power=2"], "--set takes NAME.PARAM=VALUE; got 'power=2'"),
        ([*RUN, "--set", "toy-distance.pwer=2"], "'toy-distance' has no parameter 'pwer'. Did you mean 'power'?"),
        ([*RUN, "--set", "toy-distance.power=high"], "'power' of toy-distance must be float; got 'high'"),
        ([*RUN, "--set", "toy-distance.power=1e999"], "--set takes finite numbers; got 1e999"),
        (
            [*RUN, "--set", "toy-distance.power=" + "[" * 100_000],
            "--set takes values that are nested less deeply; got [[",
        ),
        ([*RUN, "--memory", "9" * 400], "--memory takes something like 500MB"),
        ([*RUN, "--set", "toy-noise.power=2"], "no chosen detector or dataset named 'toy-noise'"),
        ([*RUN, "--data-dir", "no-such-folder"], "the data folder given by --data-dir does not exist: no-such-folder"),
        ([*RUN, "--data-dir", "a-file"], "'a-file' is a file"),
        ([*RUN, "--store", "a-file"], "'a-file' is a file"),
        ([*RUN, "--model-dir", "a-file"], "'a-file' is a file"),
        (
            [*RUN, "--out", "pages", "--model-dir", "a-file/m"],
            "a-file/m cannot be used for --model-dir: Not a directory",
        ),
        ([*RUN, "--skip-train"], "nothing is fitted with --skip-train: give --model-dir"),
        (
            [*RUN, "--out", "pages", "--skip-train", "--model-dir", "no-such-folder"],
            "there is no folder no-such-folder with fitted models: run once without --skip-train",
        ),
        ([*RUN, "--out", "a-file/pages"], "the folder a-file/pages cannot be written: Not a directory"),
        (
            [*RUN, "--out", "pages", "--store", "a-file/store"],
            "the store folder a-file/store cannot be written: Not a directory",
        ),
        ([*RUN, "--out", "garden"], "garden/README.md was not made by adbench and would be overwritten"),
        (["leaderboard"], "there is no store in adbench-results: 'adbench run' makes one"),
        (["leaderboard", "--store", "diary"], "diary/results.db cannot be read: file is not a database"),
        (["leaderboard", "--check"], "there is no store in adbench-results"),
        (["export"], "there is no store in adbench-results"),
        (["export", "--format", "xlsx"], "'xlsx' is not one of 'csv', 'parquet'"),
        (["export", "--format", "parquet"], "parquet is no text: give --out FILE"),
        (["show"], "Missing argument 'TRIAL'"),
        (["show", "0123"], "there is no store in adbench-results"),
        (["why", "0123", "4567", "--store", "diary"], "file is not a database"),
    ],
    ids=lambda value: " ".join(value)[:80] if isinstance(value, list) else "",
)
def test_mistakes(adbench_command, tmp_path, words, told):
    """Every mistake gets one line on the error stream, exit code 2, and leaves nothing behind."""
    tmp_path.joinpath("a-file").write_text("")
    tmp_path.joinpath("pages").mkdir()
    for folder, name in (("garden", "README.md"), ("diary", "results.db")):
        tmp_path.joinpath(folder).mkdir()
        tmp_path.joinpath(folder, name).write_text("Dear diary")
    before = set(tmp_path.iterdir())

    done = adbench_command(*words)

    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("adbench: ")
    assert (done.stdout, done.returncode) == ("", 2)
    assert {path for path in tmp_path.iterdir() if path.name != "cache"} == before


@pytest.mark.parametrize("words", [["--help"], ["-h"], ["run", "--help"], ["leaderboard", "-h"]], ids=" ".join)
def test_help(adbench_command, words):
    """Help is asked for: it goes to standard output, exit code 0."""
    done = adbench_command(*words)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Usage: " in done.stdout


def test_no_command_shows_help(adbench_command):
    """Without a command the help is shown, as a mistake."""
    done = adbench_command()
    assert (done.returncode, done.stdout) == (2, "")
    assert "Commands:" in done.stderr


def test_version(adbench_command):
    """The version is the distribution's."""
    import adbench

    assert adbench_command("--version").stdout == f"adbench {adbench.__version__}\n"


@pytest.mark.parametrize(
    ("kind", "name", "fields"),
    [
        ("detectors", "toy-distance", {"family": "toy", "accepts": ["vector"], "plugin": "adbench-toys 1.0"}),
        ("datasets", "toy-table", {"modality": "table", "plugin": "adbench-toys 1.0"}),
        ("thresholds", "contamination", {"promises": "rate"}),
        ("metrics", "auroc", {}),
        ("plugins", "toys", {"distribution": "adbench-toys", "version": "1.0", "error": ""}),
    ],
)
def test_list(adbench_command, kind, name, fields):
    """Each kind can be listed as lines and as JSON with all fields."""
    lines = adbench_command("list", kind)
    entries = {entry["name"]: entry for entry in json.loads(adbench_command("list", kind, "--json").stdout)}

    assert re.search(rf"^{name} ", lines.stdout, re.MULTILINE)
    assert (lines.stderr, lines.returncode) == ("", 0)
    assert len(lines.stdout.splitlines()) == len(entries)
    assert {field: entries[name][field] for field in fields} == fields


def test_list_shows_tasks(adbench_command):
    """A dataset's tasks are listed, those in brackets that do not run by default."""
    (line,) = (line for line in adbench_command("list", "datasets").stdout.splitlines() if "toy-table" in line)
    assert "novelty (half) (first-rows)" in line


def test_list_everything(adbench_command):
    """Without a kind, detectors, datasets and plugins are listed with their numbers."""
    lines = adbench_command("list").stdout.splitlines()
    heads = [line.split()[0] for line in lines if not line.startswith(" ")]
    assert heads == ["detectors", "datasets", "plugins"]


def test_broken_plugins_are_told(adbench_command, tmp_path, monkeypatch):
    """A broken plugin is listed as such, and a run says that it is left out, and runs."""
    folder = tmp_path / "broken" / "sick-1.0.dist-info"
    folder.mkdir(parents=True)
    folder.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: sick\nVersion: 1.0\n")
    folder.joinpath("entry_points.txt").write_text("[adbench]\nsick = no_such_module_anywhere\n")
    monkeypatch.syspath_prepend(folder.parent)

    listed, ran = adbench_command("list", "plugins"), adbench_command(*TOY_RUN)

    assert re.search(r"sick +sick 1.0 +BROKEN: ModuleNotFoundError", listed.stdout)
    assert "plugin sick (sick 1.0) is broken and left out: ModuleNotFoundError" in ran.stderr
    assert ran.returncode == 0


def test_run(adbench_command, tmp_path):
    """A run says what it does on the error stream, what came of it on standard output, and writes the pages."""
    done = adbench_command(*TOY_RUN)

    assert done.stdout == "2 trials: 2 ok. Leaderboard: leaderboards/README.md\n"
    assert done.stderr.splitlines()[0] == "2 trials to run"
    assert len(done.stderr.splitlines()) == 3
    assert {path.name for path in tmp_path.joinpath("leaderboards").iterdir()} == {
        *("README.md", "toy-table@toy.md", "thresholds.md", "cost.md", "index.html"),
        *("chart-seconds-quick-corrected.svg", "chart-memory-quick-corrected.svg"),
    }


def test_run_tells_what_it_leaves_out(adbench_command):
    """Pairs that cannot work and datasets that are not here are told, and do not count as failures."""
    done = adbench_command("run", "-d", "toy-*", "-D", "toy-*", "--seeds", "1")

    assert "no data here for 1 dataset: toy-nowhere" in done.stderr
    assert "1 pairs left out: the detector takes images only, and this is a table" in done.stderr
    assert done.returncode == 0


def test_run_again_runs_nothing(after_a_run):
    """The same command finds everything done, and says so as JSON when asked."""
    again = after_a_run(*TOY_RUN, "--json")

    assert again.stderr.splitlines() == ["0 trials to run"]
    assert json.loads(again.stdout) == {"interrupted": False, "trials": {"ok": 2}}


def test_dry_run(adbench_command, tmp_path):
    """A dry run shows the plan and its forecast, and writes nothing."""
    before = adbench_command(*TOY_RUN, "--dry-run")
    assert not list(tmp_path.glob("adbench-results*")) + list(tmp_path.glob("leaderboards*"))

    adbench_command(*TOY_RUN)
    after = adbench_command(*TOY_RUN[:-4], "--seeds", "2", "--dry-run")

    assert re.fullmatch(
        r"[0-9a-f]{12}  toy-distance  toy-table@toy/novelty #0\n[0-9a-f]{12}  toy-noise  toy-table@toy/novelty #0\n"
        r"2 trials to run, 0 done already; time: not known: nothing like it has run here\n",
        before.stdout,
    )
    assert re.search(r"^2 trials to run, 2 done already; time: about .* s$", after.stdout, re.MULTILINE)


def test_leaderboard(after_a_run, tmp_path):
    """The pages that a run wrote are those that the store gives."""
    pages = tmp_path / "leaderboards"
    written = {path.name: path.read_bytes() for path in pages.iterdir()}

    made = after_a_run("leaderboard")
    check = after_a_run("leaderboard", "--check")

    assert made.stdout == "Leaderboard: leaderboards/README.md\n"
    assert {path.name: path.read_bytes() for path in pages.iterdir()} == written
    assert (check.returncode, check.stderr) == (0, "")


def test_leaderboard_check_finds_a_change(after_a_run, tmp_path):
    """With --check a changed page is told, exit code 1, and neither pages nor results are touched."""
    page = tmp_path / "leaderboards" / "toy-table@toy.md"
    page.write_text(page.read_text().replace("toy-distance", "my-detector"))
    database = tmp_path / "adbench-results" / "results.db"
    before = page.read_bytes(), database.read_bytes()

    done = after_a_run("leaderboard", "--check")

    assert done.returncode == 1
    assert "toy-table@toy.md: differs, first at" in done.stderr
    assert "1 pages in leaderboards are not what these results give" in done.stderr
    assert (page.read_bytes(), database.read_bytes()) == before


def test_export(after_a_run, tmp_path):
    """The long form goes to standard output or to a file, as text or as parquet by the file's name."""
    import pandas as pd

    printed = after_a_run("export").stdout
    for name in ("long.csv", "long.parquet"):
        assert after_a_run("export", "--out", name).returncode == 0

    assert tmp_path.joinpath("long.csv").read_text() == printed
    frame = pd.read_parquet(tmp_path / "long.parquet")
    assert len(frame) == len(printed.splitlines()) - 1
    assert set(frame["detector"]) == {"toy-distance", "toy-noise"}


def test_export_where_it_cannot(after_a_run):
    """A file that cannot be written is a mistake like any other."""
    done = after_a_run("export", "--out", "nowhere/long.csv")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "nowhere/long.csv cannot be written" in done.stderr


def test_show(after_a_run):
    """A trial is shown with what it was, how it ended, and its numbers."""
    key = keys(after_a_run)["toy-distance"]
    done = after_a_run("show", key[:10])
    body, _, numbers = done.stdout.rpartition("}\n")

    assert json.loads(body + "}")["key"] == key
    assert re.fullmatch(r"test score: AUROC [01]\.\d{4}, average precision [01]\.\d{4}\n", numbers)


def test_why(after_a_run):
    """Of two trials the differing parts are told; of one, that its code is that of now."""
    found = keys(after_a_run)
    two = after_a_run("why", found["toy-distance"], found["toy-noise"])
    one = after_a_run("why", found["toy-noise"])

    assert two.stdout == "detector: toy-distance -> toy-noise\n"
    assert one.stdout == f"nothing differs: both are {found['toy-noise'][:12]}\n"


def test_wrong_keys(after_a_run):
    """A key that fits no trial is told with the way to see all."""
    for command in ("show", "why"):
        done = after_a_run(command, "zz")
        assert done.stderr == "adbench: no trial named 'zz'. ('adbench export' shows all.)\n"
        assert done.returncode == 2


def test_a_closed_pipe_is_no_error():
    """A reader that has seen enough, as 'adbench list | head' has, gets no traceback."""
    with subprocess.Popen([*COMMAND, "list", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""


def test_a_closed_pipe_stops_no_run(toys, tmp_path):
    """'adbench run 2>&1 | head -1' runs everything, writes the pages, and says nothing more."""
    reading, writing = os.pipe()
    with subprocess.Popen([*COMMAND, *TOY_RUN], cwd=tmp_path, stdout=writing, stderr=writing) as process:
        os.close(writing)
        os.close(reading)
        assert process.wait() == 0
    assert tmp_path.joinpath("leaderboards", "README.md").read_text().count("toy-distance")


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_termination_outside_a_run_cleans_up(tmp_path, heeded_signals, name):
    """Ended from outside, a command removes its temporary folders and leaves as after Ctrl-C."""
    code = (
        "import tempfile, time, click\n"
        "from adbench import cli\n"
        "@click.command()\n"
        "def wait():\n"
        "    with tempfile.TemporaryDirectory():\n"
        "        print('here', flush=True); time.sleep(60)\n"
        "cli.app.add_command(wait)\n"
        "import sys; sys.argv = ['adbench', 'wait']\n"
        "cli.main()"
    )
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"here\n"
        process.send_signal(signal.Signals[name])
        assert process.stderr.read() == b"\nadbench: interrupted\n"
    assert process.returncode == 130
    assert not list(tmp_path.iterdir())


def test_in_a_process_of_its_own():
    """As a script, too, a mistake is one line and exit code 2."""
    done = subprocess.run([*COMMAND, "run", "-d", "toy"], capture_output=True, text=True)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
