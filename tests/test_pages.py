import pytest

from adbench.errors import UsageError
from adbench.reporting import pages
from adbench.reporting.markdown import MARK

PAGES = {"README.md": f"{MARK}\n\n# Leaderboard\n", "moons.md": f"{MARK}\n\n# moons\n\nα ≈ .5\n"}


def contents(folder):
    return {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def test_pages_are_written(tmp_path):
    """Pages are written as they are, into a folder that is made for them, and nothing else is left there."""
    written = pages.write(PAGES, tmp_path / "deep" / "out")

    assert contents(tmp_path / "deep" / "out") == PAGES
    assert [path.name for path in written] == list(PAGES)
    assert pages.differences(PAGES, tmp_path / "deep" / "out") == []


@pytest.mark.parametrize("name", ["README.md", "moons.md"])
def test_somebody_elses_page_is_left_alone(tmp_path, name):
    """A page of the same name that we did not make stops everything before anything is written."""
    tmp_path.joinpath(name).write_text("# My garden\n")

    with pytest.raises(UsageError, match=f"{name} was not made by adbench and would be overwritten"):
        pages.write(PAGES, tmp_path)
    assert contents(tmp_path) == {name: "# My garden\n"}


def test_own_stale_pages_go(tmp_path):
    """A page of ours that no longer belongs is removed; other people's files and folders stay."""
    tmp_path.joinpath("circles.md").write_text(f"{MARK}\n\n# circles\n")
    tmp_path.joinpath("notes.md").write_text("# Notes\n")
    tmp_path.joinpath("binary.md").write_bytes(b"\xff\xfe")
    tmp_path.joinpath("folder.md").mkdir()

    pages.write(PAGES, tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "README.md",
        "binary.md",
        "folder.md",
        "moons.md",
        "notes.md",
    ]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda out: out.joinpath("moons.md").unlink(), "moons.md: is missing"),
        (lambda out: out.joinpath("old.md").write_text(f"{MARK}\n"), "old.md: no longer belongs here"),
        (
            lambda out: out.joinpath("moons.md").write_text(PAGES["moons.md"].replace(".5", ".6"), encoding="utf-8"),
            "moons.md: differs, first at '-α ≈ .6'",
        ),
        (
            lambda out: out.joinpath("moons.md").write_bytes(PAGES["moons.md"].replace("\n", "\r\n").encode()),
            f"moons.md: differs, first at {'-' + MARK + chr(13)!r}",
        ),
        (lambda out: out.joinpath("moons.md").write_bytes(b"\xff\xfe"), "moons.md: differs, first at '-\ufffd\ufffd'"),
    ],
    ids=["missing", "stale", "changed", "line ends", "no text"],
)
def test_differences(tmp_path, change, told):
    """Each page that is not, to the byte, what it should be is told with its first difference; nothing is mended."""
    pages.write(PAGES, tmp_path)
    change(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    assert pages.differences(PAGES, tmp_path) == [told]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_differences_of_nothing(tmp_path):
    """Where there is no folder, every page is missing, and none is made."""
    assert pages.differences(PAGES, tmp_path / "out") == ["README.md: is missing", "moons.md: is missing"]
    assert not (tmp_path / "out").exists()


def test_folder_that_cannot_be_written(tmp_path):
    """A file where the folder should be is told before anything is run."""
    tmp_path.joinpath("out").write_text("")

    with pytest.raises(UsageError, match=r"the folder .*out cannot be written: .*; give another --out"):
        pages.check_folder(tmp_path / "out")
