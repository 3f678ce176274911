"""What an object store reads from the environment is checked before the first call; each error names its variable."""

import socket
import sys
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from flows.cli.main import main
from flows.object_store.s3 import connection
from flows.object_store.s3.connection import client
from tests.test_store import COMMANDS, settings, told  # noqa: F401


def test_no_credentials(settings, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    assert "No credentials found for s3://" in told(settings)


def test_a_profile_that_is_not_there(settings, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    assert told(settings) == (
        "AWS settings cannot be used: The config profile (nobody) could not be found. Correct AWS_PROFILE."
    )


def test_a_store_that_does_not_answer(settings, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    assert "does not answer (Could not connect to the endpoint URL" in told(settings)


CONFIGURATION = "[default]\nregion = us-east-1\n[profile x"
MALFORMED = {
    "AWS_MAX_ATTEMPTS": ["abc", "0", "-1", "1.5"],
    "AWS_ENDPOINT_URL": [
        "nonsense",
        "ftp://store",
        "http://",
        "http://store:port",
        "http://127.0.0.1:99999",
        "http://a b",
    ],
    "AWS_ENDPOINT_URL_S3": ["nonsense"],
    "AWS_REGION": ["us east"],
    "AWS_PROFILE": ["nobody"],
    "AWS_CONFIG_FILE": ["CONFIGURATION"],
    "AWS_SHARED_CREDENTIALS_FILE": ["CONFIGURATION"],
    "AWS_CA_BUNDLE": ["/nowhere/ca.pem", "CONFIGURATION", ""],
    "AWS_ACCESS_KEY_ID": ["key\n", "a key", "k\u00e9y"],
    "AWS_SECRET_ACCESS_KEY": ["secret\n"],
    "AWS_SESSION_TOKEN": ["token\r\n"],
    "AWS_REQUEST_CHECKSUM_CALCULATION": ["abc"],
    "AWS_DEFAULTS_MODE": ["abc"],
}


@pytest.mark.parametrize(
    ("name", "value", "command"),
    [(name, value, COMMANDS[2]) for name, values in MALFORMED.items() for value in values]
    + [(name, MALFORMED[name][0], command) for name in list(MALFORMED)[:2] for command in COMMANDS],
    ids=lambda value: value[0] if isinstance(value, list) else repr(value),
)
def test_a_malformed_variable_is_named(settings, monkeypatch, tmp_path, capsys, name, value, command):
    file = tmp_path / "configuration"
    file.write_text(CONFIGURATION)
    value = str(file) if value == "CONFIGURATION" else value
    monkeypatch.setenv(name, value)
    monkeypatch.setenv("BROADSHEET_DATA", str(settings.data))
    monkeypatch.setenv("BROADSHEET_SOURCE", str(settings.source))
    client.cache_clear()
    assert main([*command, "--warehouse", "s3://newsroom/warehouse"]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert name in said
    secret = name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    assert secret != (value in said)


def test_a_token_file_that_is_missing_is_named(settings, monkeypatch, tmp_path):
    """As of a pod whose service account was not mounted."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/broadsheet")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    assert told(settings).endswith(
        f"No such file or directory: '{tmp_path}/token'. Correct AWS_WEB_IDENTITY_TOKEN_FILE."
    )


def test_an_empty_variable_is_none(settings, monkeypatch):
    for name in ("AWS_MAX_ATTEMPTS", "AWS_REGION"):
        monkeypatch.setenv(name, "")
    client.cache_clear()
    assert client().meta.region_name == "us-east-1"


def test_the_region_is_that_of_aws_region(settings, monkeypatch):
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    client.cache_clear()
    assert client().meta.region_name == "eu-west-3"


def test_a_store_that_takes_connections_and_never_answers(settings, monkeypatch):
    """The kernel takes the connections; each call ends after its tries."""
    monkeypatch.setattr(connection, "READ_TIMEOUT", 0.2)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        client.cache_clear()
        began = time.monotonic()
        assert "does not answer (Read timeout on endpoint URL" in told(settings)
        assert time.monotonic() - began < 20
    longest = connection.ATTEMPTS * max(connection.READ_TIMEOUT, connection.CONNECT_TIMEOUT)
    assert longest <= 500


def test_a_server_that_is_not_a_store_is_reported(settings, monkeypatch, tmp_path, capsys):
    """As the port of a web server, which knows no path: its 404 is not a warehouse without an edition."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    client.cache_clear()
    assert "cannot be used" in told(settings)
    assert main(["query", "SELECT 1", "--warehouse", "s3://newsroom/warehouse"]) == 1
    assert "cannot be used (An error occurred (404)" in capsys.readouterr().err
    server.shutdown()
    server.server_close()


class Quiet(SimpleHTTPRequestHandler):
    """A web server that says nothing of its requests."""

    def log_message(self, *_: object) -> None:
        pass


def test_a_store_without_its_extra(settings, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "boto3", None)
    assert main(["editions", "--warehouse", "s3://newsroom/warehouse"]) == 1
    said = capsys.readouterr().err
    assert said == "broadsheet: An s3:// URL needs the extra s3. Run pip install '.[s3]' in Broadsheet's folder.\n"
