"""Run a real Prefect server on loopback."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import httpx
from prefect.client.base import PrefectHttpxSyncClient

from tests.conftest import end

PREFECT = (sys.executable, "-m", "prefect")


def free_port() -> int:
    """Return a free port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def prefect_environment(home: Path) -> dict[str, str]:
    """Return the environment of Prefect with its own home and without telemetry."""
    return {"PREFECT_HOME": str(home / "prefect"), "PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1"}


class Server:
    """The address and a client of a server on loopback."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def __init__(self, port: int, environment: dict[str, str]) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{port}/api"
        self.environment = {**environment, "PREFECT_API_URL": self.url}
        # A server that is still migrating its database refuses connections for up to half a minute.
        # Prefect's client retries while the database is busy, and raises all other errors.
        retrying = httpx.HTTPTransport(retries=9)
        self.client = PrefectHttpxSyncClient(base_url=self.url, transport=retrying, timeout=60)

    def post(self, path: str, **body: object) -> Any:
        """Send a POST request to the server's API."""
        return self.client.post(path, json=body).json()


@contextmanager
def running_server(home: Path) -> Iterator[Server]:
    """Run a server until the end of the block."""
    with Server(free_port(), prefect_environment(home)) as server:
        yield from _serve(server, home)


def _serve(server: Server, home: Path) -> Iterator[Server]:
    command = [*PREFECT, "server", "start", "--port", str(server.port), "--no-ui"]
    environment = {**os.environ, **server.environment}
    with (home / "server.log").open("w") as log:
        # In its own session: otherwise it would inherit an ignored SIGINT and not stop.
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            server.client.get("health")
            yield server
        finally:
            end(process)
