"""Every failure that ends a run or a command: how it comes about for real, and the sentence that reports it.

A case is a context manager: within its block the failure is there, after it the next run publishes.
"""

import os
import resource
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from typing import NamedTuple

import dask
import pytest

from flows import errors
from flows.object_store import objects
from flows.object_store.path import ObjectPath
from flows.pipeline.run import publish_edition
from flows.settings import Settings
from flows.warehouse.ddl import SQL
from flows.warehouse.storage import open_storage
from tests.conftest import ROOT, seed_file
from tests.object_store import ObjectStore

LOCK_HOLDER = """
import sys
from pathlib import Path
from flows.warehouse.lock import writer_lock

with writer_lock(Path(sys.argv[1])):
    print("holding", flush=True)
    sys.stdin.read()
"""


class Newsroom:
    """A source of four articles in two months, its warehouse, and what a run finds in its environment."""

    objects: ObjectStore | None = None  # where the warehouse is in one

    def __init__(self, folder: Path, warehouse: Path | ObjectPath, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.warehouse, self.patch = folder, warehouse, patch
        self.source = folder / "source"
        self.source.mkdir()
        for number in range(4):
            self.write(number)
        self.set(source=self.source, warehouse=warehouse, data=folder / "data")

    def set(self, **settings: object) -> None:
        """Set BROADSHEET_* variables, until the test ends or the block of a case does."""
        for name, value in settings.items():
            self.patch.setenv(f"BROADSHEET_{name.upper()}", str(value))

    @contextmanager
    def setting(self, **settings: object) -> Iterator[None]:
        """Set BROADSHEET_* variables, until the end of the block."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in settings.items():
                patch.setenv(f"BROADSHEET_{name.upper()}", str(value))
            yield

    def write(self, number: int, title: str = "A title", body: str = "PARIS - Text.") -> None:
        """Write an article."""
        text = seed_file(f"A{number}", title, f"2026-0{1 + number % 2}-01", body)
        (self.source / f"{number}.md").write_text(text)

    @property
    def in_store(self) -> bool:
        """Whether the warehouse is in an object store."""
        return hasattr(self.warehouse, "bucket")

    @property
    def local_root(self) -> Path:
        """The folder in which editions are built."""
        return open_storage(Settings()).local_root

    def current(self) -> str | None:
        """The id of the published edition."""
        if self.in_store:
            try:
                return objects.read(self.warehouse / "current").decode()
            except FileNotFoundError:
                return None
        link = self.warehouse / "current"
        return link.resolve().name if link.is_symlink() else None


Happens = Callable[[Newsroom], AbstractContextManager[object]]


class Failure(NamedTuple):
    """A way in which a run fails: `message` is a regular expression of the whole sentence.

    `step` is the step of the pipeline that raises it, where one does. `runs` names the runs that meet it: the command
    line, the flow on this machine and on Dask (cli, flow, dask), with the warehouse in a folder or in a store.
    """

    kind: type[errors.RunError]
    message: str
    happens: Happens
    step: str | None = None
    runs: tuple[str, ...] = ("cli folder", "flow folder", "dask folder", "flow store")
    after: bool = True  # whether an edition is published before


FOLDER = ("cli folder", "flow folder", "dask folder")
STORE = ("cli store", "flow store")
EVERYWHERE = (*FOLDER, *STORE)
CHANGED = "A changed title"


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
            (theirs / "thesis.txt").rename(_made(room.local_root) / "thesis.txt")
        yield


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


@contextmanager
def another_run_holds_the_lock(room: Newsroom) -> Iterator[None]:
    room.patch.setattr("flows.etl.HOUR", 1)  # the flow waits so many seconds
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
def largest_file(size: int) -> Iterator[None]:
    """No file of this process grows larger, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    known = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, known)


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
def rewritten(place: Path | ObjectPath, content: bytes) -> Iterator[None]:
    """Give a file or an object another content, until the end of the block."""
    if hasattr(place, "bucket"):
        known = objects.read(place)
        objects.write(place, content)
        yield
        objects.write(place, known)
    else:
        known = place.read_bytes()
        place.chmod(0o644)
        place.write_bytes(content)
        yield
        place.write_bytes(known)


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
    """A month that this run changes, so that its rows are read back."""
    assert not room.in_store
    file = room.warehouse / "current" / "articles" / "2026-01" / "articles.parquet"
    with rewritten(file, file.read_bytes()[:-40] + bytes(40)):
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
def setting_is_wrong(room: Newsroom) -> Iterator[None]:
    with room.setting(time_zone="Mars/Olympus"):
        yield


