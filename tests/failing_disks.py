"""Failures of the source, the disk and the editions; within each block the failure is there."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from flows.object_store import objects
from flows.warehouse.ddl import SQL
from flows.warehouse.local_storage import LocalStorage
from tests.conftest import ROOT
from tests.failing_newsroom import CHANGED, LOCK_HOLDER, Newsroom, largest_file, made, rewritten


@contextmanager
def source_is_gone(room: Newsroom) -> Iterator[None]:
    away = room.source.rename(room.folder / "away")
    yield
    away.rename(room.source)


@contextmanager
def folder_cannot_be_listed(room: Newsroom) -> Iterator[None]:
    """A path that is longer than the kernel takes: also root cannot list such a folder by its path."""
    name, depth = "x" * 200, 25
    folders = [os.open(room.source, os.O_RDONLY)]
    for _ in range(depth):
        os.mkdir(name, dir_fd=folders[-1])
        folders.append(os.open(name, os.O_RDONLY, dir_fd=folders[-1]))
    try:
        yield
    finally:
        for folder in reversed(folders[:-1]):
            os.rmdir(name, dir_fd=folder)
        for folder in folders:
            os.close(folder)


@contextmanager
def most_articles_are_gone(room: Newsroom) -> Iterator[None]:
    for number in (1, 2, 3):
        (room.source / f"{number}.md").unlink()
    yield
    for number in (1, 2, 3):
        room.write(number, CHANGED)


@contextmanager
def warehouse_is_something_else(room: Newsroom) -> Iterator[None]:
    theirs = room.folder / "theirs"
    theirs.mkdir()
    (theirs / "thesis.txt").write_text("years of work")
    with room.setting(**{"warehouse" if not room.in_store else "data": theirs}):
        if room.in_store:
            (theirs / "thesis.txt").rename(made(room.local_root) / "thesis.txt")
        yield


@contextmanager
def another_run_holds_the_lock(room: Newsroom) -> Iterator[None]:
    room.patch.setattr("flows.etl.HOUR", 1)  # seconds that the flow waits
    command = [sys.executable, "-c", LOCK_HOLDER, str(room.local_root)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == "holding\n"
        yield
        holder.communicate()


@contextmanager
def disk_refuses(room: Newsroom) -> Iterator[None]:
    """The kernel's own folder of processes, in which nobody can make a folder."""
    with room.setting(**{"warehouse" if not room.in_store else "data": "/proc/broadsheet"}):
        yield


@contextmanager
def disk_is_too_small(room: Newsroom) -> Iterator[None]:
    """As if even a small edition needed a petabyte."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flows.warehouse.disk_space.MIN_FREE_BYTES", 10**15)
        yield


@contextmanager
def disk_is_full_while_reading(room: Newsroom) -> Iterator[None]:
    room.write(0, body="PARIS - " + os.urandom(40_000).hex())  # which no compression makes smaller
    with largest_file(30_000):
        yield
    room.write(0, CHANGED)


@contextmanager
def disk_is_full_while_loading(room: Newsroom) -> Iterator[None]:
    with room.setting(rebuild=True), largest_file(100_000):
        yield


@contextmanager
def current_dangles(room: Newsroom) -> Iterator[None]:
    if room.in_store:
        with rewritten(room.warehouse / "current", b"20200101T000000Z"):
            yield
    else:
        away = (room.warehouse / "current").resolve().rename(room.folder / "kept")
        yield
        away.rename(room.warehouse / (room.warehouse / "current").readlink())


@contextmanager
def edition_has_a_foreign_log(room: Newsroom) -> Iterator[None]:
    name = f"editions/{room.current()}/broadsheet.duckdb.wal"
    if room.in_store:
        objects.write(room.warehouse / name, b"forged")
        yield
        objects.remove_object(room.warehouse / name)
    else:
        (room.warehouse / name).write_bytes(b"forged")
        yield
        (room.warehouse / name).unlink()


@contextmanager
def manifest_is_broken(room: Newsroom) -> Iterator[None]:
    with rewritten(room.warehouse / "editions" / str(room.current()) / "edition.json", b'{"files": '):
        yield


@contextmanager
def a_month_is_damaged(room: Newsroom) -> Iterator[None]:
    """A month that this run changes, so that its rows are read back, is damaged after the run has checked it."""
    file = room.local_root / "editions" / str(room.current()) / "articles" / "2026-01" / "articles.parquet"
    content, check = file.read_bytes(), LocalStorage.fetch_previous

    def damage(storage: LocalStorage, edition: Path, with_database: bool) -> None:
        check(storage, edition, with_database)
        file.chmod(0o644)
        file.write_bytes(content[:-40] + bytes(40))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LocalStorage, "fetch_previous", damage)
        yield
    file.write_bytes(content)


@contextmanager
def a_month_and_the_database_are_damaged(room: Newsroom) -> Iterator[None]:
    edition = (room.warehouse / "current").resolve()
    with ExitStack() as damages:
        for file in (edition / "articles" / "2026-01" / "articles.parquet", edition / "broadsheet.duckdb"):
            content = file.read_bytes()
            damages.enter_context(rewritten(file, content[:-1] + bytes([content[-1] ^ 1])))
        yield


@contextmanager
def a_file_is_missing(room: Newsroom) -> Iterator[None]:
    """The ledger: without it an edition would be published that has forgotten what changed."""
    assert not room.in_store
    (file,) = (room.warehouse / "current" / "changes").glob("*/changes.parquet")
    kept = file.rename(room.folder / "changes.parquet")
    yield
    kept.rename(file)


@contextmanager
def a_check_fails(room: Newsroom) -> Iterator[None]:
    sql = Path(shutil.copytree(SQL, room.folder / "sql"))
    (sql / "checks" / "never.sql").write_text("-- Always fails.\nSELECT 'broken' AS what")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flows.warehouse.checks.SQL", sql)
        yield


@contextmanager
def source_is_empty(room: Newsroom) -> Iterator[None]:
    away = room.source.rename(room.folder / "away")
    room.source.mkdir()
    yield
    room.source.rmdir()
    away.rename(room.source)


@contextmanager
def current_is_lost(room: Newsroom) -> Iterator[None]:
    if room.in_store:
        known = objects.read(room.warehouse / "current")
        objects.remove_object(room.warehouse / "current")
        yield
        objects.write(room.warehouse / "current", known)
    else:
        away = (room.warehouse / "current").rename(room.folder / "link")
        yield
        away.rename(room.warehouse / "current")


@contextmanager
def an_edition_is_from_the_future(room: Newsroom) -> Iterator[None]:
    """A copy of the edition under a name of another century, as a run with a wrong clock leaves it."""
    ahead = "20991231T235959Z"
    if room.in_store:
        place = room.warehouse / "editions" / ahead / "edition.json"
        objects.write(place, objects.read(room.warehouse / "editions" / str(room.current()) / "edition.json"))
        yield
        objects.remove_object(place)
    else:
        edition = (room.warehouse / "current").resolve()
        copy = Path(shutil.copytree(edition, edition.with_name(ahead)))
        (copy / "edition.json").chmod(0o644)
        (copy / "edition.json").write_text((edition / "edition.json").read_text().replace(edition.name, ahead))
        yield
        shutil.rmtree(copy)
