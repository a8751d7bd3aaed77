import pytest

from adbench.planning import provenance
from adbench.planning.provenance import code_of, machine_facts, source_hash, versions_of
from adbench.registry import Plugin


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package that can be found, and that must never be imported."""
    folder = tmp_path / "found_not_imported"
    folder.joinpath("deep").mkdir(parents=True)
    folder.joinpath("__init__.py").write_text("raise RuntimeError('imported')\n")
    folder.joinpath("deep", "net.py").write_text("layers = 3\n")
    monkeypatch.syspath_prepend(tmp_path)
    source_hash.cache_clear()
    return folder


def hash_of_now():
    source_hash.cache_clear()
    return source_hash("found_not_imported")


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: folder.joinpath("deep", "net.py").write_text("layers = 4\n"),
        lambda folder: folder.joinpath("deep", "net.py").rename(folder / "deep" / "nets.py"),
        lambda folder: folder.joinpath("new.py").write_text(""),
        lambda folder: folder.joinpath("deep", "net.py").unlink(),
    ],
    ids=["changed", "renamed", "added", "removed"],
)
def test_source_hash_follows_every_file(package, change):
    """A Python file that changes, moves, comes or goes makes another source hash."""
    before = hash_of_now()
    change(package)

    assert hash_of_now() != before


def test_source_hash_ignores_what_is_no_code(package):
    """Compiled files and data leave the hash, and a second look gives the same."""
    before = hash_of_now()
    package.joinpath("notes.txt").write_text("bought milk")
    package.joinpath("deep", "net.pyc").write_bytes(b"\0")

    assert hash_of_now() == before
    assert len(before) == 64


def test_single_modules_have_a_hash(tmp_path, monkeypatch):
    """A plugin may be one file."""
    monkeypatch.syspath_prepend(tmp_path)
    tmp_path.joinpath("one_file_alone.py").write_text("x = 1\n")
    one = source_hash("one_file_alone")
    tmp_path.joinpath("one_file_alone.py").write_text("x = 2\n")
    source_hash.cache_clear()

    assert source_hash("one_file_alone") != one


def test_code_of_a_target(package):
    """The identity of code is its distribution, version, and the hash of the target's whole package."""
    plugin = Plugin("near", "near", "adbench-near", "2.5")

    assert code_of(plugin, "found_not_imported.deep.net:Net") == {
        "distribution": "adbench-near",
        "version": "2.5",
        "source": hash_of_now(),
    }


def test_versions():
    """A distribution is told with what it requires directly; extras and the unknown are left out."""
    found = versions_of("adbench-suite")

    assert {"adbench-suite", "numpy", "click"} <= set(found)
    assert "pytest" not in found
    assert versions_of("no-such-distribution") == {}


def test_machine_facts_name_nobody(monkeypatch):
    """A reader learns processor, memory and versions, and neither host nor user."""
    monkeypatch.setattr("platform.node", lambda: pytest.fail("the host's name was looked up"))
    facts = machine_facts(jobs=2, threads=1)

    assert facts["jobs"] == 2
    assert facts["memory_gb"] > 0
    assert facts["processor"]


def test_no_commit_outside_a_checkout(tmp_path, monkeypatch):
    """An installed copy has no commit to tell."""
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "site-packages" / "adbench" / "planning" / "x.py"))
    assert "commit" not in machine_facts(jobs=1, threads=1)
