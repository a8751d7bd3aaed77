"""``adbench data`` and what a run fetches: a plugin with remote files, and a real server for them."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import adbench
from adbench.finder import cache_folder, downloads_folder, prepared_folder
from adbench.registry import Registry

REMOTE = Path(__file__).parent / "remote"
COMMAND = (sys.executable, "-W", "error", "-c", "from adbench.cli import main; main()")
PARTS = ("remote/part-1.bin", "remote/part-2.bin")
FREE = "free/free.bin"
CLOSED = "http://127.0.0.1:9"


@pytest.fixture
def lo(monkeypatch):
    """The module with the server's ways to answer; with it, the plugin is installed."""
    for name in ("ADBENCH_DATA", "ADBENCH_MIRROR", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.syspath_prepend(REMOTE)
    monkeypatch.setenv("PYTHONPATH", str(REMOTE))
    import loopback

    return loopback


@pytest.fixture
def server(lo, monkeypatch):
    """Serves all files upstream; a mirror may be filled by a test."""
    from adbench_remote import SERVER, contents

    with lo.FileServer(files={f"/upstream/{path}": contents(path) for path in (*PARTS, FREE)}) as running:
        monkeypatch.setenv(SERVER, running.url)
        yield running


@pytest.fixture
def command(server, command_line):
    """Call the command line with the server's plugin installed."""
    return command_line


def fetched():
    """Return the files that are in their place in the cache."""
    root = downloads_folder()
    found = {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}
    return {name for name in found if not name.startswith(".partial/")}


def data_folder(folder, *paths, spoiled=()):
    """Make a data folder with some of the files; those that are spoiled have a byte too few."""
    from adbench_remote import contents

    for path in paths:
        folder.joinpath(path).parent.mkdir(parents=True, exist_ok=True)
        folder.joinpath(path).write_bytes(contents(path)[: -1 if path in spoiled else None])
    return folder


def entries(done):
    return {entry["name"]: entry for entry in json.loads(done.stdout)}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["data", "fetch"], "nothing to fetch: give NAME or --all"),
        (["data", "fetch", "by-hand-1"], "no address is known for the files of by-hand-1"),
        (["data", "fetch", "remote-tabel"], "no dataset named 'remote-tabel'. Did you mean 'remote-table'"),
        (["data", "status", "nothing-*"], "no dataset named 'nothing-*'"),
        (["data", "verify", "nothing"], "no dataset named 'nothing'"),
        (["data", "path", "by-hand-1"], "by-hand-1 has no data here: put hand/1.bin into the data folder"),
        (["data", "status", "--data-dir", "nowhere"], "the data folder given by --data-dir does not exist: nowhere"),
        (["data", "stats"], "No such command 'stats'"),
        (["data", "fetch", "remote-table", "--fast"], "No such option '--fast'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_mistakes(command, words, told):
    """Every mistake is one line on the error stream, exit code 2."""
    done = command(*words)
    assert told in done.stderr
    assert (len(done.stderr.splitlines()), done.stdout, done.returncode) == (1, "", 2)


def test_status(command, monkeypatch):
    """What is here is shown with variant, rows, fingerprint, licence and citation; what is missing, by what to do."""
    import adbench_remote

    # Whatever else is installed would be decoded as well.
    monkeypatch.setattr(Registry, "discover", classmethod(lambda cls: Registry.of(adbench_remote)))
    done = command("data", "status")
    lines = done.stdout.splitlines()

    (row,) = (line for line in lines if line.startswith("remote-table"))
    assert row.split()[1:4] == ["@standin", "1,500", "rows"]
    assert "CC0 | Nobody (2024), Of bytes" in done.stdout
    assert "Made up. 'adbench data fetch remote-table' fetches 2 official files." in " ".join(done.stdout.split())
    assert "not here (1): remote-free" in lines
    assert "not here (20): by-hand-0, by-hand-1, " in done.stdout
    assert done.stdout.count("e.g. put hand/0.bin into the data folder") == 1
    assert lines[-2:] == [
        "1 of 22 datasets are here, 0 of them complete and official. 'adbench data status NAME' shows",
        "everything known of one.",
    ]
    assert max(map(len, lines)) <= 100
    assert (done.stderr, done.returncode) == ("", 0)


def test_status_decodes(command):
    """The fingerprint shown is that of the decoded arrays, which are then in the cache."""
    entry = entries(command("data", "status", "remote-table", "--json"))["remote-table"]

    assert (entry["state"], entry["variant"], entry["rows"]) == ("variant", "standin", 1500)
    assert entry["arrays"] == {"X": [1500, 100], "y": [1500]}
    assert np.load(prepared_folder(entry["fingerprint"]) / "X.npy").shape == (1500, 100)
    assert entry["to_fetch"] == list(PARTS)


def test_status_of_one(command, tmp_path):
    """A dataset that is named is shown with everything known of it, its files among it."""
    folder = data_folder(tmp_path / "data", *PARTS)
    done = command("data", "status", "remote-table", "by-hand-3", "--data-dir", str(folder))

    shown = " ".join(done.stdout.split())
    assert "remote-table: From two files. state complete official data rows 6,000 arrays X 6000×100, y 6000" in shown
    assert f"files {folder / PARTS[0]} {folder / PARTS[1]} note The whole." in shown
    assert "state missing licence not stated citation not stated note put hand/3.bin into the data folder" in shown


def test_status_with_damage(command, tmp_path):
    """Damaged data is told in one line, exit code 1, and does not keep the others from being shown."""
    folder = data_folder(tmp_path / "data", *PARTS, spoiled=PARTS)
    done = command("data", "status", "remote-*", "--data-dir", str(folder))
    found = command("data", "status", "remote-*", "--data-dir", str(folder), "--json")

    assert done.returncode == found.returncode == 1
    assert done.stderr == (
        "adbench: dataset 'remote-table': remote/part-1.bin: expected 300,000 bytes; found others. Look again.\n"
    )
    assert {name: entry["state"] for name, entry in entries(found).items()} == {
        "remote-table": "damaged",
        "remote-free": "missing",
    }


def test_fetch(command, server):
    """A fetch brings the files, says from where, and what the dataset shows now; a second one has nothing to do."""
    done = command("data", "fetch", "remote-table")
    again = command("data", "fetch", "remote-t*")

    assert done.stdout == "remote-table: 2 files, 600.0 kB; now the complete official data\n"
    assert done.stderr.splitlines() == [
        f"adbench: {path}: 300.0 kB from {server.url}/upstream/{path}" for path in PARTS
    ]
    assert fetched() == set(PARTS)
    assert again.stdout == "remote-table: nothing to fetch, its files are here and have their published checksums\n"
    assert len(server.requests) == 2


def test_fetch_what_nobody_vouches_for(command):
    """Where no checksum is published, the fetch says so."""
    done = command("data", "fetch", "remote-free")
    assert "free/free.bin: no published checksum, contents are checked when read; now the complete" in done.stdout


def test_fetch_only_what_is_missing(command, server, tmp_path):
    """A file that the data folder has is not fetched; --force fetches it all the same."""
    folder = data_folder(tmp_path / "data", PARTS[0])
    done = command("data", "fetch", "remote-table", "--data-dir", str(folder))
    assert done.stdout == "remote-table: 1 file, 300.0 kB; now the complete official data\n"

    command("data", "fetch", "remote-table", "--force", "--data-dir", str(folder))
    assert fetched() == set(PARTS)


def test_fetch_from_the_mirror(command, server, monkeypatch):
    """The mirror goes first, and upstream is asked for what it does not have."""
    server.files[f"/mirror/{PARTS[0]}"] = server.files[f"/upstream/{PARTS[0]}"]
    monkeypatch.setenv("ADBENCH_MIRROR", f"{server.url}/mirror")

    done = command("data", "fetch", "remote-table")

    assert [path for path, _ in server.requests] == [
        f"/mirror/{PARTS[0]}",
        f"/mirror/{PARTS[1]}",
        f"/upstream/{PARTS[1]}",
    ]
    assert done.returncode == 0


def test_fetch_fails(command, server, lo):
    """What cannot be had is one line with every source, exit code 2; other datasets are fetched all the same."""
    server.always[f"/upstream/{PARTS[1]}"] = lo.status(404)
    done = command("data", "fetch", "remote-*")

    assert done.stderr.splitlines()[-1] == (
        f"adbench: remote-table: remote/part-2.bin could not be fetched: {server.url}/upstream/remote/part-2.bin: "
        "404 Not Found"
    )
    assert done.returncode == 2
    assert fetched() == {FREE}


def test_two_fetches_at_once(server, lo):
    """Two commands at the same moment fetch each file once, and both end well."""
    slow = [subprocess.Popen([*COMMAND, "data", "fetch", "remote-table"], stdout=subprocess.PIPE) for _ in range(2)]
    outputs = [process.communicate()[0] for process in slow]

    assert [process.returncode for process in slow] == [0, 0]
    assert all(b"complete official data" in output or b"nothing to fetch" in output for output in outputs)
    assert sorted(path for path, _ in server.requests) == [f"/upstream/{path}" for path in PARTS]
    assert fetched() == set(PARTS)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted(server, lo, heeded_signals, number):
    """Ctrl-C keeps what came, exit code 130, and the same command goes on from there."""
    path = f"/upstream/{PARTS[0]}"
    with (
        lo.stalling(server, path, 200_000) as there,
        subprocess.Popen([*COMMAND, "data", "fetch", "remote-table"], stderr=subprocess.PIPE) as process,
    ):
        assert there.wait(60)
        part = downloads_folder() / ".partial" / f"{PARTS[0]}.part"
        while not part.exists() or part.stat().st_size < 100_000:
            assert process.poll() is None
        process.send_signal(number)
        told = process.stderr.read()
    assert process.returncode == 130
    assert told.splitlines()[0] == b"adbench: what came so far is kept; the same command goes on from there"
    assert b"Traceback" not in told
    assert fetched() == set()

    subprocess.run([*COMMAND, "data", "fetch", "remote-table"], check=True, capture_output=True)

    assert int(server.asked(path)[-1]["Range"][6:-1]) >= 100_000
    assert fetched() == set(PARTS)


def test_verify(command, tmp_path):
    """Files and decoded arrays that are what they were are told, a line each, exit code 0."""
    folder = data_folder(tmp_path / "data", *PARTS, FREE)
    command("data", "status", "remote-*", "--data-dir", str(folder))
    done = command("data", "verify", "remote-*", "--data-dir", str(folder))

    assert [line.split(":")[0].split(maxsplit=1) for line in done.stdout.splitlines()] == [
        ["ok", PARTS[0]],
        ["ok", PARTS[1]],
        ["unknown", FREE],
        ["ok", "decoded arrays of remote-table"],
        ["ok", "decoded arrays of remote-free"],
    ]
    assert (done.stderr, done.returncode) == ("", 0)


def test_verify_finds_altered_files(command, tmp_path):
    """A file that is not the published one is told with both sums and the way out, which mends it; exit code 1."""
    folder = data_folder(tmp_path / "data", *PARTS, spoiled=PARTS[1:])
    done = command("data", "verify", "remote-table", "--data-dir", str(folder))
    first, second, third = done.stdout.splitlines()

    assert first.startswith("ok      remote/part-1.bin: sha256:")
    assert second.startswith("altered remote/part-2.bin: expected md5:")
    assert second.endswith("'adbench data fetch remote-table' brings the right one")
    assert third.startswith("damaged dataset 'remote-table': ")
    assert done.returncode == 1
    command("data", "fetch", "remote-table", "--data-dir", str(folder))
    # The cache goes before the data folder.
    assert command("data", "verify", "remote-table", "--data-dir", str(folder)).returncode == 0


@pytest.mark.parametrize("damage", ["value", "missing", "nonsense"])
def test_verify_finds_altered_arrays(command, damage):
    """Decoded arrays that were altered are told and removed, so that they are decoded anew."""
    before = entries(command("data", "status", "remote-table", "--json"))["remote-table"]["fingerprint"]
    path = prepared_folder(before) / "X.npy"
    if damage == "value":
        np.load(path, mmap_mode="r+")[3, 3] = 1
    else:
        path.write_bytes(b"nonsense")
        if damage == "missing":
            path.unlink()

    done = command("data", "verify", "remote-table")

    assert done.stdout.startswith("altered decoded arrays of remote-table: ")
    assert done.returncode == 1
    assert entries(command("data", "status", "remote-table", "--json"))["remote-table"]["fingerprint"] == before
    assert command("data", "verify", "remote-table").returncode == 0


def test_path(command, tmp_path, monkeypatch):
    """Without a name the folders and the mirror are shown, with one the files in use, one a line."""
    folder = data_folder(tmp_path / "data", *PARTS)
    monkeypatch.setenv("ADBENCH_DATA", str(folder))
    monkeypatch.setenv("ADBENCH_MIRROR", "https://mirror.invalid/data")
    shown = command("data", "path").stdout
    assert str(downloads_folder()) in shown
    assert str(folder) in shown
    assert str(cache_folder() / "prepared") in shown
    assert "https://mirror.invalid/data" in shown
    assert command("data", "path", "remote-table").stdout.splitlines() == [str(folder / path) for path in PARTS]


@pytest.fixture
def run(command, monkeypatch):
    """Run a toy detector on the remote table."""
    toys = Path(__file__).parent / "toys"
    monkeypatch.syspath_prepend(toys)
    monkeypatch.setenv("PYTHONPATH", f"{REMOTE}{os.pathsep}{toys}")

    def call(*words):
        return command("run", "-d", "toy-distance", "-D", "remote-table", "--seeds", "1", "-j", "1", *words)

    return call


def shown_variant(tmp_path):
    (page,) = (path.stem for path in (tmp_path / "leaderboards").iterdir() if path.stem.startswith("remote-table"))
    return page


def test_run_downloads(run, tmp_path):
    """With --download a run fetches what is missing, and runs on the real thing."""
    done = run("--download")
    assert (shown_variant(tmp_path), done.returncode) == ("remote-table", 0)
    assert fetched() == set(PARTS)


def test_run_without_download_asks_nobody(run, server, tmp_path):
    """Without --download and without a mirror nothing is asked for: the stand-in serves, named as such."""
    assert run().returncode == 0
    assert (shown_variant(tmp_path), server.requests) == ("remote-table@standin", [])


def test_run_fails_where_downloads_do(run, server, lo, tmp_path):
    """With --download a file that cannot be had ends the run in one line, exit code 2, before anything is written."""
    server.always[f"/upstream/{PARTS[0]}"] = lo.status(404)
    done = run("--download")
    assert done.stderr.startswith("adbench: remote/part-1.bin could not be fetched: ")
    assert (len(done.stderr.splitlines()), done.stdout, done.returncode) == (1, "", 2)
    assert not tmp_path.joinpath("adbench-results").exists()


def test_run_asks_the_mirror(run, server, monkeypatch, tmp_path):
    """A mirror that is named is asked by every run, upstream is not."""
    server.files |= {f"/mirror/{path}": server.files[f"/upstream/{path}"] for path in PARTS}
    monkeypatch.setenv("ADBENCH_MIRROR", f"{server.url}/mirror/")
    assert run().returncode == 0
    assert shown_variant(tmp_path) == "remote-table"
    assert [path for path, _ in server.requests] == [f"/mirror/{path}" for path in PARTS]


def test_mirror_that_has_nothing(run, server, monkeypatch, tmp_path):
    """What the mirror does not have is simply not here: no word of it."""
    monkeypatch.setenv("ADBENCH_MIRROR", f"{server.url}/mirror")
    done = run()
    assert (shown_variant(tmp_path), done.returncode) == ("remote-table@standin", 0)
    assert done.stderr.splitlines()[0] == "1 trial to run"


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("lo.status(403)", "403 Forbidden"),
        ("lo.announcing(10)", "its file has 10 bytes, 300,000 are expected"),
        ("lo.redirect('ftp://there')", "only http and https are followed, not 'ftp'"),
    ],
)
def test_mirror_that_fails(run, server, lo, monkeypatch, tmp_path, answer, told):
    """A mirror that fails is told in one line, and the run goes on with what is here."""
    server.always[f"/mirror/{PARTS[0]}"] = eval(answer, {"lo": lo})
    monkeypatch.setenv("ADBENCH_MIRROR", f"{server.url}/mirror")
    done = run()
    first, second, *_ = done.stderr.splitlines()
    assert first.endswith(f"{PARTS[0]}: {told}. The run goes on with what is here")
    assert second == "1 trial to run"
    assert (shown_variant(tmp_path), done.returncode) == ("remote-table@standin", 0)


