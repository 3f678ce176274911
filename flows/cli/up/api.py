"""Requests to the API of the server that `broadsheet up` started."""

import time
from collections.abc import Callable
from typing import Any

import httpx

from flows.cli.up.processes import PAUSE, Part, require_alive
from flows.errors import PrefectError

START_LIMIT = 180.0  # seconds until the server must answer; the first start migrates its database

Api = Callable[..., Any]  # method, path and JSON body; returns the server's answer


def connected(url: str, password: str) -> httpx.Client:
    """Return a client of the API that sends `user:password`, past any proxy of the shell."""
    user, _, secret = password.partition(":")
    return httpx.Client(base_url=url, auth=(user, secret), timeout=30, trust_env=False)


def ask(client: httpx.Client, server: Part, method: str, path: str, body: Any = None) -> Any:
    """Send a request, again while the server starts or is busy. Raise PrefectError if it ends or refuses."""
    limit = time.monotonic() + START_LIMIT
    while True:
        try:
            answer = client.request(method, path, json=body).raise_for_status()
            return answer.json() if answer.content else None
        except httpx.HTTPError as error:
            require_alive(server)
            if not _is_busy(error) or time.monotonic() > limit:
                raise PrefectError(f"Prefect's server failed: {_reason(error)}. See {server.log}.") from None
            time.sleep(PAUSE)


def _is_busy(error: httpx.HTTPError) -> bool:
    """Return whether a server is starting or under load: it answers 503 while another writer holds its database."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.status_code == httpx.codes.SERVICE_UNAVAILABLE
    return isinstance(error, httpx.TransportError)


def _reason(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"{error.request.method} {error.request.url.path}: {error.response.text[:300]}"
    return str(error)
