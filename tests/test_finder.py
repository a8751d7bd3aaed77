from pathlib import Path

import pytest

from adbench.errors import UsageError
from adbench.finder import Finder, cache_folder


@pytest.fixture
def data(tmp_path, monkeypatch):
    """A data folder and a download cache that both hold one file, and one each of their own."""
    for folder, names in ((tmp_path / "data", ["both.npz", "mine.npz"]), (cache_folder() / "downloads", ["both.npz"])):
        folder.joinpath("set").mkdir(parents=True)
        for name in names:
            folder.joinpath("set", name).touch()
    monkeypatch.delenv("ADBENCH_DATA", raising=False)
    return tmp_path / "data"


def test_the_cache_comes_first(data):
    """A verified download goes before the user's folder."""
    finder = Finder.from_environment(data)

    assert finder.find("set/both.npz") == cache_folder() / "downloads" / "set" / "both.npz"
    assert finder.find("set/mine.npz") == data / "set" / "mine.npz"


def test_names_in_order(data):
    """Within a folder, the first of several names that is there is found; a folder is no file."""
    finder = Finder([data])

    assert finder.find("set/none.npz", "set/mine.npz", "set/both.npz").name == "mine.npz"
    assert finder.find("set") is None
    assert finder.find("set/none.npz") is None


def test_environment_names_the_folder(data, monkeypatch):
    """ADBENCH_DATA names the folder; what is given by hand goes before it."""
    assert Finder.from_environment().folders == (cache_folder() / "downloads",)
    monkeypatch.setenv("ADBENCH_DATA", str(data))
    assert Finder.from_environment().folders[1:] == (data,)
    monkeypatch.setenv("ADBENCH_DATA", "/no/such/folder")
    assert Finder.from_environment(data).folders[1:] == (data,)


def test_relative_folders_stay_where_they_were(data, monkeypatch):
    """A relative folder is the one meant when the finder was made."""
    monkeypatch.chdir(data.parent)
    finder = Finder.from_environment("data")
    monkeypatch.chdir("/")

    assert finder.find("set/mine.npz") is not None


def test_missing_folder_is_told(monkeypatch):
    """A data folder that does not exist is a mistake, told with where it was given."""
    with pytest.raises(UsageError, match=r"given by --data-dir does not exist: /no/such"):
        Finder.from_environment("/no/such")
    monkeypatch.setenv("ADBENCH_DATA", "/no/such")
    with pytest.raises(UsageError, match=r"given by ADBENCH_DATA does not exist: /no/such"):
        Finder.from_environment()


def test_cache_folder(tmp_path, monkeypatch):
    """ADBENCH_CACHE names the cache; without it, the user's own cache folder holds it."""
    monkeypatch.setenv("ADBENCH_CACHE", str(tmp_path / "here"))
    assert cache_folder() == tmp_path / "here"
    monkeypatch.delenv("ADBENCH_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert Path(cache_folder()).name == "adbench"
