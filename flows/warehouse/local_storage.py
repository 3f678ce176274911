"""A warehouse in a folder, on a local disk or on one that several machines share."""

import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from flows import schema
from flows.errors import EditionDamagedError, StagedFileError, WorkerBlindError
from flows.object_store.path import ObjectPath
from flows.warehouse import editions
from flows.warehouse.front_page import FRONT_PAGE
from flows.warehouse.lock import writer_lock
from flows.warehouse.manifest import REMEDY, has_file, read_manifest, require_intact
from flows.warehouse.manifest_model import DATABASE, MANIFEST, Manifest
from flows.warehouse.parquet import table_file
from flows.warehouse.paths import require_path
from flows.warehouse.pointer import CURRENT, EDITIONS
from flows.warehouse.recovery import restore_from_database
from flows.warehouse.run_warnings import after_publishing, warn
from flows.warehouse.staging import StagedFile, is_staged
from flows.warehouse.storage import Exchange, Snapshot, Storage

_READ_ALWAYS = {table_file(Path(), table).name for table in (schema.SOURCES, schema.PROBLEMS, schema.EDITIONS)}


class LocalStorage(Storage):
    """A warehouse in a folder: editions are built in its staging folder and moved from there."""

    opens_in_place = True
    root_setting = "--warehouse"

    def __init__(self, folder: Path) -> None:
        self.location = self.local_root = folder

    def locked(self, timeout: float) -> AbstractContextManager[None]:
        """Hold the lock file of the folder."""
        return writer_lock(self.local_root, timeout)

    def snapshot(self) -> Snapshot:
        """Return the current edition, after checking that each file exists and has the right size."""
        edition = editions.current_edition(self.local_root)
        if edition is None:
            return Snapshot(None, None)
        require_intact(edition, complete=True)
        return Snapshot(edition, None, _repair(edition, _READ_ALWAYS.__contains__))

    def reserve(self, edition_id: str) -> str:
        """Return the id, which the lock reserves for this run."""
        return edition_id

    def fetch_previous(self, edition: Path, with_database: bool) -> None:
        """Check the hash of each file that a run reads or links, so that damage does not spread to the new edition.

        The database is checked when it is copied. The check takes 0.5 s for 2 GB in the page cache.
        """
        _repair(edition, lambda name: name not in (DATABASE, FRONT_PAGE, *_READ_ALWAYS))

    def publish(
        self,
        edition: Path,
        snapshot: Snapshot,
        staged: Mapping[str, ObjectPath],
        keep_editions: int,
        keep_hours: float,
    ) -> Path:
        """Move the edition to its place and swap `current`."""
        folder = editions.publish_folder(self.local_root, edition)
        with after_publishing("old editions were not removed"):
            editions.retire(self.local_root, keep_editions, keep_hours, datetime.now(UTC))
        return folder

    def roll_back(self, edition_id: str) -> None:
        """Swap `current` while holding the lock."""
        with self.locked(0):
            editions.roll_back(self.local_root, edition_id)

    def current_id(self) -> str | None:
        """Return the id that `current` names."""
        edition = editions.current_edition(self.local_root)
        return edition.name if edition else None

    def manifests(self) -> list[Manifest]:
        """Return the manifests of the editions in the folder."""
        require_path(self.local_root)
        return [read_manifest(edition) for edition in editions.list_editions(self.local_root)]

    @contextmanager
    def open_current(self) -> Iterator[Path | None]:
        """Yield the folder of the current edition, after checking its file sizes against edition.json."""
        require_path(self.local_root)
        edition = editions.current_edition(self.local_root)
        if edition:
            require_intact(edition)
        yield edition

    def fetch_published(self) -> Path | None:
        """Return the folder of the current edition."""
        return editions.current_edition(self.local_root)

    def edition_location(self, edition_id: str) -> Path:
        """Return the edition's folder."""
        return self.local_root / EDITIONS / edition_id

    def current_location(self, edition_id: str) -> Path:
        """Return the link `current`, or the edition's folder if the disk does not support links."""
        current = self.local_root / CURRENT
        return current if current.is_symlink() else self.edition_location(edition_id)

    def exchange(self, edition_id: str) -> Exchange:
        """Return the exchange through a disk that all machines share."""
        return SharedDisk()


def _repair(edition: Path, wanted: Callable[[str], bool]) -> tuple[str, ...]:
    """Restore files that differ from edition.json, and return the paths of those that only a rebuild can replace.

    Raise EditionDamagedError for other files that cannot be restored.
    """
    lost = []
    for facts in read_manifest(edition).files:
        if not wanted(facts.path) or has_file(edition, facts):
            continue
        wrong = f"The file {edition / facts.path} has a different hash than {MANIFEST} states."
        if restore_from_database(edition, facts):
            warn(f"{wrong} It was restored from the database.")
        elif facts.path == table_file(Path(), schema.PROBLEMS).name:
            warn(f"{wrong} This run rebuilds the edition.")
            lost.append(facts.path)
        else:
            raise EditionDamagedError(f"{wrong} {REMEDY}")
    return tuple(lost)


class SharedDisk(Exchange):
    """An exchange for workers on other machines that read and write the same folders."""

    def receive(self, work: Path, staged: Iterable[StagedFile]) -> None:
        """Check the sizes and hashes of the files."""
        for file in staged:
            if not is_staged(work / file.path, file):
                raise StagedFileError(
                    f"The staged file {work / file.path} is missing or was changed, so nothing was published. Check the"
                    " disk that the machines share, then run again."
                )

    @contextmanager
    def working_folder(self, work: Path, scratch: str | None) -> Iterator[Path | None]:
        """Yield None after checking that this worker can access the staged files."""
        if not work.is_dir():
            raise WorkerBlindError(
                f"The worker on {socket.gethostname()} cannot access {work}. Use a disk that all machines share, or a"
                " warehouse on an object store."
            )
        yield None
