"""A wrong clock fails a run, and an edition that was published with a wrong clock can be removed."""

from datetime import UTC, datetime, timedelta

import pytest

from flows.object_store import objects
from flows.warehouse.edition_ids import edition_id_at, edition_time
from tests.conftest import query
from tests.newsroom import Newsroom, in_store, on_disk

NOW = datetime.now(UTC)
YEARS_AHEAD = NOW + timedelta(days=3650)


def require_clock_error(newsroom: Newsroom) -> str:
    """Run, require that the clock is refused and that nothing changes, and return the message."""
    before = newsroom.names()
    code, said = newsroom.does("run", "--rebuild")
    assert (code, said.count("\n"), newsroom.names()) == (1, 1, before)
    assert f"The clock of this machine shows {datetime.now(UTC):%Y-%m-%d}" in said
    return said


@on_disk
def test_an_edition_from_the_future_fails_the_run_and_can_be_removed(newsroom, clock, monkeypatch):
    monkeypatch.setenv("BROADSHEET_KEEP_EDITIONS", "2")
    monkeypatch.setenv("BROADSHEET_KEEP_HOURS", "0")
    good = newsroom.published()
    clock(YEARS_AHEAD)
    newsroom.write("B")
    wrong = newsroom.published()
    clock(datetime.now(UTC))
    said = require_clock_error(newsroom)
    assert f"is from {YEARS_AHEAD:%Y-%m-%d %H:%M} UTC." in said
    assert f"run broadsheet rollback {good} and delete {newsroom.local()}/editions/{wrong}, then run again." in said
    assert newsroom.does("rollback", good)[0] == 0
    require_clock_error(newsroom)
    for file in sorted((newsroom.local() / "editions" / wrong).rglob("*"), reverse=True):
        file.rmdir() if file.is_dir() else file.unlink()
    (newsroom.local() / "editions" / wrong).rmdir()
    after = newsroom.published()
    assert abs(edition_time(after) - datetime.now(UTC)) < timedelta(minutes=5)
    assert query(newsroom.local() / "current", "SELECT edition_id FROM editions") == [(good,), (after,)]
    clock(datetime.now(UTC) + timedelta(hours=1))
    last = newsroom.published("--rebuild")
    assert newsroom.names() == {after, last}  # retention works again


@on_disk
def test_the_remedy_for_editions_from_the_future_only_is_to_delete_them(newsroom, clock):
    clock(YEARS_AHEAD)
    wrong = newsroom.published()
    clock(datetime.now(UTC))
    place = newsroom.local()
    assert (
        f"delete {place}/current and {place}/editions/{wrong} to begin a new history, then run again."
        in require_clock_error(newsroom)
    )


@on_disk
@pytest.mark.parametrize("publishes", [True, False])
def test_a_clock_before_this_release_is_refused(newsroom, clock, publishes):
    if publishes:
        newsroom.published()
    clock(datetime(1970, 1, 1, 0, 5, tzinfo=UTC))
    code, said = newsroom.does("run")
    assert code == 1
    assert "The clock of this machine is wrong: it shows 1970-01-01 00:05 UTC, but this release" in said
    clock(datetime.now(UTC))
    assert newsroom.does("run")[0] == 0


@on_disk
def test_ids_stay_in_order_if_the_clock_is_a_few_hours_behind(newsroom, clock):
    first = newsroom.published()
    clock(edition_time(first) - timedelta(hours=23))
    assert edition_time(newsroom.published("--rebuild")) == edition_time(first) + timedelta(seconds=1)


@in_store
def test_a_clock_that_differs_from_the_store_is_refused(newsroom, clock):
    for moment in (YEARS_AHEAD, NOW - timedelta(days=2), datetime(1970, 1, 1, tzinfo=UTC)):
        clock(moment)
        for command in ("run", "verify", "rollback 20261110T030000Z"):
            code, said = newsroom.does(*command.split())
            assert code == 1
            assert f"The clock of this machine shows {moment:%Y-%m-%d %H:%M} UTC, but the store of s3://" in said
    assert newsroom.names() == set()


@in_store
def test_an_edition_from_the_future_in_a_store_fails_the_run_and_can_be_removed(newsroom, clock):
    good = newsroom.published()
    wrong = edition_id_at(YEARS_AHEAD)
    newsroom.copy(good, f"editions/{wrong}")
    newsroom.put("current", wrong.encode())
    said = require_clock_error(newsroom)
    assert f"run broadsheet rollback {good} and delete {newsroom.warehouse}/editions/{wrong}, then run again." in said
    assert newsroom.does("rollback", good)[0] == 0
    for found in list(objects.list_objects(newsroom.warehouse / "editions" / wrong)):
        objects.remove_object(newsroom.warehouse / "editions" / wrong / found.name)
    assert newsroom.does("run")[0] == 0


@in_store
def test_a_claim_from_the_future_does_not_affect_ids_and_is_removed(newsroom):
    wrong = edition_id_at(YEARS_AHEAD)
    newsroom.put(f".claims/{wrong}", b"{}")
    newsroom.put(f"editions/{wrong}/articles/part.parquet", b"")
    edition = newsroom.published()
    assert edition < wrong
    assert newsroom.names() == {edition}
    assert not objects.exists(newsroom.warehouse / ".claims" / wrong)