def test_wrong_mirror(run, monkeypatch):
    """A mirror that is no address is a mistake, exit code 2."""
    monkeypatch.setenv("ADBENCH_MIRROR", "/mnt/data")
    done = run()
    assert done.stderr == "adbench: ADBENCH_MIRROR must be an http or https address; got '/mnt/data'\n"
    assert done.returncode == 2


def test_dry_run_fetches_nothing(run, server, monkeypatch):
    """A dry run plans with what is here, whatever it could fetch."""
    monkeypatch.setenv("ADBENCH_MIRROR", f"{server.url}/mirror")
    done = run("--download", "--dry-run")
    assert "remote-table@standin/novelty" in done.stdout
    assert (server.requests, fetched()) == ([], set())


def test_mirror_out_of_reach(run, server, monkeypatch, tmp_path):
    """A mirror that does not answer is told once, and the run goes on."""
    monkeypatch.setenv("ADBENCH_MIRROR", CLOSED)
    done = run("-D", "remote-free")
    assert len([line for line in done.stderr.splitlines() if CLOSED in line]) == 1
    assert done.returncode == 0


def test_from_python(server, run, tmp_path, monkeypatch):
    """adbench.run(download=True) fetches as well; a failing mirror is a warning."""
    results = adbench.run(["toy-distance"], ["remote-table"], seeds=1, jobs=1, store=tmp_path / "store", download=True)
    assert set(results.to_frame()["variant"]) == {""}
    shutil.rmtree(downloads_folder())
    server.always[f"/mirror/{PARTS[0]}"] = lambda request, contents: request.head(403, 0)
    monkeypatch.setenv("ADBENCH_MIRROR", f"{server.url}/mirror")
    with pytest.warns(RuntimeWarning, match="403 Forbidden. The run goes on with what is here"):
        results = adbench.run(["toy-distance"], ["remote-table"], seeds=1, jobs=1, store=tmp_path / "other")
    assert set(results.to_frame()["variant"]) == {"standin"}


