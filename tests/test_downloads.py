"""Downloads, from a real server on the loopback address that serves well and badly."""

import hashlib
import importlib.util
import random
import resource
import ssl
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from adbench.downloads.fetch import Fetcher, FetchFailed, by_folder
from adbench.downloads.http import Patience
from adbench.downloads.watch import Watch
from adbench.errors import DatasetError, UsageError
from adbench.specs import RemoteFile

REMOTE = Path(__file__).parent / "remote"
CONTENTS = random.Random(0).randbytes(300_000)
OTHERS = random.Random(1).randbytes(300_000)
HASTY = Patience(tries=3, pause=0, longest_pause=0, timeout=20)


@pytest.fixture
def lo(monkeypatch):
    """The module with the server's ways to answer."""
    monkeypatch.syspath_prepend(REMOTE)
    import loopback

    return loopback


@pytest.fixture
def server(lo, monkeypatch):
    for name in ("ADBENCH_MIRROR", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with lo.FileServer(files={"/a": CONTENTS, "/b": CONTENTS}) as running:
        yield running


class Notes(Watch):
    def __init__(self):
        self.lines, self.steps, self.pauses = [], [], []

    def paused(self, path, reason, seconds):
        self.pauses.append((path, reason, seconds))

    def said(self, line):
        self.lines.append(line)

    def advanced(self, path, done, total):
        self.steps.append((done, total))


@pytest.fixture
def fetcher(tmp_path):
    return Fetcher(tmp_path / "downloads", patience=HASTY, watch=Notes())


def remote(server, *paths, name="set/data.bin", contents=CONTENTS, algorithm="sha256", **fields):
    urls = tuple(path if ":" in path else f"{server.url}{path}" for path in paths or ["/a"])
    checksum = f"{algorithm}:{hashlib.new(algorithm, contents).hexdigest()}" if algorithm else ""
    return RemoteFile(path=name, urls=urls, checksum=checksum, **fields)


def files_in(fetcher):
    """Return the files in the downloads' folder, without the locks."""
    found = {path for path in fetcher.folder.rglob("*") if path.is_file() and path.name != ".lock"}
    return {str(path.relative_to(fetcher.folder)) for path in found}


def assert_whole(fetcher, contents=CONTENTS, name="set/data.bin"):
    assert fetcher.folder.joinpath(name).read_bytes() == contents
    assert files_in(fetcher) == {name}


def test_plain(server, fetcher):
    """A file is fetched as it is, and nothing else stays behind."""
    (brought,) = fetcher.bring([remote(server, size=len(CONTENTS))])

    assert (brought.source, brought.size) == (f"{server.url}/a", len(CONTENTS))
    assert_whole(fetcher)
    assert [asked["Accept-Encoding"] for asked in server.asked("/a")] == ["identity"]
    assert fetcher.watch.steps[-1] == (len(CONTENTS), len(CONTENTS))


@pytest.mark.parametrize("algorithm", ["md5", "sha256", ""])
def test_resume(server, fetcher, lo, algorithm):
    """A connection that is lost in the middle is gone on from, under the condition that the file is the same."""
    server.plans["/a"] = [lo.dropping(200_000)]

    fetcher.bring([remote(server, algorithm=algorithm)])

    _, second = server.asked("/a")
    assert 100_000 < int(second["Range"].removeprefix("bytes=").rstrip("-")) <= 200_000
    assert second["If-Range"] == lo.tag_of(CONTENTS)
    assert_whole(fetcher)


def test_resume_many_times(server, fetcher, lo):
    """Tries are counted anew whenever something came: a large file may be lost more often than there are tries."""
    server.plans["/a"] = [lo.dropping(70_000)] * 4

    fetcher.bring([remote(server)])

    assert len(server.asked("/a")) == 5 > HASTY.tries
    assert_whole(fetcher)


def test_resume_later(server, fetcher, lo):
    """What an earlier fetch left is gone on from by the next one."""
    server.always["/a"] = lo.dropping(0)
    server.plans["/a"] = [lo.dropping(200_000)]
    with pytest.raises(FetchFailed, match=r"the connection was lost: .*\(3 tries\)"):
        fetcher.bring([remote(server)])
    assert not fetcher.folder.joinpath("set").exists()
    server.always.clear()

    Fetcher(fetcher.folder, patience=HASTY).bring([remote(server)])

    assert int(server.asked("/a")[-1]["Range"][6:-1]) > 100_000
    assert_whole(fetcher)


def test_killed_before_the_move(server, fetcher):
    """A part that is whole is taken without another request for its bytes."""
    staging = fetcher.folder / ".partial" / "set"
    staging.mkdir(parents=True)
    staging.joinpath("data.bin.part").write_bytes(CONTENTS)
    note = f'{{"url": "{server.url}/a", "validator": "", "length": {len(CONTENTS)}}}'
    staging.joinpath("data.bin.part.json").write_text(note)

    fetcher.bring([remote(server)])

    assert server.asked("/a") == []
    assert_whole(fetcher)


@pytest.mark.parametrize("note", ["", "{}", "[]", '{"url": 3}', "\x00"])
def test_unreadable_note(server, fetcher, note):
    """A part whose note cannot be read is not gone on from."""
    staging = fetcher.folder / ".partial" / "set"
    staging.mkdir(parents=True)
    staging.joinpath("data.bin.part").write_bytes(OTHERS[:1000])
    staging.joinpath("data.bin.part.json").write_text(note)

    fetcher.bring([remote(server)])

    assert "Range" not in server.asked("/a")[0]
    assert_whole(fetcher)


def test_server_without_ranges(server, fetcher, lo):
    """A server that sends the whole again is taken from the start."""
    server.plans["/a"] = [lo.dropping(200_000), lo.without_ranges]
    fetcher.bring([remote(server)])
    assert_whole(fetcher)


def test_server_without_ranges_that_always_drops(server, fetcher, lo):
    """Coming as far as before, again and again, is no progress: the source is given up."""
    server.always["/a"] = lambda request, contents: lo.without_ranges(request, contents, only=100_000)
    with pytest.raises(FetchFailed, match=r"\(3 tries\)"):
        fetcher.bring([remote(server)])
    assert len(server.asked("/a")) == HASTY.tries


@pytest.mark.parametrize("answer", ["serve", "forgetful_of_conditions"])
@pytest.mark.parametrize("algorithm", ["sha256", ""])
def test_changed_meanwhile(server, fetcher, lo, answer, algorithm):
    """A file that changes between two requests is fetched anew: its halves are never joined."""

    def changing(request, contents):
        lo.serve(request, contents, only=200_000)
        server.files["/a"] = OTHERS

    server.plans["/a"] = [changing, getattr(lo, answer)]
    fetcher.bring([remote(server, contents=OTHERS, algorithm=algorithm)])
    assert_whole(fetcher, OTHERS)


def test_changed_unnoticed(server, fetcher, lo):
    """Where the server cannot tell that its file changed, the checksum does, and the file is fetched anew."""

    def changing(request, contents):
        lo.serve(request, contents, tag="", only=200_000)
        server.files["/a"] = OTHERS

    server.plans["/a"] = [changing, lo.tagged("")]
    fetcher.bring([remote(server, contents=OTHERS)])

    assert ["Range" in asked for asked in server.asked("/a")] == [False, True, False]
    assert_whole(fetcher, OTHERS)


@pytest.mark.parametrize("tag", ["", 'W/"weak"'])
def test_no_resume_on_trust(server, fetcher, lo, tag):
    """Without a checksum, and without a tag that holds byte by byte, nothing is gone on from."""
    server.plans["/a"] = [lo.dropping(200_000, tag=tag), lo.tagged(tag)]
    fetcher.bring([remote(server, algorithm="")])
    assert ["Range" in asked for asked in server.asked("/a")] == [False, False]
    assert_whole(fetcher)


def test_range_that_is_none(server, fetcher, lo):
    """Where the server has no rest to give, the part is dropped, and the file fetched anew."""
    server.plans["/a"] = [lo.dropping(200_000), lo.status(416)]
    fetcher.bring([remote(server)])
    assert ["Range" in asked for asked in server.asked("/a")] == [False, True, False]
    assert_whole(fetcher)


@pytest.mark.parametrize(
    ("answers", "size", "told"),
    [
        (["announcing(299_000)"], 300_000, "its file has 299,000 bytes, 300,000 are expected"),
        (["announcing(301_000)"], 300_000, "its file has 301,000 bytes, 300,000 are expected"),
        (["announcing(301_000)"] * 4, None, "the connection was lost"),
        (["announcing(10**15)"], None, "no more than 8,589,934,592 are taken"),
        (["announcing(299_000)"], None, "does not have the published sha256 checksum"),
        (["in_chunks"], 299_000, "it sends more than 299,000 bytes"),
        (["in_chunks"] * 4, 301_000, "the connection ended after 300,000 of 301,000 bytes"),
        (["without_length"], 299_000, "it sends more than 299,000 bytes"),
        (["compressed"], 300_000, "it sends 'gzip' although it was asked not to compress"),
    ],
)
def test_wrong_length(server, fetcher, lo, answers, size, told):
    """A file of another length than announced or published is refused, and never gets to its place."""
    server.plans["/a"] = [eval(answer, vars(lo)) for answer in answers]
    with pytest.raises(FetchFailed, match=told):
        fetcher.bring([remote(server, size=size)])
    assert not fetcher.folder.joinpath("set").exists()


@pytest.mark.parametrize("answer", ["in_chunks", "without_length"])
@pytest.mark.parametrize("size", [300_000, None])
def test_no_length_announced(server, fetcher, lo, answer, size):
    """A server need not say how long its file is."""
    server.plans["/a"] = [getattr(lo, answer)]
    fetcher.bring([remote(server, size=size)])
    assert_whole(fetcher)


def test_end_that_nobody_announced(server, fetcher, lo):
    """A connection that ends early without any length announced is noticed by the published size, and gone on from."""
    server.plans["/a"] = [lambda request, contents: lo.without_length(request, contents, only=200_000)]
    fetcher.bring([remote(server, size=300_000)])
    assert server.asked("/a")[1]["Range"] == "bytes=200000-"
    assert_whole(fetcher)


def test_gz_that_the_server_calls_encoded(server, fetcher, lo):
    """Some servers call a .gz gzip-encoded; it is kept as it is, not unpacked."""
    server.files["/a.gz"] = CONTENTS
    server.plans["/a.gz"] = [lo.compressed]
    fetcher.bring([remote(server, "/a.gz")])
    assert_whole(fetcher)


def test_wrong_checksum(server, fetcher):
    """Contents without the published checksum never get to their place; the next source is asked."""
    server.files["/a"] = OTHERS
    fetcher.bring([remote(server, "/a", "/b")])
    assert (len(server.asked("/a")), len(server.asked("/b"))) == (1, 1)
    assert_whole(fetcher)


def test_next_source(server, fetcher, lo):
    """A source that does not have the file passes on to the next at once."""
    (brought,) = fetcher.bring([remote(server, "/none", "/b")])
    assert (len(server.asked("/none")), brought.source) == (1, f"{server.url}/b")


def test_every_source_fails(server, fetcher, lo):
    """The error is one line that names each source and its reason; nothing is kept of refused contents."""
    server.files["/wrong"] = OTHERS
    server.always["/ill"] = lo.status(500)
    server.always["/secret"] = lo.status(403)
    with pytest.raises(FetchFailed) as failed:
        fetcher.bring([remote(server, "/none", "/wrong", "/ill", "/secret", "ftp://host/file")])

    assert str(failed.value) == (
        f"set/data.bin could not be fetched: {server.url}/none: 404 Not Found; "
        f"{server.url}/wrong: what it gives does not have the published sha256 checksum; "
        f"{server.url}/ill: 500 Internal Server Error (3 tries); {server.url}/secret: 403 Forbidden; "
        "ftp://host/file: only http and https are followed, not 'ftp'"
    )
    assert files_in(fetcher) == set()


def test_no_source(fetcher):
    """A file without any address says so."""
    with pytest.raises(FetchFailed, match="set/data could not be fetched: no address is known"):
        fetcher.bring([RemoteFile(path="set/data")])


@pytest.mark.parametrize(
    ("code", "headers"),
    [
        (503, {}),
        (503, {"Retry_After": "0"}),
        (503, {"Retry_After": "3600"}),
        (503, {"Retry_After": "Wed, 21 Oct 2099 07:28:00 GMT"}),
        (503, {"Retry_After": "soon"}),
        (429, {"Retry_After": "0"}),
        (408, {}),
        (500, {}),
        (502, {}),
        (504, {}),
    ],
)
def test_busy_then_well(server, fetcher, lo, code, headers):
    """A server that is busy is asked again, and never waited for longer than the patience allows."""
    server.plans["/a"] = [lo.status(code, **headers)] * 2
    fetcher.bring([remote(server)])
    assert len(server.asked("/a")) == 3
    assert_whole(fetcher)


def test_retry_after_is_waited(server, tmp_path, lo):
    """A server's wish for a pause is followed up to the longest one allowed."""
    fetcher = Fetcher(tmp_path, patience=Patience(tries=2, pause=0, longest_pause=0.2), watch=Notes())
    server.plans["/a"] = [lo.status(503, Retry_After="3600")]
    started = time.monotonic()
    fetcher.bring([remote(server)])
    assert fetcher.watch.pauses == [("set/data.bin", "503 Service Unavailable", 0.2)]
    assert time.monotonic() - started >= 0.2  # at least: a slower machine changes nothing


def test_endlessly_busy(server, fetcher, lo):
    """A server that stays busy is given up after the tries, and the next source asked."""
    server.always["/a"] = lo.status(503, Retry_After="0")
    fetcher.bring([remote(server, "/a", "/b")])
    assert len(server.asked("/a")) == HASTY.tries
    assert_whole(fetcher)


def test_not_reachable(server, fetcher):
    """A host that does not answer is told as such, and not asked for the next file."""
    gone = "http://127.0.0.1:9"
    fetcher.bring([remote(server, f"{gone}/a", "/a")])
    server.requests.clear()
    with pytest.raises(FetchFailed, match=r"127.0.0.1:9/b: .*Connection refused \(3 tries\)$") as failed:
        fetcher.bring([remote(server, f"{gone}/b", name="other/b.bin")])
    assert failed.value.failures[0][1] is fetcher._silent["127.0.0.1:9"]


@pytest.mark.parametrize(
    "url", ["http://", "http:///a", "http://[::1", "http://127.0.0.1:99999/", "file:///etc/passwd", "a", "http://\x00/"]
)
def test_wrong_addresses(server, fetcher, url):
    """An address that is none is a source that fails, not a crash."""
    with pytest.raises(FetchFailed, match=r"set/data.bin could not be fetched: "):
        fetcher.bring([RemoteFile(path="set/data.bin", urls=(url,))])


@pytest.mark.parametrize("target", ["/a", "{url}/a", "elsewhere/../a", "//{host}/a"])
@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirect(server, fetcher, lo, target, code):
    """Redirects are followed, and the rest of a file is asked for at their end."""
    host = server.url.removeprefix("http://")
    server.always["/moved"] = lo.redirect(target.format(url=server.url, host=host), code)
    server.plans["/a"] = [lo.dropping(200_000)]
    fetcher.bring([remote(server, "/moved")])
    assert "Range" in server.asked("/a")[1]
    assert_whole(fetcher)


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("file:///etc/passwd", "only http and https are followed, not 'file'"),
        ("ftp://host/a", "only http and https are followed, not 'ftp'"),
        ("/moved", "it redirects more than 10 times"),
        ("http://[::1", "it redirects to no valid address: Invalid IPv6 URL"),
        ("http://127.0.0.1:99999/", "Failed to parse"),
    ],
)
def test_redirect_refused(server, fetcher, lo, target, told):
    """A redirect leads to http and https only, and not round and round."""
    server.always["/moved"] = lo.redirect(target)
    with pytest.raises(FetchFailed, match=told):
        fetcher.bring([remote(server, "/moved")])
    assert files_in(fetcher) == set()


