"""Editions below an s3:// URL. An edition is built in the working copy of this machine, and uploaded from there.

The working copy keeps the current edition, so that a run on the same machine fetches only what others have published.
"""

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from flows.errors import EditionDamagedError, RunError
from flows.object_store import objects, transfers
from flows.object_store.path import SCHEME, ObjectPath
from flows.warehouse import editions, object_catalog, object_editions, object_repair, working_copy
from flows.warehouse.lock import writer_lock
from flows.warehouse.manifest import read_manifest, require_intact
from flows.warehouse.manifest_model import Manifest
from flows.warehouse.pointer import EDITIONS, STAGING
from flows.warehouse.run_warnings import after_publishing
from flows.warehouse.storage import Exchange, Snapshot, Storage


class ObjectStorage(Storage):
    """A warehouse below a URL, with its working copy in the data folder."""

    location: ObjectPath
    opens_in_place = False
    root_setting = "BROADSHEET_DATA"

    def __init__(self, location: ObjectPath, data: Path) -> None:
        self.location = location
        self.local_root = data / "copies" / quote(str(location).removeprefix(SCHEME), safe="")

    @contextmanager
    def locked(self, timeout: float) -> Iterator[None]:
        """Hold the lock of the working copy; what was reserved and not published ends with the block."""
        working_copy.tidy(self.local_root)
        with writer_lock(self.local_root, timeout, self.root_setting):
            try:
                yield
            finally:
                with suppress(RunError, OSError):  # a store that fails now is swept by the next run
                    object_editions.abandon(self.location, self.local_root)

    def snapshot(self) -> Snapshot:
        """Bring the working copy to the current edition, except its months and database, and repair the edition."""
        etag = working_copy.take_current(self.location, self.local_root)
        if etag is None:
            object_editions.require_abilities(self.location)
        edition = editions.current_edition(self.local_root)
        if edition is None:
            return Snapshot(None, etag)
        damaged = object_catalog.find_damaged(self.location, read_manifest(edition))
        names = {facts.path for facts in damaged}
        wrong = working_copy.fetch_whole(
            self.location, edition, lambda name: working_copy.is_light(name) and name not in names
        )
        lost = object_repair.repair(self.location, edition, [*damaged, *wrong])
        require_intact(edition)
        return Snapshot(edition, etag, lost)

    def reserve(self, edition_id: str) -> str:
        """Claim the id in the store."""
        return object_editions.claim(self.location, self.local_root, edition_id)

    def fetch_previous(self, edition: Path, with_database: bool) -> None:
        """Download what the working copy lacks; a run from which nothing is reused does without what it derives."""
        wrong = working_copy.fetch_whole(
            self.location, edition, lambda name: with_database or name not in object_repair.DERIVED
        )
        lost = object_repair.repair(self.location, edition, wrong)
        if lost:
            raise EditionDamagedError(
                f"The object {self.edition_location(edition.name) / lost[0]} is damaged. Run once with --rebuild."
            )

    def publish(self, staged: Path, snapshot: Snapshot, keep_editions: int, keep_hours: float) -> Path:
        """Upload the edition, put the pointer, and keep the edition in the working copy."""
        object_editions.publish(self.location, staged, snapshot.edition, snapshot.etag)
        now = datetime.now(UTC)
        with after_publishing("it is not in the working copy"):
            editions.publish_folder(self.local_root, staged)
            editions.retire(self.local_root, 1, 0, now)
        with after_publishing("old editions were not removed"):
            object_editions.retire(self.location, keep_editions, keep_hours, now)
        return self.local_root / EDITIONS / staged.name

    def roll_back(self, edition_id: str) -> None:
        """Put the pointer to the edition."""
        object_editions.roll_back(self.location, edition_id)

    def current_id(self) -> str | None:
        """Return the id that the pointer holds."""
        return object_catalog.require_chosen(self.location)

    def manifests(self) -> list[Manifest]:
        """Return the manifests in the store."""
        return object_catalog.list_manifests(self.location)

    def open_current(self) -> AbstractContextManager[Path | None]:
        """Yield the working copy's folder, or a temporary one with the database alone."""
        return working_copy.reading(self.location, self.local_root)

    def fetch_published(self) -> Path | None:
        """Download every object of the current edition beside the working copy, which may be better."""
        return working_copy.fetch_beside(self.location, self.local_root)

    def edition_location(self, edition_id: str) -> ObjectPath:
        """Return the URL of the edition."""
        return self.location / EDITIONS / edition_id

    def current_location(self, edition_id: str) -> ObjectPath:
        """Return the URL of the edition: a store has no links."""
        return self.edition_location(edition_id)

    def exchange(self, edition_id: str) -> Exchange:
        """Return the exchange by way of the store."""
        return StagedObjects(self.location, edition_id)


class StagedObjects(Exchange):
    """Workers on other machines download what they read, and upload what they write."""

    def __init__(self, location: ObjectPath, edition_id: str) -> None:
        self.location = location
        self.staging = location / STAGING / edition_id
        self.edition = location / EDITIONS / edition_id

    def send(self, folder: Path, names: Iterable[str]) -> None:
        """Upload below the run's staging prefix."""
        for name in names:
            transfers.upload_all(folder / name, self.staging / name)

    def receive(self, folder: Path, names: Iterable[str]) -> None:
        """Download from the run's staging prefix: a file where the name has a suffix, else a folder."""
        for name in names:
            if Path(name).suffix:
                objects.download(self.staging / name, folder / name)
            else:
                transfers.download_all(self.staging / name, folder / name)

    def send_partitions(self, edition: Path, tables: Iterable[str]) -> None:
        """Upload to where the edition is published."""
        for table in tables:
            transfers.upload_all(edition / table, self.edition / table)

    def receive_partitions(self, edition: Path, tables: Iterable[str]) -> None:
        """Download what workers uploaded."""
        for table in tables:
            transfers.download_all(self.edition / table, edition / table)

    def fetch_previous(self, edition: Path, names: set[str]) -> None:
        """Download some files of the previous edition."""
        working_copy.fetch_some(self.location, edition, names.__contains__)

    @contextmanager
    def working_folder(self, staged: Path, scratch: str | None) -> Iterator[Path | None]:
        """Yield a temporary folder below the worker's scratch folder."""
        with TemporaryDirectory(prefix="broadsheet-", dir=scratch) as folder:
            yield Path(folder)
