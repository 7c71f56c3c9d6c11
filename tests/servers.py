"""A web server, in a process of its own, that stops in the middle: it hangs up, or says no more."""

from __future__ import annotations

import re
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

__all__ = ["STUCK", "serving"]

#: The file in the folder that is served which is there once an answer does not come.
STUCK = "stuck"


@contextmanager
def serving(folder):
    """Serve the files of a folder; gives a function that tells addresses.

    That takes a file's name, and how the server fails: ``fault`` is "cut" (half of an answer comes, and
    the connection ends), "silent" (half of it comes, and no more) or "mute" (nothing comes), of answers
    from the byte ``beyond`` on. With ``chunked`` the length of answers is not told, and ``encoding`` is
    what the server calls their encoding.
    """
    # GDAL keeps other threads of its process waiting while it asks for some things.
    command = [sys.executable, __file__, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            port = int(process.stdout.readline())

            def address(name, fault="sound", beyond=0, *, chunked=False, encoding="identity"):
                way = f"{fault}/{beyond}/{'chunked' if chunked else 'whole'}/{encoding}"
                return f"http://127.0.0.1:{port}/{way}/{name}"

            yield address
        finally:
            process.kill()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    folder: Path

    def do_HEAD(self):
        self.answer(body=False)

    def do_GET(self):
        self.answer(body=True)

    def log_message(self, *arguments):
        """Keep the test's output clean."""

    def answer(self, *, body):
        found = re.fullmatch(r"/(\w+)/(\d+)/(\w+)/(\w+)/([^/?]+)(?:\?.*)?", self.path)
        file = self.folder / found[5] if found else self.folder
        if not file.is_file():
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        fault, beyond, form, encoding, _ = found.groups()
        content = file.read_bytes()
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        start = int(wanted[1]) if wanted else 0
        part = content[start : int(wanted[2]) + 1 if wanted and wanted[2] else None]
        fails = fault != "sound" and start >= int(beyond)
        if fails and fault == "mute":
            self.stop()
        self.send_response(206 if wanted else 200)
        if wanted:
            last = start + len(part) - 1
            self.send_header("Content-Range", f"bytes {start}-{last}/{len(content)}")
        if form == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Length", str(len(part)))
        if encoding != "identity":
            self.send_header("Content-Encoding", encoding)
        self.end_headers()
        if body:
            self.send(part, fault if fails else "", chunked=form == "chunked")

    def send(self, part, fault, *, chunked):
        if chunked:
            self.wfile.write(f"{len(part):x}\r\n".encode())
        self.wfile.write(part[: len(part) // 2] if fault else part)
        if fault == "silent":
            self.stop()
        if chunked and not fault:
            self.wfile.write(b"\r\n0\r\n\r\n")
        self.close_connection = self.close_connection or bool(fault)

    def stop(self):
        """Say no more."""
        (self.folder / STUCK).touch()
        threading.Event().wait()


if __name__ == "__main__":
    Handler.folder = Path(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_port, flush=True)
    server.serve_forever()