def test_redirect_from_https_to_http(server, fetcher, lo, tmp_path, monkeypatch):
    """An https address does not lead to one where anybody on the way can change the file."""
    key = ["-subj", "/CN=here", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"]
    try:
        made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *key]
        subprocess.run(made, cwd=tmp_path, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not installed")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "cert.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")
    with lo.FileServer(files={"/a": CONTENTS}) as secure:
        # Each connection shakes hands in its own thread: one that never does must not hold up the others.
        plain = secure._server.socket
        secure._server.socket = context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
        secure.always["/moved"] = lo.redirect(f"{server.url}/a")
        there = secure.url.replace("http:", "https:")

        fetcher.bring([remote(server, f"{there}/a")])
        with pytest.raises(FetchFailed, match=r"it redirects from https to http://127.0.0.1:.*, where anybody could"):
            fetcher.bring([remote(server, f"{there}/moved")], force=True)
        monkeypatch.delenv("REQUESTS_CA_BUNDLE")
        with pytest.raises(FetchFailed, match="certificate verify failed"):
            fetcher.bring([remote(server, f"{there}/a")], force=True)
    assert server.requests == []


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_proxies_do_not_break_loopback(server, fetcher, monkeypatch, name):
    """A proxy that the environment names is not asked for this machine's own servers."""
    monkeypatch.setenv(name, "http://127.0.0.1:9")
    fetcher.bring([remote(server)])
    assert_whole(fetcher)


def test_proxies_are_used_for_others(server, fetcher, monkeypatch):
    """A proxy that the environment names is asked for all other hosts."""
    monkeypatch.setenv("http_proxy", server.url)
    server.files["http://elsewhere.invalid/a"] = CONTENTS
    fetcher.bring([remote(server, "http://elsewhere.invalid/a")])
    assert_whole(fetcher)


def test_mirror_first(server, fetcher):
    """The mirror is asked before upstream, at the file's place in a data folder, odd signs escaped."""
    fetcher.mirror = f"{server.url}/mirror/"
    server.files["/mirror/set/an%20odd%23name.bin"] = CONTENTS
    (brought,) = fetcher.bring([remote(server, name="set/an odd#name.bin")])
    assert brought.source == f"{server.url}/mirror/set/an%20odd%23name.bin"
    assert server.asked("/a") == []


def test_mirror_without_the_file(server, fetcher):
    """What the mirror does not have comes from upstream; without upstream it is told as missing."""
    fetcher.mirror = f"{server.url}/mirror"
    assert fetcher.bring([remote(server)])[0].source == f"{server.url}/a"
    fetcher.upstream = False
    with pytest.raises(FetchFailed) as failed:
        fetcher.bring([remote(server, name="set/other.bin")])
    assert [failure.missing for _, failure in failed.value.failures] == [True]


@pytest.mark.parametrize("mirror", ["/mnt/data", "file:///mnt", "ftp://host", "http://", "host/data"])
def test_wrong_mirror(tmp_path, mirror):
    """A mirror is an http or https address."""
    with pytest.raises(UsageError, match="ADBENCH_MIRROR must be an http or https address; got"):
        Fetcher(tmp_path, mirror)


def test_files_of_a_folder_come_together(server, fetcher, lo):
    """Of files that belong together none is in its place until all are there; what came is not fetched again."""
    files = [remote(server, "/a", name="set/1"), remote(server, "/missing", name="set/2")]
    with pytest.raises(FetchFailed, match="set/2 could not be fetched"):
        fetcher.bring(files)
    assert not fetcher.folder.joinpath("set").exists()
    server.files["/missing"] = CONTENTS
    server.requests.clear()

    fetcher.bring(files)

    assert [path for path, _ in server.requests] == ["/missing"]
    assert files_in(fetcher) == {"set/1", "set/2"}


def test_force(server, fetcher):
    """What is in its place is fetched again only when forced to; it stays there until the new one is whole."""
    fetcher.bring([remote(server, algorithm="")])
    assert fetcher.bring([remote(server, algorithm="")]) == []
    server.files["/a"] = OTHERS
    with pytest.raises(FetchFailed):
        fetcher.bring([remote(server)], force=True)
    assert_whole(fetcher)
    fetcher.bring([remote(server, algorithm="")], force=True)
    assert_whole(fetcher, OTHERS)


def test_two_at_once(server, fetcher, lo):
    """Of two fetches at the same moment one fetches, and the other waits and finds the file."""
    other = Fetcher(fetcher.folder, patience=HASTY, watch=Notes())
    with lo.stalling(server, "/a", 100_000) as there:
        first = threading.Thread(target=fetcher.bring, args=([remote(server)],))
        first.start()
        assert there.wait(20)
        second = threading.Thread(target=other.bring, args=([remote(server)],))
        second.start()
        while not other.watch.lines:
            assert second.is_alive()
            time.sleep(0.01)
    first.join()
    second.join()

    assert other.watch.lines == ["set/ is being fetched by another process: waiting for it"]
    assert len(server.asked("/a")) == 2  # cut off when the stall ended, and gone on from
    assert_whole(fetcher)


def test_folder_that_cannot_be(server, fetcher):
    """Where no folder can be made, the line says so and names the way out."""
    fetcher.folder.write_text("a file")
    with pytest.raises(DatasetError, match=r"set/ cannot be fetched into .*: .*irector.* ADBENCH_CACHE names another"):
        fetcher.bring([remote(server)])


FETCH = """
import sys
from pathlib import Path
from adbench.downloads.fetch import Fetcher
from adbench.errors import AdbenchError
from adbench.specs import RemoteFile
url, checksum, folder = sys.argv[1:]
try:
    Fetcher(Path(folder)).bring([RemoteFile(path="set/data.bin", urls=(url,), checksum=checksum)])
except AdbenchError as error:
    sys.exit(f"{type(error).__name__}: {error}")
"""


def command(server, folder):
    return [sys.executable, "-W", "error", "-c", FETCH, *remote(server).urls, remote(server).checksum, str(folder)]


def assert_disk_was_full(done, fetcher, told, server):
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith(f"DatasetError: set/ cannot be fetched into {fetcher.folder}: {told}. What came is ")


def test_file_size_limit(server, fetcher):
    """Where the system lets a file grow no further, one line says so, and with more room the fetch goes on."""
    limited = subprocess.run(
        command(server, fetcher.folder),
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000)),
    )
    assert_disk_was_full(limited, fetcher, "File too large", server)
    assert not fetcher.folder.joinpath("set").exists()

    subprocess.run(command(server, fetcher.folder), check=True)

    assert [asked.get("Range") for asked in server.asked("/a")] == [None, "bytes=150000-"]
    assert_whole(fetcher)


