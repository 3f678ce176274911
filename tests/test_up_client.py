"""The client of `broadsheet up`: it waits for its own server, and neither the shell nor the current folder reaches it."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from flows.cli.up.client import connect
from flows.cli.up.processes import PrefectProcess
from flows.errors import PrefectError
from tests.conftest import ROOT
from tests.hostile import FILES, VARIABLES, without_home
from tests.prefect_server import free_port

LOGIN = "broadsheet:a-password"
LIMIT = 20  # seconds; Prefect's client alone waits for more than a minute

# What `up` does before it connects. The first output is whether Prefect was imported too early.
ENTER = """
import json, sys
from pathlib import Path
from flows.cli.up import serve
from flows.cli.up.environment import enter_environment, process_environment
from flows.settings import Settings

early = "prefect" in sys.modules
home = Path(sys.argv[1])
enter_environment(process_environment(Settings(port=4321), home, "broadsheet:a-password"), home)
from flows.cli.up import client
from prefect.settings import get_current_settings

found = get_current_settings()
secrets = [secret and secret.get_secret_value() for secret in (found.api.auth_string, found.api.key)]
database = found.server.database.connection_url.get_secret_value()
print(json.dumps([
    early, found.api.url, *secrets, str(found.home), found.server.api.base_path, database,
    found.client.custom_headers, found.testing.unit_test_mode,
]))
"""


@contextmanager
def served(answer: Callable[[int], tuple[int, object]]) -> Iterator[tuple[str, list[str]]]:
    """Serve the status and JSON for the number of each request; yield the address, and the requests so far."""
    requests: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            requests.append(f"{self.path} {self.headers['Authorization']}")
            status, body = answer(len(requests))
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/api", requests
        server.shutdown()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PrefectProcess]:
    """A process in place of Prefect's server."""
    log = tmp_path / "server.log"
    log.write_text("starting\nno such table: flow\n")
    with subprocess.Popen(["sleep", "1000"]) as process:
        yield PrefectProcess("server", process, log)
        process.kill()


def test_requests_are_repeated_while_the_server_is_busy_and_carry_the_password(server):
    with (
        served(lambda number: (503 if number < 3 else 200, {})) as (url, requests),
        connect(server, url, LOGIN) as client,
    ):
        assert client.hello().status_code == 200
    assert requests == ["/api/hello Basic YnJvYWRzaGVldDphLXBhc3N3b3Jk"] * 3


def test_requests_are_repeated_until_the_server_listens(server):
    port = free_port()

    def listen() -> None:
        time.sleep(1)
        with HTTPServer(("127.0.0.1", port), BaseHTTPRequestHandler) as late:
            late.handle_request()  # 501: this handler knows no method

    Thread(target=listen).start()
    with (
        pytest.raises(PrefectError, match="GET /api/hello: "),
        connect(server, f"http://127.0.0.1:{port}/api", LOGIN) as client,
    ):
        client.hello()


def say_hello(server: PrefectProcess, url: str) -> float:
    """Return the seconds until the error of a request that fails."""
    started = time.monotonic()
    with pytest.raises(PrefectError) as raised, connect(server, url, LOGIN) as client:
        client.hello()
    assert str(raised.value) == (
        f"Prefect's server ended with status -9 (no such table: flow). See {server.log}, then run broadsheet up again."
    )
    return time.monotonic() - started


def test_a_server_that_ends_while_it_is_busy_is_reported_at_once_with_its_last_line(server):
    def end(_: int) -> tuple[int, object]:
        server.process.kill()
        server.process.wait()
        return 503, {}

    with served(end) as (url, _):
        assert say_hello(server, url) < LIMIT


def test_a_server_that_ended_before_it_listened_is_reported_at_once_with_its_last_line(server):
    server.process.kill()
    server.process.wait()
    assert say_hello(server, f"http://127.0.0.1:{free_port()}/api") < LIMIT


@pytest.mark.parametrize("status", [404, 422, 500])
def test_a_refused_request_is_one_sentence_that_names_the_log(server, status):
    with (
        served(lambda _: (status, {"detail": "not this one"})) as (url, requests),
        pytest.raises(PrefectError) as raised,
        connect(server, url, LOGIN) as client,
    ):
        client.read_work_pool("broadsheet")
    answer = '{"detail": "not this one"}'
    assert str(raised.value) == (
        f"Prefect's server failed: GET /api/work_pools/broadsheet: {answer}. See {server.log}."
    )
    assert len(requests) == 1


def test_an_answer_that_prefect_cannot_read_is_one_sentence(server):
    with (
        served(lambda _: (200, {"name": 1})) as (url, _),
        pytest.raises(PrefectError, match=r"^Prefect's server failed: [^\n]* WorkPool [^\n]*\. See [^\n]*\.log\.$"),
        connect(server, url, LOGIN) as client,
    ):
        client.read_work_pool("broadsheet")


def test_neither_the_shell_nor_the_current_folder_reaches_the_client(tmp_path):
    cwd, home = tmp_path / "cwd", tmp_path / "home"
    home.mkdir()
    for name, text in FILES.items():
        (cwd / name).parent.mkdir(parents=True, exist_ok=True)
        (cwd / name).write_text(text)
    shell = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PREFECT_CLIENT_CUSTOM_HEADERS": '{"X-Shell": "yes"}'}
    command = [*without_home(), sys.executable, "-P", "-c", ENTER, str(home)]
    done = subprocess.run(command, cwd=cwd, env=VARIABLES | shell, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert json.loads(done.stdout) == [
        False, "http://127.0.0.1:4321/api", LOGIN, None, str(home), None, f"sqlite+aiosqlite:///{home}/prefect.db", {}, False,
    ]  # fmt: skip
