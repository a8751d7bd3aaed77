"""Files from elsewhere: archives that lead out, links, bombs, hostile pickles, absurd tables."""

import gzip
import io
import pickle
import resource
import stat
import struct
import subprocess
import sys
import tarfile
import zipfile

import numpy as np
import pytest

from adbench import DatasetError, check_text, read_members, read_pickle

PLAIN = {"a/one.txt": b"1", "a/two.txt": b"22", "b/three.txt": b"333"}


def make_zip(path, members, **attributes):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, contents in members.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = attributes.get("mode", 0o644) << 16
            archive.writestr(info, contents)
    return path


def make_tar(path, members, mode="w:gz", **attributes):
    with tarfile.open(path, mode) as archive:
        for name, contents in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(contents)
            for field, value in attributes.items():
                setattr(info, field, value)
            archive.addfile(info, io.BytesIO(contents))
    return path


@pytest.mark.parametrize("kind", ["zip", "w", "w:gz", "w:xz", "w:bz2"])
def test_wanted_members_are_read_in_order(kind, tmp_path):
    """Zip and tar, plain and compressed, give names and contents; what is not wanted is passed over."""
    path = tmp_path / "archive"
    make_zip(path, PLAIN) if kind == "zip" else make_tar(path, PLAIN, kind)
    assert dict(read_members(path)) == PLAIN
    assert list(read_members(path, lambda name: name.startswith("b/"))) == [("b/three.txt", b"333")]


LEADING_OUT = ["../evil", "/etc/evil", "a/../../evil", "..\\evil", "C:\\evil"]


@pytest.mark.parametrize("name", LEADING_OUT)
@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_a_path_that_leads_out_is_refused(make, name, tmp_path):
    """An archive with such a member is not read at all, wanted or not."""
    path = make(tmp_path / "archive", {name: b"evil"})
    with pytest.raises(DatasetError, match="leads out of the archive"):
        list(read_members(path, lambda name: False))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar_are_refused(kind, tmp_path):
    """Only plain files and folders are read."""
    path = make_tar(tmp_path / "archive.tar", {"one": b""}, type=kind, linkname="/etc/passwd")
    with pytest.raises(DatasetError, match="link, device or other special member"):
        list(read_members(path))


def test_a_link_in_a_zip_is_refused(tmp_path):
    """A zip tells a link by its mode."""
    path = make_zip(tmp_path / "a.zip", {"one": b"/etc/passwd"}, mode=stat.S_IFLNK | 0o777)
    with pytest.raises(DatasetError, match=r"a link \('one'\)"):
        list(read_members(path))


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_a_size_bomb_is_refused(make, tmp_path):
    """What unpacks to more than the limit is refused, be it one large member or many."""
    one = make(tmp_path / "one", {"zeros": bytes(2_000_000)})
    many = make(tmp_path / "many", {f"zeros-{number}": bytes(100_000) for number in range(20)})
    for path in (one, many):
        with pytest.raises(DatasetError, match=r"at most 1,000,000 bytes, unpacked, .* found more"):
            list(read_members(path, most_bytes=1_000_000))
    with pytest.raises(DatasetError, match="at most 19 members"):
        list(read_members(many, most_members=19))


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_one_large_member_is_refused(make, tmp_path):
    """A member is read as a whole, so it has a limit of its own; one that is not wanted is passed over."""
    path = make(tmp_path / "one", {"zeros": bytes(2_000_000), "small": b"1"})
    with pytest.raises(DatasetError, match="1,000,000 in a member; found more"):
        list(read_members(path, most_member=1_000_000))
    assert dict(read_members(path, lambda name: name == "small", most_member=1_000_000)) == {"small": b"1"}


