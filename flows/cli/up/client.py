"""Connect to the server that `broadsheet up` started, with Prefect's own client.

Import this module and the modules that use it only after `enter_environment`: importing Prefect reads PREFECT_*
variables, the profile, and the settings files of the current folder.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from prefect.client.orchestration import SyncPrefectClient
from prefect.exceptions import PrefectException
from pydantic import ValidationError

from flows.cli.up.processes import PAUSE, PrefectProcess, require_alive
from flows.errors import PrefectError

START_LIMIT = 180.0  # seconds until the server must answer; the first start migrates its database
REQUEST_TIMEOUT = 30.0  # seconds for one attempt


class RetryTransport(httpx.BaseTransport):
    """Send requests, and repeat them while the server starts or is busy.

    Raise PrefectError if the server ends, or does not respond for START_LIMIT seconds. Prefect's client retries as
    well, but not the first connection, and it takes two minutes to give up on a server that has ended.
    """

    def __init__(self, server: PrefectProcess) -> None:
        self._server = server
        self._http = httpx.HTTPTransport(trust_env=False)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Return the first response that is not 503, the status while another writer holds the server's database."""
        limit = time.monotonic() + START_LIMIT
        while True:
            try:
                response = self._http.handle_request(request)
                if response.status_code != httpx.codes.SERVICE_UNAVAILABLE:
                    return response
                reason = response.read().decode(errors="replace")
                response.close()
            except httpx.TransportError as error:
                reason = str(error)
            require_alive(self._server)
            if time.monotonic() > limit:
                raise _server_error(self._server, f"{request.method} {request.url.path}: {reason[:300]}")
            time.sleep(PAUSE)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()


@contextmanager
def connect(server: PrefectProcess, url: str, password: str) -> Iterator[SyncPrefectClient]:
    """Yield a client of the API at a URL that sends `user:password`, past any proxy of the shell.

    Raise PrefectError if a request fails in the block.
    """
    settings = {"transport": RetryTransport(server), "timeout": REQUEST_TIMEOUT, "trust_env": False}
    with SyncPrefectClient(url, auth_string=password, httpx_settings=settings) as client:
        try:
            yield client
        except (httpx.HTTPError, PrefectException, ValidationError) as error:
            require_alive(server)
            raise _server_error(server, _reason(error)) from None


def _server_error(server: PrefectProcess, reason: str) -> PrefectError:
    return PrefectError(f"Prefect's server failed: {reason}. See {server.log}.")


def _reason(error: Exception) -> str:
    error = getattr(error, "http_exc", error)  # as in Prefect's ObjectNotFound
    if isinstance(error, httpx.HTTPStatusError):
        return f"{error.request.method} {error.request.url.path}: {error.response.text[:300]}"
    return " ".join(str(error).split())[:300]
