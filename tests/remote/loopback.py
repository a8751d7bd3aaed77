"""A real web server on the loopback address that can be told to serve badly."""

import contextlib
import sys
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FileServer:
    """Serves ``files`` by their paths, with ranges and tags; ``plans`` say how it answers the next requests.

    A plan is a list of functions ``(request, contents)``, one for each request to come; after them it serves well.
    """

    files: dict = field(default_factory=dict)
    plans: dict = field(default_factory=lambda: defaultdict(list))
    always: dict = field(default_factory=dict)
    requests: list = field(default_factory=list)

    def __enter__(self):
        self._server = _Server(("127.0.0.1", 0), _Request)
        self._server.owner = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def asked(self, path):
        """Return the headers of the requests for a path."""
        return [headers for asked, headers in self.requests if asked == path]


class _Server(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        if not isinstance(sys.exception(), ConnectionError):  # a client that leaves is part of the test
            super().handle_error(request, client_address)


class _Request(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        owner = self.server.owner
        owner.requests.append((self.path, dict(self.headers)))
        plan = owner.plans[self.path]
        answer = plan.pop(0) if plan else owner.always.get(self.path, serve)
        self.close_connection = True
        if answer is serve and self.path not in owner.files:
            status(404)(self, b"")
        else:
            answer(self, owner.files.get(self.path, b""))

    def log_message(self, *_):
        pass

    def head(self, code, length=None, **headers):
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if length is not None:
            self.send_header("Content-Length", length)
        self.end_headers()


def tag_of(contents):
    return f'"{hash(contents):x}"'


def serve(request, contents, tag=None, only=None):
    """Serve as a good server does; ``only``: so many bytes, then hang up."""
    tag = tag_of(contents) if tag is None else tag
    wanted, condition = request.headers.get("Range"), request.headers.get("If-Range")
    headers = {"ETag": tag} if tag else {}
    start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and condition in (None, tag) else 0
    if start >= len(contents) > 0:
        request.head(416, 0, **headers)
    elif start:
        span = f"bytes {start}-{len(contents) - 1}/{len(contents)}"
        request.head(206, len(contents) - start, Content_Range=span, **headers)
        request.wfile.write(contents[start:][:only])
    else:
        request.head(200, len(contents), **headers)
        request.wfile.write(contents[:only])


def dropping(after, tag=None):
    return lambda request, contents: serve(request, contents, tag, only=after)


def tagged(tag):
    return lambda request, contents: serve(request, contents, tag)


def without_ranges(request, contents, only=None):
    request.head(200, len(contents), ETag=tag_of(contents))
    request.wfile.write(contents[:only])


def forgetful_of_conditions(request, contents):
    """Send the rest whatever If-Range says, as some servers do, with the tag of now."""
    start = int(request.headers["Range"].removeprefix("bytes=").rstrip("-"))
    span = f"bytes {start}-{len(contents) - 1}/{len(contents)}"
    request.head(206, len(contents) - start, Content_Range=span, ETag=tag_of(contents))
    request.wfile.write(contents[start:])


def announcing(length):
    """Announce a length and send what there is."""

    def answer(request, contents):
        request.head(200, length)
        request.wfile.write(contents)

    return answer


def without_length(request, contents, only=None):
    """Send until hanging up, as HTTP/1.0 did: nobody can tell a broken connection from the end."""
    request.head(200, Connection="close")
    request.wfile.write(contents[:only])


def in_chunks(request, contents):
    request.head(200, Transfer_Encoding="chunked")
    for start in range(0, len(contents), 50_000):
        part = contents[start : start + 50_000]
        request.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
    request.wfile.write(b"0\r\n\r\n")


def compressed(request, contents):
    request.head(200, len(contents), Content_Encoding="gzip")
    request.wfile.write(contents)


def status(code, **headers):
    return lambda request, contents: request.head(code, 0, **headers)


def redirect(target, code=302):
    return status(code, Location=target)


@contextlib.contextmanager
def stalling(server, path, after):
    """Make the server stop in the middle of a file until the block ends; give an event set once it has."""
    there, ended = threading.Event(), threading.Event()

    def answer(request, contents):
        request.head(200, len(contents), ETag=tag_of(contents))
        request.wfile.write(contents[:after])
        request.wfile.flush()
        there.set()
        ended.wait(60)

    server.plans[path].append(answer)
    try:
        yield there
    finally:
        ended.set()
