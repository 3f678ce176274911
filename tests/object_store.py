"""A real S3 server on loopback, for the tests that need one."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import pytest
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

from flows.objects import store

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]
BUCKET = "newsroom"


class Gate:
    """Holds the first request for an object whose key ends as named, so that a run waits there."""

    def __init__(self) -> None:
        self.ending: str | None = None
        self.reached, self.opened = Event(), Event()

    def pass_through(self, path: str) -> None:
        """Wait where this is the request that is held."""
        if self.ending and path.endswith(self.ending) and not self.reached.is_set():
            self.reached.set()
            self.opened.wait(60)


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"  # connections are kept, as a store keeps them

    def log(self, *_: object) -> None:
        pass


@contextmanager
def running_store() -> Iterator[tuple[pytest.MonkeyPatch, Gate]]:
    """A store with an empty bucket, and the gate before it; this process and those that it starts find it."""
    gate = Gate()
    moto: Application = DomainDispatcherApplication(create_backend_app)

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        gate.pass_through(environ["PATH_INFO"])
        return moto(environ, start_response)

    server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=_Quiet)
    Thread(target=server.serve_forever, daemon=True).start()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.port}")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "of-the-tests")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.delenv("AWS_PROFILE", raising=False)
        store.client.cache_clear()
        store.client().create_bucket(Bucket=BUCKET)
        yield patch, gate
        server.shutdown()
    store.client.cache_clear()
