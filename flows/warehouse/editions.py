"""Editions on disk: the writer's lock, the place where one is built, its manifest, and the swap that publishes it."""

import json
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import xxhash
from filelock import FileLock, Timeout

from flows.problems import RunError
from flows.warehouse.parquet import row_count

CURRENT, EDITIONS, STAGING, LOCK, HOLDER = "current", "editions", ".staging", ".lock", ".writer.json"
MANIFEST = "edition.json"
_ID_FORM = "%Y%m%dT%H%M%SZ"


@contextmanager
def writer_lock(warehouse: Path) -> Iterator[None]:
    """Hold the warehouse as its only writer; makes it where there is none. Raises RunError, naming the holder."""
    _require_ours(warehouse)
    try:
        warehouse.mkdir(parents=True, exist_ok=True)
        lock = FileLock(warehouse / LOCK, timeout=0)
        with lock:
            _note_holder(warehouse)
            shutil.rmtree(warehouse / STAGING, ignore_errors=True)  # what a killed run left
            try:
                yield
            finally:
                shutil.rmtree(warehouse / STAGING, ignore_errors=True)
                (warehouse / HOLDER).unlink(missing_ok=True)
    except Timeout:
        raise RunError(f"Another run is publishing into {warehouse}: {_holder(warehouse)}; wait for its end.") from None
    except OSError as error:
        raise RunError(
            f"The warehouse {warehouse} cannot be written ({error.strerror}: {error.filename});"
            " make room or give this user permission, or name another folder with --warehouse."
        ) from error


def _require_ours(warehouse: Path) -> None:
    ours = {CURRENT, EDITIONS, STAGING, LOCK, HOLDER}
    if warehouse.exists() and not warehouse.is_dir():
        raise RunError(f"The warehouse {warehouse} is a file; name a folder with --warehouse.")
    if not warehouse.is_dir() or (warehouse / EDITIONS).is_dir():
        return
    foreign = sorted(entry.name for entry in warehouse.iterdir() if entry.name not in ours)
    if foreign:
        raise RunError(
            f"The folder {warehouse} is no Broadsheet warehouse (it holds {foreign[0]});"
            " name an empty or a new folder with --warehouse."
        )


def _note_holder(warehouse: Path) -> None:
    holder = {
        "process": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now(UTC).isoformat("T", "seconds"),
    }
    (warehouse / HOLDER).write_text(json.dumps(holder))


def _holder(warehouse: Path) -> str:
    try:
        holder = json.loads((warehouse / HOLDER).read_text())
        return f"process {holder['process']} on {holder['host']} since {holder['since']}"
    except (OSError, ValueError, KeyError):
        return "a process that has just started"


def current_edition(warehouse: Path) -> Path | None:
    """The folder of the published edition, resolved; None where none is published."""
    current = warehouse / CURRENT
    return current.resolve() if current.exists() else None


def next_edition_id(warehouse: Path, now: datetime) -> str:
    """The id of an edition at `now` (UTC): its time to the second, or the first free second after every earlier id."""
    taken = [entry.name for entry in (warehouse / EDITIONS).glob("*T*Z")]
    moment = now.replace(microsecond=0)
    if taken:
        moment = max(moment, edition_time(max(taken)) + timedelta(seconds=1))
    return moment.strftime(_ID_FORM)


def staged_folder(warehouse: Path, edition_id: str) -> Path:
    """Where an edition is built, on the same file system as its place."""
    return (warehouse / STAGING / edition_id).absolute()


def edition_time(edition_id: str) -> datetime:
    """The instant that an edition's id names."""
    return datetime.strptime(edition_id, _ID_FORM).replace(tzinfo=UTC)


def read_manifest(edition: Path) -> dict[str, Any]:
    """What edition.json says of an edition."""
    return dict(json.loads((edition / MANIFEST).read_text()))


def write_manifest(edition: Path, facts: dict[str, Any]) -> None:
    """Write edition.json: the facts given, and each file of the edition with its rows, bytes and XXH3 hash."""
    files = [_file_facts(edition, file) for file in sorted(edition.rglob("*")) if file.is_file()]
    (edition / MANIFEST).write_text(json.dumps({**facts, "files": files}, indent=1) + "\n")


def _file_facts(edition: Path, file: Path) -> dict[str, Any]:
    digest = xxhash.xxh3_128()
    with file.open("rb") as opened:
        while part := opened.read(1 << 20):
            digest.update(part)
    rows = row_count(file) if file.suffix == ".parquet" else None
    name = file.relative_to(edition).as_posix()
    return {"path": name, "rows": rows, "bytes": file.stat().st_size, "xxh3": digest.hexdigest()}


def publish_folder(warehouse: Path, staged: Path) -> Path:
    """Make a staged edition immutable and durable, move it to its place, and point `current` at it."""
    for folder, _, files in os.walk(staged, topdown=False):
        for name in files:
            file = Path(folder, name)
            file.chmod(0o444)
            _sync(file)
        _sync(Path(folder))
    editions = warehouse / EDITIONS
    editions.mkdir(exist_ok=True)
    published = editions / staged.name
    staged.rename(published)
    _sync(editions)
    point_current(warehouse, published.name)
    return published


def point_current(warehouse: Path, edition_id: str) -> None:
    """Swap `current` to an edition in one step: readers see the old one or the new one."""
    link = warehouse / STAGING / CURRENT
    link.parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(Path(EDITIONS, edition_id))
    link.replace(warehouse / CURRENT)
    _sync(warehouse)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
