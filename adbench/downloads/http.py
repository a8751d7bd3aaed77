"""Downloads by http and https that go on where they stopped, in this run or an earlier one."""

from __future__ import annotations

import ipaddress
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from adbench.downloads.failures import Dropped, SourceFailed
from adbench.errors import one_line

#: Where neither the plugin nor the server says how long a file is.
MOST_BYTES = 8 << 30
_MOST_REDIRECTS = 10
_REDIRECTS = (301, 302, 303, 307, 308)
_WORTH_ANOTHER_TRY = (408, 425, 429)
_CHUNK = 1 << 16
_PROGRESS = 1 << 16
_COMPRESSED = (".gz", ".tgz", ".bz2", ".xz")


@dataclass(frozen=True)
class Patience:
    """How long a source is asked before it is given up.

    Parameters
    ----------
    tries
        How many in a row may bring nothing new.
    pause
        Seconds before the second try, doubled before each further one.
    longest_pause
        Seconds; also the most that a server's ``Retry-After`` is followed.
    timeout
        Seconds without a byte after which a connection counts as lost.
    """

    tries: int = 5
    pause: float = 1.0
    longest_pause: float = 60.0
    timeout: float = 30.0


@dataclass
class Resuming:
    """A downloader for pooch, which itself starts anew each time.

    What came is kept in ``partial`` until it is whole, and a note beside it says of which address and
    state it is part. Going on asks for the rest under the condition that the file is still the same
    (``Range`` with ``If-Range``); a server that knows neither sends the whole, and it is taken from the
    start.

    Parameters
    ----------
    partial
        Where to keep what came.
    size
        Bytes, if known: a file of any other length is refused.
    checked
        Whether a checksum is known. Without one, and without a state to hold the rest against, nothing is resumed.
    patience
        For a server that fails.
    paused
        Told why a server is asked again, and in how many seconds.
    advanced
        Told how many bytes there are, and of how many, if known.

    Notes
    -----
    A redirect is followed to http and https only, and never from https to http: an https address promises
    that nobody on the way changes the file, and where no checksum is published nothing else does.

    References
    ----------
    RFC 9110, sections 10.2.3 (Retry-After), 13.1.5 (If-Range) and 14 (range requests).
    """

    partial: Path
    size: int | None = None
    checked: bool = True
    patience: Patience = field(default_factory=Patience)
    paused: Callable[[str, float], None] = lambda reason, seconds: None
    advanced: Callable[[int, int | None], None] = lambda done, total: None
    resumed: bool = False
    """Whether the last download went on from an earlier part."""

    def __call__(self, url: str, output_file: str, pooch: Any = None) -> None:
        """Download ``url`` and move the whole of it to ``output_file``.

        Raises
        ------
        SourceFailed
            If the source does not give it. What came is kept unless it is of no use.
        OSError
            If it cannot be written here.
        """
        failures, most = 0, self._have()
        with _Session() as session:
            while True:
                try:
                    self._get(session, url)
                    break
                except Dropped as drop:
                    # A server that gives a few bytes each time is no better than one that gives none.
                    failures = 1 if self._have() >= most + _PROGRESS else failures + 1
                    most = max(most, self._have())
                    # A host that never answered is seldom back within seconds.
                    tries = min(3, self.patience.tries) if drop.unreachable else self.patience.tries
                    if failures >= tries:
                        told = f"{drop.reason} ({tries} tries)"
                        raise SourceFailed(told, unreachable=drop.unreachable) from drop
                    backoff = self.patience.pause * 2 ** (failures - 1)
                    pause = min(backoff if drop.wait is None else drop.wait, self.patience.longest_pause)
                    self.paused(drop.reason, pause)
                    time.sleep(pause)
        self.partial.replace(output_file)
        self._note.unlink(missing_ok=True)

    def _get(self, session: requests.Session, url: str) -> None:
        state = self._state(url)
        have = self._have() if state else 0
        self.resumed = have > 0
        if have and have == state["length"]:  # ended between the last byte and the move
            return
        headers = {"Accept-Encoding": "identity"}  # some servers would send a .gz unpacked
        if have:
            headers["Range"] = f"bytes={have}-"
            if state["validator"]:
                headers["If-Range"] = state["validator"]
        with closing(_open(session, url, headers, self.patience.timeout)) as response:
            start, total = self._agree(response, have, state)
            self._check_length(total)
            if not start:
                self.resumed = False
                self._forget()  # before the new note: what is there is part of something else
                self._note.write_text(
                    json.dumps({"url": url, "validator": _validator(response), "length": total}), encoding="utf-8"
                )
            self._receive(response, start, total)

    def _agree(self, response: requests.Response, have: int, state: dict[str, Any]) -> tuple[int, int | None]:
        """Return where the answer's bytes belong, and how long the whole is."""
        if response.status_code == 206 and have:
            told = re.fullmatch(r"bytes (\d+)-\d*/(\d+|\*)", response.headers.get("Content-Range", "").strip())
            length = int(told[2]) if told and told[2] != "*" else state["length"]
            is_same = _validator(response) in ("", state["validator"]) and state["length"] in (None, length)
            if told and int(told[1]) == have and is_same:
                return have, length
        if have and response.status_code in (206, 416):
            self._forget()
            raise Dropped("the file changed while it was fetched", wait=0)
        if response.status_code != 200:
            raise _refusal(response)
        encoding = response.headers.get("Content-Encoding", "identity")
        if encoding != "identity" and not urlsplit(response.url).path.endswith(_COMPRESSED):
            raise SourceFailed(f"it sends {one_line(encoding, 20)!r} although it was asked not to compress")
        length_told = response.headers.get("Content-Length", "")
        return 0, int(length_told) if length_told.isdecimal() else None

    def _check_length(self, total: int | None) -> None:
        if total is None:
            return
        if self.size is not None and total != self.size:
            self._forget()
            raise SourceFailed(f"its file has {total:,} bytes, {self.size:,} are expected")
        if total > MOST_BYTES:
            raise SourceFailed(f"its file has {total:,} bytes; no more than {MOST_BYTES:,} are taken")

    def _receive(self, response: requests.Response, start: int, total: int | None) -> None:
        most = next(length for length in (total, self.size, MOST_BYTES) if length is not None)
        done = start
        with self.partial.open("ab" if start else "wb") as file:
            for chunk in _chunks(response):
                done += len(chunk)
                if done > most:
                    self._forget()
                    raise SourceFailed(f"it sends more than {most:,} bytes")
                file.write(chunk)
                self.advanced(done, total)
            file.flush()
            os.fsync(file.fileno())
        expected = self.size if total is None else total
        if expected is not None and done < expected:
            raise Dropped(f"the connection ended after {done:,} of {expected:,} bytes")

    def _state(self, url: str) -> dict[str, Any]:
        """Return the note on what came earlier; empty where it cannot be gone on from."""
        try:
            state: dict[str, Any] = json.loads(self._note.read_text(encoding="utf-8"))
            is_resumable = state["url"] == url and (state["validator"] or self.checked)
            return {"validator": state["validator"], "length": state["length"]} if is_resumable else {}
        except (OSError, ValueError, KeyError, TypeError):
            return {}

    def _have(self) -> int:
        return self.partial.stat().st_size if self.partial.exists() else 0

    def _forget(self) -> None:
        self.partial.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    @property
    def _note(self) -> Path:
        return self.partial.with_name(f"{self.partial.name}.json")


