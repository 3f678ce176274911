"""What goes wrong with a store, is a plain sentence."""

import socket
import sys
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from flows.cli.main import main
from flows.errors import RunError
from flows.object_store import connection, objects
from flows.object_store.path import ObjectPath, parse
from flows.pipeline.run import publish_edition
from flows.pipeline.verify import verify
from flows.settings import Settings
from tests.conftest import SEEDS, query, seed_file
from tests.object_store import BUCKET


@pytest.fixture
def settings(object_store, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch) -> Settings:
    """A run on a store that is spoilt by the test: what is known of it is forgotten before and after."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    objects.client.cache_clear()
    yield Settings(source=SEEDS, warehouse=ObjectPath(BUCKET, request.node.name), data=tmp_path / "data")
    objects.client.cache_clear()


def told(settings: Settings) -> str:
    """What a run says that fails."""
    with pytest.raises(RunError) as error:
        publish_edition(settings)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_bucket_that_is_not_there(settings):
    assert told(settings.model_copy(update={"warehouse": parse("s3://nowhere/warehouse")})) == (
        "Bucket not found: nowhere. Create it, or pass another with --source or --warehouse."
    )
    assert "Bucket not found: nowhere." in told(settings.model_copy(update={"source": parse("s3://nowhere/source")}))


@pytest.mark.parametrize("most", [None, 700, 2_000])
def test_an_object_whose_connection_breaks_off_is_got_again(object_store, most):
    """Half an article must not be published as a whole one."""
    place = ObjectPath(BUCKET, "long.md")
    objects.write(place, b"x" * 1_000)
    object_store.cut = 2
    assert objects.read(place, most) == b"x" * min(most or 1_000, 1_000)
    assert object_store.cut == 0
    object_store.cut = 100
    with pytest.raises(RunError, match=r"long\.md could not be read completely"):
        objects.read(place, most)
    object_store.cut = 0


def test_an_empty_object_is_read(object_store):
    objects.write(ObjectPath(BUCKET, "empty.md"), b"")
    assert objects.read(ObjectPath(BUCKET, "empty.md"), 10) == b""


def test_a_working_copy_that_cannot_be_written(settings, tmp_path):
    data = tmp_path / "file"
    data.write_text("no folder")
    assert "or pass another folder with BROADSHEET_DATA." in told(settings.model_copy(update={"data": data}))


def test_a_source_with_nothing(settings):
    assert told(settings.model_copy(update={"source": ObjectPath(BUCKET, "mistyped")})) == (
        f"No objects found below s3://{BUCKET}/mistyped. Pass an existing prefix with --source."
    )


def test_a_source_without_seed_files(settings):
    source = ObjectPath(BUCKET, "pages")
    for name in ("", "a.html", "b/c.html"):
        objects.write(source / name, b"x")
    assert told(settings.model_copy(update={"source": source})) == (
        f"No seed files found in {source}. Their names end in .markdown, .md, .mdx, .txt. It has a.html, b/c.html."
        " Check that the disk is mounted, pass another source with --source, or set BROADSHEET_EXTENSIONS."
    )


def test_a_warehouse_inside_the_source_is_no_part_of_it_and_around_it_is_refused(settings):
    source = ObjectPath(BUCKET, "around")
    objects.write(source / "a.md", seed_file("A").encode())
    inside = settings.model_copy(update={"source": source, "warehouse": source / "warehouse"})
    publish_edition(inside)
    objects.write(source / "warehouse/notes.md", seed_file("B").encode())
    objects.write(source / "warehouse-notes.md", seed_file("C").encode())
    edition = publish_edition(inside).folder
    assert query(edition, "SELECT source_path FROM sources ORDER BY 1") == [("a.md",), ("warehouse-notes.md",)]
    around = inside.model_copy(update={"source": source / "warehouse" / "editions"})
    assert told(around) == (
        f"The source {source}/warehouse/editions is inside the warehouse {source}/warehouse. Pass a warehouse that is"
        " not above the source with --warehouse."
    )


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


COMMANDS = [["run"], ["verify"], ["editions"], ["query", "SELECT 1"], ["rollback", "20260101T000000Z"]]
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
    objects.client.cache_clear()
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
    objects.client.cache_clear()
    assert objects.client().meta.region_name == "us-east-1"


def test_the_region_is_that_of_aws_region(settings, monkeypatch):
    monkeypatch.setenv("AWS_REGION", "eu-west-3")
    objects.client.cache_clear()
    assert objects.client().meta.region_name == "eu-west-3"


def test_a_store_that_takes_connections_and_never_answers(settings, monkeypatch):
    """The kernel takes the connections; each call ends after its tries."""
    monkeypatch.setattr(connection, "READ_TIMEOUT", 0.2)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        objects.client.cache_clear()
        began = time.monotonic()
        assert "does not answer (Read timeout on endpoint URL" in told(settings)
        assert time.monotonic() - began < 20
    longest = connection.ATTEMPTS * max(connection.READ_TIMEOUT, connection.CONNECT_TIMEOUT)
    assert longest <= 500


def test_a_server_that_is_no_store(settings, monkeypatch, tmp_path, capsys):
    """As the port of a web server, which knows no path: its 404 is not a warehouse without an edition."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_port}")
    objects.client.cache_clear()
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


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("s3://", "does not name a bucket"),
        ("s3:///warehouse", "does not name a bucket"),
        ("s3://news room/warehouse", "does not name a bucket"),
        ("s3://../warehouse", "does not name a bucket"),
        ("s3://newsroom//warehouse", "has an empty part"),
        ("s3://newsroom/a//b", "has an empty part"),
        ("s3://newsroom/a/../b", "has an empty part, . or .."),
        ("s3://newsroom/warehouse ", "ends with a space"),
        ("s3://newsroom/ware\thouse", "contains a control character"),
        ("s3://newsroom/" + "w" * 801, "is longer than 800 bytes"),
        ("S3://newsroom/warehouse", "is a URL of a kind that is not supported"),
        ("s3:/newsroom/warehouse", "is a URL of a kind that is not supported"),
        ("https://newsroom.s3.amazonaws.com/warehouse", "is a URL of a kind that is not supported"),
    ],
)
@pytest.mark.parametrize("command", [["run"], ["verify"], ["editions"], ["query", "SELECT 1"], ["rollback", "x"]])
def test_a_malformed_url_is_a_usage_error(capsys, command, url, fault):
    """One of another kind must not become a folder of that name."""
    assert main([*command, "--warehouse", url]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"broadsheet: warehouse: {url!r} ")
    assert fault in said
    assert "write it as s3://bucket/prefix" in said
    assert said.count("\n") == 1


def test_a_prefix_may_have_spaces_and_one_slash_at_its_end():
    assert parse("s3://newsroom/my articles/") == ObjectPath("newsroom", "my articles")
    assert parse("s3://newsroom/") == ObjectPath("newsroom", "")


def test_an_edition_that_was_spoilt(settings, tmp_path):
    edition = settings.warehouse / "editions" / publish_edition(settings).folder.name
    elsewhere = settings.model_copy(update={"data": tmp_path / "elsewhere", "rebuild": True})
    objects.write(edition / "front_page.html", b"other")
    assert verify(settings) == ["The file front_page.html has a different hash than edition.json states."]
    assert (
        f"The object {edition}/front_page.html has a different hash than edition.json states. Restore the edition"
        in told(elsewhere)
    )
    objects.remove_object(edition / "front_page.html")
    assert f"The object {edition}/front_page.html is missing. Restore the edition" in told(elsewhere)
    objects.remove_object(edition / "edition.json")
    assert f"is missing from {settings.warehouse}/editions. Restore its objects" in told(elsewhere)
