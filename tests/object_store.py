"""A real S3 server on loopback, for the tests that need one."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from flows.object_store.s3.connection import client

BUCKET = "newsroom"
CONDITIONS = {"If-Match": "HTTP_IF_MATCH", "If-None-Match": "HTTP_IF_NONE_MATCH"}
Statement = dict[str, Any]  # of an IAM policy


class ObjectStore:
    """What the server was asked, and a gate: the first request for an object whose key ends as named waits there."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str | None]] = []  # method, key, and the key that it is copied from
        self.conflicts = 0  # number of pointers to refuse, as when two are put at once
        self.cut = 0  # number of answers to GET that break off in the middle
        self.flipped: set[str] = set()  # keys of objects whose last byte is another one in each answer to GET
        self.ignored: tuple[str, ...] = ()  # conditions of puts that are ignored, as by an old store or a proxy
        self.unsupported = False  # conditional puts are answered with 501
        self.tagged = True  # answers have an ETag
        self.policy: list[Statement] | None = None  # what the credentials may do; None: everything
        self.refused: dict[str, str] = {}  # keys of objects that are not returned, and the error's code
        self.gated: str | None = None
        self.reached, self.opened = Event(), Event()
        self.address = ""  # host and port

    def let_pass(self, environ: dict[str, Any]) -> None:
        """Note a request, and wait where it is held."""
        key = environ["PATH_INFO"].removeprefix(f"/{BUCKET}/")
        self.asked.append((environ["REQUEST_METHOD"], key, environ.get("HTTP_X_AMZ_COPY_SOURCE")))
        if self.gated and key.endswith(self.gated) and not self.reached.is_set():
            self.reached.set()
            self.opened.wait(120)

    def refusal(self, environ: dict[str, Any]) -> tuple[str, str] | None:
        """The status and the code of a refusal, None where the request is answered."""
        key = environ["PATH_INFO"].removeprefix(f"/{BUCKET}/")
        if self.conflicts and environ["REQUEST_METHOD"] == "PUT" and key.endswith("/current"):
            self.conflicts -= 1
            return "409 Conflict", "ConditionalRequestConflict"
        if self.unsupported and set(CONDITIONS.values()) & set(environ):
            return "501 Not Implemented", "NotImplemented"
        if self.policy is not None and not allowed(self.policy, environ):
            return "403 Forbidden", "AccessDenied"
        if environ["REQUEST_METHOD"] == "GET" and key in self.refused:
            return "403 Forbidden", self.refused[key]
        return None


def allowed(policy: list[Statement], environ: dict[str, Any]) -> bool:
    """Whether a policy allows a request, and the reading of what it copies."""
    action, place = _action(environ), environ["PATH_INFO"].strip("/")
    needed = [(action, place)]
    if source := environ.get("HTTP_X_AMZ_COPY_SOURCE"):
        needed.append(("s3:GetObject", source.strip("/")))
    return all(
        any(
            action in statement["Action"] and fnmatchcase(f"arn:aws:s3:::{place}", statement["Resource"])
            for statement in policy
        )
        for action, place in needed
    )


def _action(environ: dict[str, Any]) -> str:
    """The permission that a request needs."""
    method, asked = environ["REQUEST_METHOD"], parse_qs(environ["QUERY_STRING"], keep_blank_values=True)
    if "/" not in environ["PATH_INFO"].strip("/"):
        return "s3:ListBucketMultipartUploads" if "uploads" in asked else "s3:ListBucket"
    if method == "DELETE":
        return "s3:AbortMultipartUpload" if "uploadId" in asked else "s3:DeleteObject"
    return "s3:GetObject" if method in ("GET", "HEAD") else "s3:PutObject"


def half(application: Any, environ: dict[str, Any], start_response: Any) -> bytes:
    """The first half of an answer, after which the connection is closed."""

    def start(status: str, headers: list[tuple[str, str]], *_: object) -> None:
        start_response(status, [*headers, ("Connection", "close")])

    content = b"".join(application(environ, start))
    return content[: len(content) // 2]


def flip(content: bytes) -> bytes:
    """The content with another last byte."""
    return content[:-1] + bytes([content[-1] ^ 1])


def untagged(start_response: Any) -> Any:
    """Start an answer without its ETag."""

    def start(status: str, headers: list[tuple[str, str]], *more: object) -> Any:
        return start_response(status, [header for header in headers if header[0].lower() != "etag"], *more)

    return start


@contextmanager
def running_store(wrap: Callable[[Any], Any] = lambda application: application) -> Iterator[ObjectStore]:
    """A store with an empty bucket; this process and those that it starts find it by their environment."""
    from moto.server import DomainDispatcherApplication, create_backend_app  # half a second, which few tests need
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Quiet(WSGIRequestHandler):
        protocol_version = "HTTP/1.1"  # connections are kept, as a store keeps them

        def log(self, *_: object) -> None:
            pass

    running, moto = ObjectStore(), DomainDispatcherApplication(create_backend_app)

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        running.let_pass(environ)
        if refusal := running.refusal(environ):
            status, code = refusal
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            content = f"<Error><Code>{code}</Code><Message>{code}.</Message></Error>".encode()
            start_response(status, [("Content-Length", str(len(content)))])
            return [content]
        for condition in running.ignored:
            environ.pop(CONDITIONS[condition], None)
        if running.cut and environ["REQUEST_METHOD"] == "GET":
            running.cut -= 1
            return [half(moto, environ, start_response)]
        content = moto(environ, start_response if running.tagged else untagged(start_response))
        is_flipped = (
            environ["REQUEST_METHOD"] == "GET" and environ["PATH_INFO"].removeprefix(f"/{BUCKET}/") in running.flipped
        )
        return [flip(b"".join(content))] if is_flipped else content

    server = make_server("127.0.0.1", 0, wrap(application), threaded=True, request_handler=Quiet)
    running.address = f"127.0.0.1:{server.port}"
    Thread(target=server.serve_forever, daemon=True).start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.port}")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "of-the-tests")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        client.cache_clear()
        httpx.post(
            f"http://127.0.0.1:{server.port}/moto-api/reset"
        ).raise_for_status()  # it keeps what a store before had
        client().create_bucket(Bucket=BUCKET)
        running.asked.clear()
        yield running
    client().close()
    client.cache_clear()
    server.shutdown()
    server.server_close()