class _Session(requests.Session):
    """Follows no redirect by itself: it would go anywhere, and read a redirect's body however long it is."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


def _open(session: requests.Session, url: str, headers: dict[str, str], timeout: float) -> requests.Response:
    """Return the answer at the end of an address's redirects, its body not yet read."""
    for _ in range(_MOST_REDIRECTS + 1):
        response = _ask(session, url, headers, timeout)
        target = response.headers.get("Location")
        if response.status_code not in _REDIRECTS or not target:
            return response
        response.close()
        try:
            target = urljoin(url, requests.utils.requote_uri(target))
        except ValueError as error:
            raise SourceFailed(f"it redirects to no valid address: {one_line(str(error), 80)}") from error
        if url.startswith("https:") and target.startswith("http:"):
            raise SourceFailed(f"it redirects from https to {one_line(target, 80)}, where anybody could change it")
        url = target
    raise SourceFailed(f"it redirects more than {_MOST_REDIRECTS} times")


def _ask(session: requests.Session, url: str, headers: dict[str, str], timeout: float) -> requests.Response:
    try:
        scheme, host = urlsplit(url).scheme, urlsplit(url).hostname or ""
    except ValueError as error:
        raise SourceFailed(f"no valid address: {one_line(str(error), 80)}") from error
    if scheme not in ("http", "https"):
        raise SourceFailed(f"only http and https are followed, not {one_line(scheme, 20)!r}")
    # A proxy leads out of this machine, and would look for this machine's own servers on its own.
    proxies = {"http": "", "https": ""} if _is_loopback(host) else None
    try:
        return session.get(url, headers=headers, stream=True, timeout=timeout, proxies=proxies)
    except requests.exceptions.SSLError as error:
        raise SourceFailed(_told(error)) from error
    except (requests.ConnectionError, requests.Timeout) as error:
        raise Dropped(_told(error), unreachable=True) from error
    except (requests.RequestException, urllib3.exceptions.HTTPError, UnicodeError) as error:
        raise SourceFailed(_told(error)) from error


def _chunks(response: requests.Response) -> Iterator[bytes]:
    """Yield the body as it is sent: what a server calls the encoding of a .gz is the file itself."""
    try:
        yield from response.raw.stream(_CHUNK, decode_content=False)
    except urllib3.exceptions.HTTPError as error:
        raise Dropped(f"the connection was lost: {_told(error)}") from error


def _refusal(response: requests.Response) -> SourceFailed:
    status = response.status_code
    told = f"{status} {one_line(response.reason or '', 60)}".strip()
    if status in _WORTH_ANOTHER_TRY or status >= 500:
        return Dropped(told, wait=_retry_after(response.headers.get("Retry-After", "")))
    return SourceFailed(told, missing=status in (404, 410))


def _retry_after(text: str) -> float | None:
    if text.strip().isdecimal():
        return float(text)
    try:
        then = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (then.replace(tzinfo=then.tzinfo or UTC) - datetime.now(UTC)).total_seconds())


def _validator(response: requests.Response) -> str:
    """Return what tells one state of a file from another; a weak tag does not hold byte by byte."""
    tag = response.headers.get("ETag", "")
    return tag if tag.startswith('"') else response.headers.get("Last-Modified", "")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _told(error: BaseException) -> str:
    """Return the innermost reason: these errors wrap one another, with addresses of objects in between."""
    while inner := next((each for each in (getattr(error, "reason", None), *error.args) if _is_error(each)), None):
        error = inner
    text = str(error)
    return one_line(text.rpartition("): ")[2] or text, 120)


def _is_error(value: object) -> bool:
    return isinstance(value, BaseException)
