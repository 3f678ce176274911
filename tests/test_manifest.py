"""edition.json is data from outside: nonsense in it is a reason of one line, and what newer releases add is ignored."""

import json
import os
from pathlib import Path

import pytest

from flows.errors import EditionDamagedError
from flows.warehouse.manifest import read_manifest
from flows.warehouse.manifest_model import MAX_MANIFEST_BYTES, parse_manifest
from tests.newsroom import Newsroom, on_disk

EDITION = "20261123T030000Z"
FILE = {"path": "articles/2026-11/articles.parquet", "rows": 3, "bytes": 100, "xxh3": "0" * 32}
FACTS = {"edition_id": EDITION, "files": [FILE]}


def text(**facts: object) -> bytes:
    return json.dumps({**FACTS, **facts}).encode()


def listing(**facts: object) -> bytes:
    return text(files=[{**FILE, **facts}])


NONSENSE = {
    "nothing": b"",
    "no JSON": b"{",
    "a list": b"[]",
    "a number": b"1",
    "no id": b'{"files": []}',
    "other bytes": b"\xff\xfe\x00",
    "digits": b'{"edition_id": ' + b"1" * 5_000 + b"}",
    "large": b" " * MAX_MANIFEST_BYTES + b"{}",
    "deep": b"[" * 100_000,
    "deep in a key": text()[:-1] + b', "later": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "NaN": text()[:-1] + b', "seconds": NaN}',
    "infinity": text()[:-1] + b', "seconds": 1e999}',
    "a key twice": text()[:-1] + b', "edition_id": "20261123T030001Z"}',
    "an id that is none": text(edition_id="../20261123T030000Z"),
    "an id of another type": text(edition_id=1),
    "fewer than no articles": text(articles=-1),
    "a truth for a count": text(articles=True),
    "a text for a count": text(articles="1"),
    "a count beyond 64 bits": text(articles=2**63),
    "a version of another type": text(parser_version="4"),
    "endings of another type": text(extensions=".md"),
    "a long time zone": text(time_zone="a" * 256),
    "files of another type": text(files=[1]),
    "a file twice": text(files=[FILE, FILE]),
    "too many files": text(files=[{**FILE, "path": str(number)} for number in range(100_001)]),
    "an absolute path": listing(path="/etc/passwd"),
    "a path that leads out": listing(path="articles/../../outside"),
    "a path with a backslash": listing(path="..\\outside"),
    "a path with NUL": listing(path="a\0b"),
    "a path with half a letter": listing(path="a\ud800"),
    "a path with an escape": listing(path="\x1b[31m"),
    "an empty path": listing(path=""),
    "a long path": listing(path="a" * 1_025),
    "itself": listing(path="edition.json"),
    "bytes below nothing": listing(bytes=-1),
    "a fraction of bytes": listing(bytes=1.5),
    "a hash that is none": listing(xxh3="g" * 32),
    "a short hash": listing(xxh3="0"),
    "a hash with a line": listing(xxh3="0" * 32 + "\n"),
}


@pytest.mark.parametrize("content", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_has_a_reason_of_one_line(tmp_path, content):
    (tmp_path / "edition.json").write_bytes(content)
    with pytest.raises(EditionDamagedError) as caught:
        read_manifest(tmp_path)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400 + len(str(tmp_path))


def test_a_pipe_is_refused_as_a_manifest(tmp_path: Path):
    os.mkfifo(tmp_path / "edition.json")
    with pytest.raises(EditionDamagedError, match="it is not a regular file"):
        read_manifest(tmp_path)


def test_a_manifest_may_say_more_or_less():
    """A newer release adds keys, and schema 1 had fewer."""
    found = parse_manifest(listing(later={"a": 1}))
    assert found.by_path[FILE["path"]].bytes == 100
    assert (found.schema_version, found.database_bytes_when_built, found.articles) == (None, 0, 0)
    assert parse_manifest(text(later=[1])) == parse_manifest(found.as_json().encode())


@pytest.mark.parametrize("name", ["deep", "digits", "an id of another type", "a path that leads out"])
def test_every_command_says_that_a_manifest_is_nonsense(newsroom: Newsroom, name):
    edition = newsroom.published()
    newsroom.remove(f"editions/{edition}/edition.json")
    newsroom.put(f"editions/{edition}/edition.json", NONSENSE[name])
    for command in (["run"], ["verify"], ["query", "SELECT 1"], ["rollback", edition]):
        code, said = newsroom.does(*command)
        assert (code, said.count("\n")) == (1, 1), said
        assert f"{edition}/edition.json cannot be read (" in said
    code, said = newsroom.does("editions")
    assert "Traceback" not in said
    assert code == 1 or edition not in said


@on_disk
def test_a_pointer_and_notes_that_are_nonsense(newsroom: Newsroom):
    edition = newsroom.published()
    newsroom.remove("current")
    for content in (b"\0" * 100_000, f"{edition}\n{'a' * 100}".encode(), b"\xff", b"../editions/" + edition.encode()):
        newsroom.put("current", content)
        code, said = newsroom.does("query", "SELECT 1")
        assert (code, said.count("\n")) == (1, 1)
        assert "does not contain the id of an edition" in said
    newsroom.put("current", edition.encode())
    newsroom.put(".touched.parquet", b"nonsense")
    newsroom.put(".writer.json", b"[" * 100_000)
    assert newsroom.does("run")[0] == 0
