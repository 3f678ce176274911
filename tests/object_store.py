"""A real S3 server on loopback, for the tests that need one."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import pytest

from flows.objects import store

BUCKET = "newsroom"
CONFLICT = b"<Error><Code>ConditionalRequestConflict</Code><Message>Conflict.</Message></Error>"


class ObjectStore:
    """What the server was asked, and a gate: the first request for an object whose key ends as named waits there."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str | None]] = []  # method, key, and the key that it is copied from
        self.conflicts = 0  # so many pointers are not taken, as when two are put at once
        self.cut = 0  # so many answers to GET break off in the middle
        self.gated: str | None = None
        self.reached, self.opened = Event(), Event()

    def let_pass(self, environ: dict[str, Any]) -> None:
        """Note a request, and wait where it is held."""
        key = environ["PATH_INFO"].removeprefix(f"/{BUCKET}/")
        self.asked.append((environ["REQUEST_METHOD"], key, environ.get("HTTP_X_AMZ_COPY_SOURCE")))
        if self.gated and key.endswith(self.gated) and not self.reached.is_set():
            self.reached.set()
            self.opened.wait(120)


def half(application: Any, environ: dict[str, Any], start_response: Any) -> bytes:
    """The first half of an answer, after which the connection is closed."""

    def start(status: str, headers: list[tuple[str, str]], *_: object) -> None:
        start_response(status, [*headers, ("Connection", "close")])

    content = b"".join(application(environ, start))
    return content[: len(content) // 2]


@contextmanager
def running_store() -> Iterator[ObjectStore]:
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
        if running.conflicts and environ["REQUEST_METHOD"] == "PUT" and environ["PATH_INFO"].endswith("/current"):
            running.conflicts -= 1
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            start_response("409 Conflict", [("Content-Length", str(len(CONFLICT)))])
            return [CONFLICT]
        if running.cut and environ["REQUEST_METHOD"] == "GET":
            running.cut -= 1
            return [half(moto, environ, start_response)]
        return moto(environ, start_response)

    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=Quiet)
    Thread(target=server.serve_forever, daemon=True).start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.port}")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "of-the-tests")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        store.client.cache_clear()
        store.client().create_bucket(Bucket=BUCKET)
        yield running
    store.client().close()
    store.client.cache_clear()
    server.shutdown()
    server.server_close()