@pytest.mark.parametrize("format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_tar_with_an_absurd_name_is_refused(format, tmp_path):
    """tarfile would read such a name into memory before anything could be said of it."""
    path = tmp_path / "long.tar.xz"
    with tarfile.open(path, "w:xz", format=format) as archive:
        archive.addfile(tarfile.TarInfo("a" * 3_000_000))
    with pytest.raises(DatasetError, match="a name or header of 3,000,"):
        list(read_members(path))


def test_a_zip_that_lies_about_a_size_is_refused(tmp_path):
    """What is read counts, not what the archive states."""
    path = make_zip(tmp_path / "liar.zip", {"zeros": bytes(2_000_000)})
    honest = struct.pack("<I", 2_000_000)
    path.write_bytes(path.read_bytes().replace(honest, struct.pack("<I", 10)))
    with pytest.raises(DatasetError):
        list(read_members(path, most_bytes=1_000_000))


@pytest.mark.parametrize(
    "contents",
    [
        b"",
        b"<html>moved</html>",
        b"PK\x03\x04" + bytes(40),
        gzip.compress(b"no tar"),
        gzip.compress(b"tar" * 5_000)[:30],
    ],
    ids=["empty", "html", "zip head", "gz of text", "cut short"],
)
def test_a_damaged_archive_is_told_in_one_line(contents, tmp_path):
    """The line names the file, without the folders above its own."""
    path = tmp_path / "data" / "set.tar.gz"
    path.parent.mkdir()
    path.write_bytes(contents)
    with pytest.raises(DatasetError, match=r"^data/set.tar.gz: expected a whole, readable archive; found one cut"):
        list(read_members(path))


def test_a_truncated_archive_is_told(tmp_path):
    """The members before the damage do not hide it."""
    whole = make_tar(tmp_path / "whole", {"noise": np.random.default_rng(1).bytes(200_000)}).read_bytes()
    path = tmp_path / "cut.tar.gz"
    path.write_bytes(whole[:100_000])
    with pytest.raises(DatasetError, match="cut short or damaged"):
        list(read_members(path))


ALLOWED = {("_codecs", "encode")}  # what older protocols write bytes with


class Hostile:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return __import__("os").system, (f"touch {self.marker}",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_that_would_run_a_command_is_refused(protocol, tmp_path):
    """The name is looked at before anything is called; the command does not run."""
    marker = tmp_path / "ran"
    with pytest.raises(DatasetError, match=r"asks for (posix|os)\.system: it could run code"):
        read_pickle(tmp_path / "batch", pickle.dumps({b"data": [Hostile(marker)]}, protocol), ALLOWED)
    assert not marker.exists()


def test_a_pickle_of_plain_data_is_read(tmp_path):
    """Plain values need no names; bytes stay bytes."""
    value = {b"data": [1, 2.5, "text"], b"labels": (None, True)}
    assert read_pickle(tmp_path / "batch", pickle.dumps(value), ()) == value


@pytest.mark.parametrize(
    "bomb",
    [
        b"c_codecs\nencode\n(V" + b"a" * 100 + b"\nVhex\ntR.",
        b"cnumpy\nndarray\n((I4000\nI3072\ntVu1\ntR.",
    ],
    ids=["nested codecs", "an array of memory as it lies"],
)
def test_names_that_are_allowed_cannot_be_abused(bomb, tmp_path):
    """Only what writes bytes and fills arrays is done with them."""
    allowed = {("_codecs", "encode"), ("numpy", "ndarray"), ("numpy.core.multiarray", "_reconstruct")}
    with pytest.raises(DatasetError, match="a damaged one"):
        read_pickle(tmp_path / "batch", bomb, allowed)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickled_array_is_read(protocol, tmp_path):
    """Arrays come out as they went in, by the few names they need."""
    allowed = {("_codecs", "encode"), ("numpy", "ndarray"), ("numpy", "dtype")}
    allowed |= {("numpy.core.multiarray", "_reconstruct"), ("numpy._core.multiarray", "_reconstruct")}
    allowed |= {("numpy._core.numeric", "_frombuffer")} if protocol == 5 else set()
    value = np.arange(12, dtype=np.uint8).reshape(3, 4)
    np.testing.assert_array_equal(read_pickle(tmp_path / "batch", pickle.dumps(value, protocol), allowed), value)


@pytest.mark.parametrize("contents", [b"", b"garbage", pickle.dumps([1, 2, 3])[:-3], b"\x80\x04\x95" + b"\xff" * 8])
def test_a_damaged_pickle_is_told_in_one_line(contents, tmp_path):
    """Whatever the unpickler raises becomes one line that names the file."""
    with pytest.raises(DatasetError, match="batch: expected a pickle of plain arrays; found a damaged one"):
        read_pickle(tmp_path / "batch", contents, ())


def test_a_moderate_table_passes(tmp_path):
    """Lines and columns within the limits are accepted, at their very edge too."""
    path = tmp_path / "a.csv"
    path.write_text("a,b,c\n" + "1,2,3\n" * 1_000 + "1234567,2,3")
    check_text(path, most_columns=3, longest_line=11, most_bytes=6_017)
    for limits in ({"most_columns": 2}, {"longest_line": 10}, {"most_bytes": 6_016}):
        with pytest.raises(DatasetError, match=r"a.csv: expected"):
            check_text(path, **limits)


def test_empty_lines_do_not_hide_the_header(tmp_path):
    """Columns are counted in the first line that has any, as readers do."""
    path = tmp_path / "a.csv"
    path.write_text("\n\n" + "," * 20 + "\n1\n")
    with pytest.raises(DatasetError, match="at most 10 columns"):
        check_text(path, most_columns=10)


def test_a_line_across_pieces_counts_as_one(tmp_path, monkeypatch):
    """A line is as long as it is, however the file is read."""
    monkeypatch.setattr("adbench.files._CHUNK", 7)
    path = tmp_path / "a.csv"
    path.write_text("ab\n" + "x" * 30 + "\nab\n")
    check_text(path, longest_line=30)
    with pytest.raises(DatasetError, match="at most 29 bytes"):
        check_text(path, longest_line=29)


@pytest.mark.slow
@pytest.mark.parametrize("what", ["line", "columns"])
def test_an_absurd_table_is_refused_in_bounded_memory(what, tmp_path):
    """A line of 10 GB, or a million columns, is refused by a process that may not take 300 MB."""
    path = tmp_path / "absurd.csv.gz"
    piece = gzip.compress((b"a" if what == "line" else b",") * 100_000_000)
    path.write_bytes(piece * (100 if what == "line" else 1))  # gzip members follow one another
    code = (
        "import sys, resource; from pathlib import Path; from adbench import DatasetError, check_text\n"
        "resource.setrlimit(resource.RLIMIT_DATA, (300 << 20, 300 << 20))\n"
        "try: check_text(Path(sys.argv[1]))\nexcept DatasetError as error: print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    expected = "lines of at most 16,777,216 bytes" if what == "line" else "at most 100,000 columns"
    assert expected in done.stdout
    assert resource.getrlimit(resource.RLIMIT_DATA)[0] != 300 << 20
