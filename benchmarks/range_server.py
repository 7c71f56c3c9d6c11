"""A web server for one file, with byte ranges, that counts what it sends and can be slowed down."""

from __future__ import annotations

import contextlib
import json
import re
import threading
import time
import urllib.request
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from benchmarks.measuring import processes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Link", "Served", "serve", "traffic"]

_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Link:
    """A network: seconds before each answer, and bytes a second."""

    delay: float = 0.0
    bandwidth: float = float("inf")


@dataclass(frozen=True, slots=True)
class Served:
    """Where a file is served, and where its traffic can be asked for."""

    url: str
    statistics: str


@contextlib.contextmanager
def serve(path: Path, link: Link) -> Iterator[Served]:
    """Serve a file in a process of its own."""
    context = processes()
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(path, link, theirs), daemon=True)
    process.start()
    try:
        root = f"http://127.0.0.1:{ours.recv()}"
        yield Served(f"{root}/{path.name}", f"{root}/?traffic")
    finally:
        process.terminate()
        process.join()


def traffic(served: Served) -> tuple[int, int]:
    """Return the requests answered and bytes sent so far."""
    with urllib.request.urlopen(served.statistics) as answer:
        requests, sent = json.load(answer)
    return requests, sent


def _serve(path: Path, link: Link, pipe: Any) -> None:
    size, counts, lock = path.stat().st_size, [0, 0], threading.Lock()

    def add(requests: int, sent: int) -> None:
        with lock:
            counts[0] += requests
            counts[1] += sent

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self) -> None:
            self._answer(body=False)

        def do_GET(self) -> None:
            if self.path == "/?traffic":
                text = json.dumps(counts).encode()
                self._head(200, len(text))
                self.wfile.write(text)
            else:
                self._answer(body=True)

        def _answer(self, *, body: bool) -> None:
            add(1, 0)
            time.sleep(link.delay)
            if self.path != f"/{path.name}":
                self._head(404, 0)
                return
            wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
            first = int(wanted[1]) if wanted else 0
            last = min(int(wanted[2]) if wanted and wanted[2] else size - 1, size - 1)
            if first > last:
                self._head(416, 0)
                return
            part = {"Content-Range": f"bytes {first}-{last}/{size}"} if wanted else {}
            self._head(206 if wanted else 200, last - first + 1, part)
            if body:
                self._send(first, last + 1)

        def _head(self, status: int, length: int, more: dict[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in {
                "Accept-Ranges": "bytes",
                "Content-Length": str(length),
                **(more or {}),
            }.items():
                self.send_header(name, value)
            self.end_headers()

        def _send(self, first: int, end: int) -> None:
            with path.open("rb") as file, contextlib.suppress(ConnectionError):
                file.seek(first)
                start, sent = time.perf_counter(), 0
                while sent < end - first:
                    piece = file.read(min(_CHUNK, end - first - sent))
                    self.wfile.write(piece)
                    sent += len(piece)
                    add(0, len(piece))
                    ahead = sent / link.bandwidth - (time.perf_counter() - start)
                    time.sleep(max(0.0, ahead))

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    pipe.send(server.server_port)
    server.serve_forever()