def test_full_disk(server, fetcher):
    """On a full disk one line says so, and nothing is under the file's name."""
    script = f'mount -t tmpfs -o size=200k tmpfs "{fetcher.folder}" || exit 77; "$@"; code=$?; '
    script += f'find "{fetcher.folder}" -type f; exit $code'
    fetcher.folder.mkdir()
    unshare = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh"]
    try:
        done = subprocess.run([*unshare, *command(server, fetcher.folder)], capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("unshare is not installed")
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip(f"no small file system can be mounted here: {done.stderr.strip()}")

    assert_disk_was_full(done, fetcher, "No space left on device", server)
    left = {Path(line).name for line in done.stdout.splitlines()}
    assert "data.bin.part" in left
    assert "data.bin" not in left


def test_kaggle_addresses(server, fetcher):
    """A Kaggle address that is none is told; kagglehub is asked for by name where it is not installed."""
    with pytest.raises(FetchFailed, match="a Kaggle address is kaggle:OWNER/DATASET/FILE"):
        fetcher.bring([remote(server, "kaggle:owner/dataset")])
    if importlib.util.find_spec("kagglehub"):
        pytest.skip("kagglehub is installed")
    with pytest.raises(FetchFailed, match=r"it needs kagglehub: pip install 'adbench-suite\[kaggle\]'"):
        fetcher.bring([remote(server, "kaggle:owner/dataset/file.csv")])


def test_files_named_twice():
    """A file that several datasets name is fetched once."""
    files = [RemoteFile(path=path) for path in ("b/2", "a/1", "b/1", "a/1")]
    assert [[file.path for file in group] for group in by_folder(files)] == [["a/1"], ["b/1", "b/2"]]
