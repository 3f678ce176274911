"""A server on loopback with the part of Google Cloud Storage's XML API that obstore uses.

No emulator with this interface can be installed from a package registry. Its rules are those of
<https://cloud.google.com/storage/docs/xml-api/overview>: each put of an object gives it a new generation, which the
header x-goog-if-generation-match compares (0: no object exists).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import md5
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from threading import Lock, Thread
from typing import NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

BUCKET = "newsroom"
PAGE = 20  # objects of a page of a listing


class Stored(NamedTuple):
    """An object."""

    content: bytes
    generation: int
    modified: datetime

    @property
    def etag(self) -> str:
        return f'"{md5(self.content, usedforsecurity=False).hexdigest()}"'


class GoogleStore(ThreadingHTTPServer):
    """The server, with what it stores and how it is spoilt."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.objects: dict[str, Stored] = {}
        self.generations, self.lock = count(1), Lock()
        self.refused: dict[str, tuple[int, str]] = {}  # status and code of the answer to GET, by key
        self.ignores_conditions = False
        self.asked: list[tuple[str, str]] = []  # method and key

    def put(self, key: str, content: bytes) -> Stored:
        self.objects[key] = Stored(content, next(self.generations), datetime.now(UTC))
        return self.objects[key]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: GoogleStore

    def _answer(self, status: int, content: bytes = b"", stored: Stored | None = None) -> None:
        self.send_response(status)
        if stored:
            self.send_header("ETag", stored.etag)
            self.send_header("x-goog-generation", str(stored.generation))
            self.send_header("Last-Modified", format_datetime(stored.modified, usegmt=True))
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _refuse(self, status: int, code: str) -> None:
        self._answer(status, f"<?xml version='1.0'?><Error><Code>{code}</Code></Error>".encode())

    def _act(self) -> None:
        parts = urlsplit(self.path)
        bucket, _, key = unquote(parts.path).removeprefix("/").partition("/")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.asked.append((self.command, key))
        if bucket != BUCKET:
            self._refuse(404, "NoSuchBucket")
        elif not key:
            self._list({name: values[0] for name, values in parse_qs(parts.query).items()})
        elif self.command == "PUT":
            with self.server.lock:
                self._put(key, body)
        else:
            self._get_or_remove(key)

    do_GET = do_HEAD = do_PUT = do_DELETE = _act  # noqa: N815

    def _get_or_remove(self, key: str) -> None:
        stored = self.server.objects.get(key)
        if stored is None:
            self._refuse(404, "NoSuchKey")
        elif self.command == "DELETE":
            del self.server.objects[key]
            self._answer(204)
        elif key in self.server.refused:
            self._refuse(*self.server.refused[key])
        elif wanted := self.headers.get("Range"):
            first, _, last = wanted.removeprefix("bytes=").partition("-")
            self._answer(206, stored.content[int(first) : int(last or len(stored.content)) + 1], stored)
        else:
            self._answer(200, stored.content, stored)

    def _put(self, key: str, body: bytes) -> None:
        current, wanted = self.server.objects.get(key), self.headers.get("x-goog-if-generation-match")
        generation = current.generation if current else 0
        if wanted is not None and int(wanted) != generation and not self.server.ignores_conditions:
            self._refuse(412, "PreconditionFailed")
            return
        if source := self.headers.get("x-goog-copy-source"):
            copied = self.server.objects.get(unquote(source).removeprefix("/").partition("/")[2])
            if copied is None:
                self._refuse(404, "NoSuchKey")
                return
            body = copied.content
        self._answer(200, stored=self.server.put(key, body))

    def _list(self, query: dict[str, str]) -> None:
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter")
        keys = sorted(key for key in self.server.objects if key.startswith(prefix))
        folders = {
            prefix + key[len(prefix) :].partition(delimiter)[0] + delimiter
            for key in keys
            if delimiter and delimiter in key[len(prefix) :]
        }
        if delimiter:
            keys = [key for key in keys if delimiter not in key[len(prefix) :]]
        start = int(query.get("continuation-token", 0))
        found = "".join(map(self._entry, keys[start : start + PAGE]))
        if start == 0:
            found += "".join(f"<CommonPrefixes><Prefix>{escape(name)}</Prefix></CommonPrefixes>" for name in folders)
        if more := len(keys) > start + PAGE:
            found += f"<NextContinuationToken>{start + PAGE}</NextContinuationToken>"
        truncated = f"<IsTruncated>{str(more).lower()}</IsTruncated>"
        self._answer(200, f"<?xml version='1.0'?><ListBucketResult>{truncated}{found}</ListBucketResult>".encode())

    def _entry(self, key: str) -> str:
        stored = self.server.objects[key]
        return (
            f"<Contents><Key>{escape(key)}</Key><Generation>{stored.generation}</Generation>"
            f"<LastModified>{stored.modified:%Y-%m-%dT%H:%M:%S.000Z}</LastModified>"
            f"<ETag>{escape(stored.etag)}</ETag><Size>{len(stored.content)}</Size></Contents>"
        )

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def running_google() -> Iterator[GoogleStore]:
    """The server with an empty bucket, until the end of the block."""
    with GoogleStore() as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
