"""A small web site on the loopback interface, made of files and of documents that a test writes."""

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from mimetypes import guess_type
from typing import Any

Content = bytes | dict[str, Any] | str


@contextmanager
def static_site(contents: Mapping[str, Content]) -> Iterator[str]:
    """Serve each path's content until the block ends; give the site's address. A dict is sent as JSON,
    and a text is an address to go on to.

    The mapping is looked at for each request, so a test can write its documents when it knows the address.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = contents.get(self.path.partition("?")[0])
            if found is None:
                self.send_error(404)
                return
            if isinstance(found, str):
                self.send_response(302)
                self.send_header("Location", found)
                self.end_headers()
                return
            body = json.dumps(found).encode() if isinstance(found, dict) else found
            kind = guess_type(self.path.partition("?")[0])[0] or "text/html"
            self.send_response(200)
            self.send_header("Content-Type", "application/json" if isinstance(found, dict) else kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            """Say nothing: a test's own assertions tell what went wrong."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