@contextmanager
def dask_on_the_command_line(room: Newsroom) -> Iterator[None]:
    with room.setting(runner="dask"):
        yield


@contextmanager
def cluster_is_not_there(room: Newsroom) -> Iterator[None]:
    with room.setting(scheduler="tcp://127.0.0.1:9"), dask.config.set({"distributed.comm.timeouts.connect": "1s"}):
        yield


@contextmanager
def workers_are_blind(room: Newsroom) -> Iterator[None]:
    """A warehouse below the current folder, which is another one for each process."""
    room.patch.chdir(room.folder)
    with room.setting(warehouse="/proc/self/cwd/warehouse-of-the-flow"):
        yield
    room.patch.chdir(ROOT)


@contextmanager
def store_is_down(room: Newsroom) -> Iterator[None]:
    with store_at(AWS_ENDPOINT_URL="http://127.0.0.1:9", AWS_MAX_ATTEMPTS="1"):
        yield


@contextmanager
def bucket_is_missing(room: Newsroom) -> Iterator[None]:
    with room.setting(warehouse="s3://no-such-bucket/warehouse"):
        yield


@contextmanager
def profile_is_unknown(room: Newsroom) -> Iterator[None]:
    with store_at(AWS_PROFILE="nobody"):
        yield


@contextmanager
def store_at(**variables: str) -> Iterator[None]:
    """Another environment for the client of the store, until the end of the block."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        objects.client.cache_clear()
        yield
    objects.client.cache_clear()


@contextmanager
def another_run_publishes_first(room: Newsroom) -> Iterator[None]:
    """While this run puts its manifest, a run of another machine publishes."""
    assert room.in_store
    other = Settings().model_copy(update={"data": room.folder / "other machine"})
    upload = objects.upload
    with pytest.MonkeyPatch.context() as patch:

        def upload_after_the_other(file: Path, place: ObjectPath) -> None:
            if file.name == "edition.json":
                patch.undo()
                publish_edition(other)
            upload(file, place)

        patch.setattr(objects, "upload", upload_after_the_other)
        yield
    room.write(0, "Written after the race")


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


@contextmanager
def path_has_a_question_mark(room: Newsroom) -> Iterator[None]:
    with room.setting(**{"warehouse" if not room.in_store else "data": room.folder / "why?"}):
        yield


@contextmanager
def database_gets_no_memory(room: Newsroom) -> Iterator[None]:
    """DuckDB may take a kilobyte, also where the work that did not fit is done again."""
    with room.setting(rebuild=True), pytest.MonkeyPatch.context() as patch:
        patch.setattr("flows.warehouse.database.MIN_MEMORY", 1_000)
        patch.setattr("flows.resources.usable_memory", lambda: 0)
        yield


@contextmanager
def workers_are_killed(room: Newsroom) -> Iterator[None]:
    """Each process that reads files is killed as soon as it is there, as the kernel does where memory ends."""
    with room.setting(rebuild=True, processes=2), pytest.MonkeyPatch.context() as patch:
        patch.setattr("flows.pipeline.plan.MIN_BATCH_FILES", 1)
        patch.setattr("flows.pipeline.process_pool.WORTH_A_WORKER", 1)
        done = Event()
        killer = Thread(target=_kill_grandchildren, args=(done,))
        killer.start()
        yield
        done.set()
        killer.join()


def _kill_grandchildren(done: Event) -> None:
    while not done.wait(0.001):
        for child in _children(os.getpid()):
            for worker in _children(child):
                with suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGKILL)


def _children(process: int) -> list[int]:
    found: list[int] = []
    for file in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):
            found += map(int, file.read_text().split())
    return found


@contextmanager
def store_has_no_etags(room: Newsroom) -> Iterator[None]:
    assert room.store
    room.store.tagged = False
    yield
    room.store.tagged = True


@contextmanager
def pointer_is_forbidden(room: Newsroom) -> Iterator[None]:
    assert room.store
    assert room.in_store
    room.store.refused = {f"{room.warehouse.key}/current": "AccessDenied"}
    yield
    room.store.refused = {}


FAILURES = (
    Failure(errors.InvalidSettingError, r"time_zone: Mars/Olympus .*", setting_is_wrong, after=False),
    Failure(errors.ConfigurationError, r"The dask runner belongs to the flow: .*", dask_on_the_command_line, None, ("cli folder",)),
    Failure(errors.ConfigurationError, r"AWS settings cannot be used: .*nobody.*", profile_is_unknown, "extract", STORE),
    Failure(errors.SourceNotFoundError, r"Source folder not found: .*/source\. .*", source_is_gone),
    Failure(errors.SourceUnreadableError, r"The folder .* cannot be listed \(File name too long\); .*", folder_cannot_be_listed, "extract"),
    Failure(errors.WithdrawalsError, r"Of 4 published articles 3 would be withdrawn, .*", most_articles_are_gone, "reconcile"),
    Failure(errors.WarehouseForeignError, r"The folder .* is no Broadsheet warehouse \(it holds thesis.txt\); .*", warehouse_is_something_else),
    Failure(errors.WarehouseLockedError, r"Another run is publishing into .*: process \d+ on .* since .*", another_run_holds_the_lock),
    Failure(errors.WarehouseUnwritableError, r"The warehouse /proc/broadsheet.* cannot be written \(.*", disk_refuses),
    Failure(errors.WarehouseUnwritableError, r"The warehouse .* cannot be written \(.*", disk_is_full_while_reading, "transform", ("cli folder", "flow folder", "cli store", "flow store")),
    Failure(errors.NoSpaceError, r"The disk of .* has .* MB free, and an edition may need 1,000,000,000 MB\. .*", disk_is_too_small, "extract"),
    Failure(errors.BuildError, r"The database of .* cannot be built \(.*", disk_is_full_while_loading, "load", EVERYWHERE),
    Failure(errors.EditionNotFoundError, r"The edition 20\w+ is missing from .*", current_dangles, "extract", EVERYWHERE),
    Failure(errors.EditionDamagedError, r".*/edition.json cannot be read \(.*", manifest_is_broken, "extract", EVERYWHERE),
    Failure(errors.EditionDamagedError, r".*/articles\.parquet cannot be read \(.*", a_month_is_damaged, "write_partitions", FOLDER),
    Failure(errors.EditionDamagedError, r".*broadsheet.duckdb.wal is not in edition.json\. .*", edition_has_a_foreign_log, "extract", ("cli folder", "cli store", "flow folder")),
    Failure(errors.EditionDamagedError, r"The file .*/changes\.parquet is missing\. .*", a_file_is_missing, "extract", FOLDER),
    Failure(errors.CheckError, r"The check never failed; its first row is \('broken',\)\. Nothing was published\. .*", a_check_fails, "check", EVERYWHERE),
    Failure(errors.PublishConflictError, r"Another run has published into .*", another_run_publishes_first, "publish", (*STORE, "dask store")),
    Failure(errors.SourceEmptyError, r"No seed files .*", source_is_empty, "extract", after=False),
    Failure(errors.EditionNotChosenError, r"There is no .*current, though .* has editions, such as .*", current_is_lost, "extract", EVERYWHERE),
    Failure(errors.ClockError, r"The clock of this machine says .*", an_edition_is_from_the_future, "extract", EVERYWHERE),
    Failure(errors.WarehousePathError, r"The path of the warehouse, .*why\?.*, has the character \? .*", path_has_a_question_mark),
    Failure(errors.OutOfMemoryError, r"The process ran out of memory \(.*", database_gets_no_memory, "load"),
    Failure(errors.WorkerLostError, r"A worker process was killed.*", workers_are_killed, "transform", ("cli folder", "flow folder", "cli store", "flow store")),
    Failure(errors.StorageUnsupportedError, r"The store of s3://.* returns no ETag.*", store_has_no_etags, "extract", STORE, after=False),
    Failure(errors.ObjectRefusedError, r"The store refuses to return s3://.*/current \(AccessDenied\)\. .*", pointer_is_forbidden, "extract", STORE),
    Failure(errors.StorageUnavailableError, r"The store of s3://.* does not answer \(.*", store_is_down, "extract", STORE),
    Failure(errors.StorageRefusedError, r"Bucket not found: no-such-bucket\. .*", bucket_is_missing, "extract", STORE),
    Failure(errors.ClusterError, r"No worker of a Dask cluster answers at tcp://127.0.0.1:9 \(.*", cluster_is_not_there, None, ("dask folder",)),
    Failure(errors.WorkerBlindError, r"The worker on .* does not see /proc/self/cwd/.*\. Give the workers .*", workers_are_blind, "transform", ("dask folder",)),
)  # fmt: skip
