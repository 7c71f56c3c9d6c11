"""A web server of a folder, with ranges, to be run as a script: it prints its port."""

import functools
import http.server
import io
import sys
from pathlib import Path


class Handler(http.server.SimpleHTTPRequestHandler):
    """Gives files whole or in part."""

    def send_head(self):
        """Answer with the part of a file that is asked for."""
        asked = self.headers.get("Range")
        file = Path(self.translate_path(self.path))
        if asked is None or not file.exists():
            return super().send_head()
        content = file.read_bytes()
        first, last = asked.split("=")[1].split("-")
        part = content[int(first) : int(last or len(content)) + 1]
        self.send_response(206)
        self.send_header(
            "Content-Range", f"bytes {first}-{int(first) + len(part) - 1}/{len(content)}"
        )
        self.send_header("Content-Length", str(len(part)))
        self.end_headers()
        return io.BytesIO(part)

    def log_message(self, *arguments):
        """Keep the test's output clean."""


if __name__ == "__main__":
    handler = functools.partial(Handler, directory=sys.argv[1])
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    print(server.server_port, flush=True)
    server.serve_forever()
