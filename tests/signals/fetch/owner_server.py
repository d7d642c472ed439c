"""An owner's server in a thread: files by path, and what goes wrong at the next requests."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Fault = Callable[["Handler", bytes], None]


class Server(ThreadingHTTPServer):
    """`faults` are used up one per GET; after them the server behaves."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.faults: list[Fault] = []
        self.asked: list[tuple[str, str | None]] = []  # path and Range of every GET
        self.ranges = True
        self.version: str | None = '"v1"'
        self.released = threading.Event()

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"http://{host}:{self.server_address[1]}{path}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is what some tests are about."""


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers.get("Range")))
        content = self.server.files.get(self.path, b"")
        if self.server.faults:
            self.server.faults.pop(0)(self, content)
        elif self.path not in self.server.files:
            self.send_error(404)
        else:
            self.serve(content)

    def do_HEAD(self) -> None:
        content = self.server.files.get(self.path)
        self.send_response(404 if content is None else 200)
        self.send_header("Content-Length", str(len(content or b"")))
        self.end_headers()

    def serve(self, content: bytes, most: int | None = None) -> None:
        """The file, or the rest that was asked for; `most` bytes of it before the line is cut."""
        asked, same = self.headers.get("Range"), self.headers.get("If-Range")
        begin = 0
        if asked and self.server.ranges and same in (None, self.server.version):
            begin = int(asked.removeprefix("bytes=").removesuffix("-"))
            if begin >= len(content):
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {begin}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        if self.server.version:
            self.send_header("ETag", self.server.version)
        self.send_header("Content-Length", str(len(content) - begin))
        self.end_headers()
        end = len(content) if most is None else begin + most
        self.wfile.write(content[begin:end])

    def log_message(self, *args: object) -> None:
        """Say nothing."""


def cut(after: int) -> Fault:
    """The connection ends after some bytes."""
    return lambda handler, content: handler.serve(content, most=after)


def status(code: int) -> Fault:
    return lambda handler, content: handler.send_error(code)


def redirect(url: str) -> Fault:
    def send(handler: Handler, content: bytes) -> None:
        handler.send_response(302)
        handler.send_header("Location", url)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return send


def silent(handler: Handler, content: bytes) -> None:
    """A fifth of the file, then nothing until the test ends."""
    handler.serve(content, most=len(content) // 5)
    handler.wfile.flush()
    handler.server.released.wait(20)


def mute(handler: Handler, content: bytes) -> None:
    """Not even an answer."""
    handler.server.released.wait(20)


def trickle(handler: Handler, content: bytes) -> None:
    """A few bytes a second."""
    handler.serve(content, most=0)
    for i in range(len(content)):
        if handler.server.released.is_set():
            return
        handler.wfile.write(content[i : i + 1])
        time.sleep(0.02)


def unannounced(handler: Handler, content: bytes) -> None:
    """No length and no tag; the end of the connection is the end of the file."""
    handler.send_response(200)
    handler.end_headers()
    handler.wfile.write(content)


@contextmanager
def owner_server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        server.server_close()
        thread.join()
