"""A warehouse in an object store. Editions are built in a local working copy and uploaded from there.

The working copy keeps the current edition, so a run downloads only what other machines have published since.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from flows.errors import EditionDamagedError, RunError, StagedFileError
from flows.object_store import objects, transfers
from flows.object_store.path import ObjectPath
from flows.warehouse import editions, object_catalog, object_editions, object_repair, working_copy
from flows.warehouse.database_note import note_database
from flows.warehouse.lock import writer_lock
from flows.warehouse.manifest import read_manifest, require_intact
from flows.warehouse.manifest_model import DATABASE, FileFacts, Manifest
from flows.warehouse.pointer import EDITIONS, STAGING
from flows.warehouse.run_warnings import after_publishing
from flows.warehouse.staging import StagedFile, is_staged
from flows.warehouse.storage import Exchange, Snapshot, Storage
from flows.warehouse.views_script import write_views_script


class ObjectStorage(Storage):
    """A warehouse below a URL, with its working copy in the data folder."""

    location: ObjectPath
    opens_in_place = False
    root_setting = "BROADSHEET_DATA"

    def __init__(self, location: ObjectPath, data: Path) -> None:
        self.location = location
        self.local_root = data / "copies" / quote(str(location).removeprefix("s3://"), safe="")

    @contextmanager
    def locked(self, timeout: float) -> Iterator[None]:
        """Hold the lock of the working copy, and release unpublished claims at the end of the block."""
        working_copy.tidy(self.local_root)
        with writer_lock(self.local_root, timeout, self.root_setting):
            try:
                yield
            finally:
                with suppress(RunError, OSError):  # the next run cleans up if the store fails now
                    object_editions.abandon(self.location, self.local_root)

    def snapshot(self) -> Snapshot:
        """Update the working copy to the current edition, except for months and database, and repair the edition."""
        etag = working_copy.sync_current(self.location, self.local_root)
        if etag is None:
            object_editions.require_abilities(self.location)
        edition = editions.current_edition(self.local_root)
        if edition is None:
            return Snapshot(None, etag)
        damaged = object_catalog.find_damaged(self.location, read_manifest(edition))
        names = {facts.path for facts in damaged}
        wrong = working_copy.fetch_intact(
            self.location, edition, lambda name: working_copy.is_light(name) and name not in names
        )
        lost = object_repair.repair(self.location, edition, [*damaged, *wrong])
        require_intact(edition)
        return Snapshot(edition, etag, lost)

    def reserve(self, edition_id: str) -> str:
        """Claim the id in the store."""
        return object_editions.claim(self.location, self.local_root, edition_id)

    def fetch_previous(self, edition: Path, with_database: bool) -> None:
        """Download missing files; without the database, also skip the other files that a rebuild derives."""
        wrong = working_copy.fetch_intact(
            self.location, edition, lambda name: with_database or name not in object_repair.DERIVED
        )
        lost = object_repair.repair(self.location, edition, wrong)
        working_copy.check_database(edition)
        if lost:
            raise EditionDamagedError(
                f"The object {self.edition_location(edition.name) / lost[0]} is damaged. Run once with --rebuild."
            )

    def complete(self, edition: Path) -> Collection[str]:
        """Write the SQL script of the edition; the database is not uploaded: most of it would change with every run."""
        write_views_script(edition, self.edition_location(edition.name))
        return (DATABASE,)

    def publish(
        self,
        edition: Path,
        snapshot: Snapshot,
        staged: Mapping[str, ObjectPath],
        keep_editions: int,
        keep_hours: float,
    ) -> Path:
        """Copy or upload the files of the edition, update the pointer, and keep the edition as the working copy."""
        object_editions.publish(self.location, edition, snapshot.edition, snapshot.etag, staged)
        now = datetime.now(UTC)
        with after_publishing("it is not in the working copy"):
            note_database(editions.publish_folder(self.local_root, edition))
            editions.retire(self.local_root, 1, 0, now)
        with after_publishing("old editions were not removed"):
            object_editions.retire(self.location, keep_editions, keep_hours, now)
        return self.local_root / EDITIONS / edition.name

    def roll_back(self, edition_id: str) -> None:
        """Point `current` in the store at the edition."""
        object_editions.roll_back(self.location, edition_id)

    def current_id(self) -> str | None:
        """Return the id that the pointer contains."""
        return object_catalog.require_chosen(self.location)

    def manifests(self) -> list[Manifest]:
        """Return the manifests of the editions in the store."""
        return object_catalog.list_manifests(self.location)

    def open_current(self) -> AbstractContextManager[Path | None]:
        """Yield the edition in the working copy, or a temporary folder with only the database."""
        return working_copy.reading(self.location, self.local_root)

    def fetch_published(self) -> Path | None:
        """Download all objects of the current edition to a separate folder.

        Files in the working copy may be intact although the objects are damaged.
        """
        return working_copy.fetch_published(self.location, self.local_root)

    def edition_location(self, edition_id: str) -> ObjectPath:
        """Return the URL of the edition."""
        return self.location / EDITIONS / edition_id

    def current_location(self, edition_id: str) -> ObjectPath:
        """Return the URL of the edition, since a store does not have links."""
        return self.edition_location(edition_id)

    def exchange(self, edition_id: str) -> Exchange:
        """Return an exchange through the store."""
        return StagedObjects(self.location, edition_id)


class StagedObjects(Exchange):
    """An exchange through the store: workers download their input and upload their output."""

    def __init__(self, location: ObjectPath, edition_id: str) -> None:
        self.location, self.staging = location, location / STAGING / edition_id

    def send(self, work: Path, staged: Iterable[StagedFile]) -> None:
        """Upload the files below the run's staging prefix. No other attempt has the same keys."""
        transfers.run_concurrently(
            lambda file: objects.upload(work / file.path, self.staging / file.path), list(staged)
        )

    def receive(self, work: Path, staged: Iterable[StagedFile]) -> None:
        """Download the files that are not on this machine, and check their sizes and hashes."""
        missing = [file for file in staged if not (work / file.path).exists()]
        transfers.run_concurrently(lambda file: self._download(work, file), missing)

    def _download(self, work: Path, file: StagedFile) -> None:
        place = self.staging / file.path
        with suppress(FileNotFoundError):
            objects.download(place, work / file.path, file.bytes)
        if not is_staged(work / file.path, file):
            raise StagedFileError(
                f"The staged object {place} is missing or was changed, so nothing was published. Run again."
            )

    def fetch_previous(self, edition: Path, files: Iterable[FileFacts]) -> None:
        """Download some files of the previous edition."""
        place = self.location / EDITIONS / edition.name
        missing = [facts for facts in files if not (edition / facts.path).exists()]
        for error in transfers.map_concurrently(
            lambda facts: working_copy.download(place / facts.path, edition, facts), missing
        ):
            if error:
                raise error

    def objects_of(self, staged: Iterable[StagedFile]) -> Mapping[str, ObjectPath]:
        """Return the objects below the run's staging prefix."""
        return {file.name: self.staging / file.path for file in staged}

    @contextmanager
    def working_folder(self, work: Path, scratch: str | None) -> Iterator[Path | None]:
        """Yield a temporary folder below the worker's scratch folder."""
        with TemporaryDirectory(prefix="broadsheet-", dir=scratch) as folder:
            yield Path(folder)