HEAVY = {"numpy", "pandas", "requests", "pooch", "rich", "psutil", "pyarrow", "urllib3"}


@pytest.mark.parametrize(
    "words",
    [["data", "--help"], *(["data", each, "--help"] for each in ("status", "fetch", "verify", "path")), ["data"]],
    ids=" ".join,
)
def test_help_is_light(words):
    """Help on data commands loads neither an array library nor one for the web."""
    code = f"import sys\nsys.argv[1:] = {words}\nfrom adbench.cli import main\ntry: main()\nexcept SystemExit: pass\n"
    code += "print('\\n', *{name.partition('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not set(done.stdout.splitlines()[-1].split()) & HEAVY


OFFICIAL = os.environ.get("ADBENCH_DATA", "")


@pytest.mark.skipif(not OFFICIAL, reason="needs the official files: ADBENCH_DATA")
def test_official_files_by_the_mirror(lo, tmp_path, monkeypatch):
    """The official files of MNIST and Fashion-MNIST come whole through a mirror, though connections are lost."""
    pytest.importorskip("adbench_image_pairs")
    names = [f"{kind}-{what}-ubyte.gz" for kind in ("train", "t10k") for what in ("images-idx3", "labels-idx1")]
    paths = [f"{folder}/{name}" for folder in ("mnist", "fashion_mnist") for name in names]
    official = {path: Path(OFFICIAL, path).read_bytes() for path in paths}
    with lo.FileServer(files={f"/{path}": contents for path, contents in official.items()}) as mirror:
        for path in paths[::4]:
            mirror.plans[f"/{path}"] = [lo.dropping(len(official[path]) // 2)]
        monkeypatch.setenv("ADBENCH_MIRROR", mirror.url)
        done = subprocess.run([*COMMAND, "data", "fetch", "mnist-vs-fashion"], capture_output=True, text=True)

    assert "8 files, 42." in done.stdout
    assert done.stdout.endswith("now the complete official data\n")
    assert {path: downloads_folder().joinpath(path).read_bytes() for path in paths} == official
