"""Serves a report and a box for SQL to browsers of this machine, for reading only.

It listens on 127.0.0.1 alone. Other sites that the browser has open get nothing: a request must name this host (a name
that others made point here does not count) and must not come from another site; only these pages may read the answers.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pipeline.errors import PolicylakeError
from pipeline.lake.console import Console

HOST = "127.0.0.1"
NAMES = (HOST, "localhost")
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
}
QUERY = "/query"
MOST_BODY = 65_536
#: Seconds that a client may take to say something.
SILENCE = 30
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Server(ThreadingHTTPServer):
    """The server of one report. ``folder`` is the report's, ``console`` answers its SQL box."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int, folder: Path, console: Console) -> None:
        self.folder, self.console = folder.resolve(), console
        super().__init__((HOST, port), Handler)

    @property
    def address(self) -> str:
        """Where a browser finds the first page."""
        return f"http://{HOST}:{self.server_port}/"


def open_server(port: int, folder: Path, console: Console) -> Server:
    """Return a server that listens on a port of this machine, 0 for any. Raises PolicylakeError where it is taken."""
    try:
        return Server(port, folder, console)
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else "no such port"
        raise PolicylakeError(f"--port {port}: {reason}; choose another, or 0 for any that is free") from error


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    server: Server
    server_version = "policylake"
    sys_version = ""
    timeout = SILENCE

    def do_GET(self) -> None:
        """Answer with a file of the report."""
        if self._is_from_here(navigates=True):
            self._send_file()

    def do_HEAD(self) -> None:
        """Answer as to a GET, without the content."""
        self.do_GET()

    def do_POST(self) -> None:
        """Answer a query."""
        if not self._is_from_here(navigates=False):
            return
        if self.path != QUERY or self.headers.get_content_type() != "application/json":
            self._refuse(HTTPStatus.NOT_FOUND, "nothing takes this here")
            return
        try:
            length = int(self.headers.get("Content-Length", ""))
            asked = json.loads(self.rfile.read(length)) if 0 <= length <= MOST_BODY else None
        except (ValueError, RecursionError):
            asked = None
        if not isinstance(asked, dict) or not isinstance(asked.get("sql"), str):
            self._refuse(HTTPStatus.BAD_REQUEST, 'JSON is expected: {"sql": "select ..."}')
            return
        self._send_answer(asked["sql"])

    def _send_answer(self, sql: str) -> None:
        try:
            answer = self.server.console.answer(sql)
        except PolicylakeError as error:
            self._send_json(HTTPStatus.BAD_REQUEST, {"error": str(error)})
            return
        self._send_json(HTTPStatus.OK, {"columns": answer.columns, "rows": answer.rows, "cut": answer.is_cut})

    def _is_from_here(self, *, navigates: bool) -> bool:
        """Whether the request names this host and comes from its pages or its user; else refuse it.

        A link from elsewhere may open a page (``navigates``), but no other site may load or ask anything.
        """
        port = self.server.server_port
        names = {f"{name}:{port}" for name in NAMES} | (set(NAMES) if port == 80 else set())
        if self.headers.get("Host", "").lower() not in names:
            self._refuse(HTTPStatus.FORBIDDEN, f"this is {self.server.address}; ask for it by that name")
            return False
        origin = self.headers.get("Origin")
        site = self.headers.get("Sec-Fetch-Site", "none")
        is_page = navigates and self.headers.get("Sec-Fetch-Mode") == "navigate"
        is_own = origin is None or origin.lower() in {f"http://{name}" for name in names}
        if not is_own or not (site in ("none", "same-origin") or is_page):
            self._refuse(HTTPStatus.FORBIDDEN, "other sites get nothing here")
            return False
        return True

    def _send_file(self) -> None:
        path = unquote(urlsplit(self.path).path)
        wanted = self.server.folder / (path.lstrip("/") or "index.html")
        try:
            place = wanted.resolve()
            is_there = place.is_relative_to(self.server.folder) and place.suffix in TYPES and place.is_file()
            content = place.read_bytes() if is_there else b""
        except (OSError, ValueError):
            is_there = False
        if not is_there:
            self._refuse(HTTPStatus.NOT_FOUND, "no such page in this report")
            return
        self._send(HTTPStatus.OK, TYPES[place.suffix], content)

    def _refuse(self, status: HTTPStatus, reason: str) -> None:
        self.close_connection = True
        self._send(status, "text/plain; charset=utf-8", f"{reason}\n".encode())

    def _send_json(self, status: HTTPStatus, value: Mapping[str, object]) -> None:
        text = json.dumps(value, ensure_ascii=False).encode("utf-8", "backslashreplace")
        self._send(status, "application/json; charset=utf-8", text)

    def _send(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        try:
            self.send_response(status)
            for name, value in {"Content-Type": kind, "Content-Length": str(len(content)), **HEADERS}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: addresses hold what somebody looks for."""
