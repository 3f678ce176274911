"""Runs that publish at once or are killed below a prefix: one wins, and what is left is swept."""

import multiprocessing
from datetime import timedelta

import pytest

from flows.errors import RunError
from flows.object_store import objects, transfers
from flows.pipeline import run
from flows.pipeline.run import publish_edition, roll_back
from flows.pipeline.verify import verify_edition
from flows.settings import Settings
from flows.warehouse import object_catalog, object_editions
from flows.warehouse.editions import edition_time
from tests.conftest import query
from tests.dying import POINTS_BELOW_A_PREFIX, run_until
from tests.runners import Replacing
from tests.test_prefix import names, newsroom, place, settings, write  # noqa: F401

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("begun", ["on nothing", "on an edition"])
def test_of_two_concurrent_runs_one_publishes_and_the_other_reports_it(settings, tmp_path, begun):
    """The other run begins and ends while this one is about to be checked."""
    if begun == "on an edition":
        publish_edition(settings)
        write(settings.source, "E", date="2026-11-01")
    winners = []

    def check(*arguments: object) -> None:
        winners.append(publish_edition(settings.model_copy(update={"data": tmp_path / "other"})))
        run.check(*arguments)

    with pytest.raises(RunError) as told:
        publish_edition(settings, Replacing(check=check))
    (winner,) = winners
    assert str(told.value) == (
        f"Another run has published into {settings.warehouse} since this run started (the current edition is"
        f" {winner.folder.name}), so this run published nothing. Run again."
    )
    assert objects.read(settings.warehouse / "current").decode() == winner.folder.name
    assert object_catalog.list_editions(settings.warehouse)[-1] == winner.folder.name
    assert not any(name.startswith(".") for name in names(settings.warehouse))
    assert verify_edition(settings) == []
    assert publish_edition(settings).edition is None


def test_of_two_concurrent_puts_one_succeeds(settings):
    """A pointer that was put at the last moment is detected by the store's own comparison."""
    publish_edition(settings)
    _, seen = object_catalog.read_pointer(settings.warehouse)
    pointer = settings.warehouse / "current"
    assert objects.write_if(pointer, b"20991231T000000Z", seen)
    assert not objects.write_if(pointer, b"20991231T000001Z", seen)
    assert not objects.write_if(pointer, b"20991231T000001Z", None)
    assert objects.read(pointer) == b"20991231T000000Z"


def test_a_pointer_that_the_store_did_not_take_is_put_again(object_store, settings):
    """Of two that are put in one moment, a store may take neither."""
    object_store.conflicts = 2
    report = publish_edition(settings)
    assert object_store.conflicts == 0
    assert object_catalog.read_pointer(settings.warehouse)[0] == report.folder.name
    object_store.conflicts = 100
    write(settings.source, "E", date="2026-11-01")
    with pytest.raises(RunError, match="The store did not accept the pointer to"):
        publish_edition(settings)
    object_store.conflicts = 0
    assert names(settings.warehouse) == {"current", f"editions/{report.folder.name}"}


def kill(point: str, settings: Settings) -> str:
    """Kill a run at a point of its way; returns the id that it claimed."""
    run = multiprocessing.get_context("spawn").Process(target=run_until, args=(point, settings))
    run.start()
    run.join()
    assert run.exitcode == -9
    (claim,) = (name for name in names(settings.warehouse) if name.startswith(".claims/"))
    return claim.removeprefix(".claims/")


@pytest.mark.parametrize("point", POINTS_BELOW_A_PREFIX)
def test_what_a_killed_run_left_is_swept(settings, tmp_path, point):
    first = publish_edition(settings).folder.name
    write(settings.source, "E", date="2026-11-01")
    died = kill(point, settings)
    before = names(settings.warehouse)
    object_editions.sweep(settings.warehouse, first, edition_time(died) + timedelta(hours=23))
    assert names(settings.warehouse) == before  # it may be at work on another machine
    assert object_catalog.list_editions(settings.warehouse) == [first]
    if point == "load":  # another machine cannot know that it died, until a day after
        object_editions.sweep(settings.warehouse, first, edition_time(died) + timedelta(hours=25))
        assert names(settings.warehouse) == {"current", f"editions/{first}"}
    last = publish_edition(settings)  # this machine knows
    assert names(settings.warehouse) == {"current", f"editions/{first}", f"editions/{last.folder.name}"}
    assert query(last.folder, "SELECT edition_id FROM editions ORDER BY 1") == [(first,), (last.folder.name,)]
    assert last.edition.added == 1


def test_a_run_that_is_killed_when_it_has_published_leaves_an_edition(settings, tmp_path):
    publish_edition(settings)
    write(settings.source, "E", date="2026-11-01")
    died = kill("after the pointer", settings)
    assert object_catalog.read_pointer(settings.warehouse)[0] == died
    first, *_ = object_catalog.list_editions(settings.warehouse)
    roll_back(settings, first)
    roll_back(settings, died)
    write(settings.source, "F", date="2026-11-01")
    after = publish_edition(settings.model_copy(update={"data": tmp_path / "other"}))
    assert after.edition.added == 1
    assert object_catalog.list_editions(settings.warehouse)[1:] == [died, after.folder.name]
    assert publish_edition(settings).edition is None
    assert object_catalog.list_editions(settings.warehouse)[1:] == [died, after.folder.name]


@pytest.mark.parametrize("failing", ["transfers.remove_all", "retire"])
def test_a_store_that_fails_after_the_pointer_makes_no_failure_of_an_edition(settings, monkeypatch, failing):
    """A message that nothing was published would send operators to the articles."""
    works = getattr(transfers if failing.startswith("transfers") else object_editions, failing.rpartition(".")[2])

    def fail_after_the_pointer(*arguments: object) -> object:
        if object_catalog.any_pointer(settings.warehouse)[0]:
            raise RunError("The store does not answer.")
        return works(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(f"flows.warehouse.object_editions.{failing}", fail_after_the_pointer)
        report = publish_edition(settings)
    assert object_catalog.read_pointer(settings.warehouse)[0] == report.folder.name
    assert publish_edition(settings).edition is None
    assert names(settings.warehouse) == {"current", f"editions/{report.folder.name}"}
