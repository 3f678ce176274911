"""The interface between a warehouse's storage and the pipeline, queries and commands.

Only `open_storage` selects the implementation: LocalStorage for a folder, ObjectStorage for a URL.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path
from typing import NamedTuple

from flows.object_store.path import ObjectPath, by_kind
from flows.settings import Settings
from flows.warehouse.manifest_model import FileFacts, Manifest
from flows.warehouse.staging import StagedFile


class Snapshot(NamedTuple):
    """The current edition at the start of a run: its folder on this machine, and the ETag of the pointer, if any.

    `lost` are the paths of damaged files that only a rebuild can replace.
    """

    edition: Path | None
    etag: str | None
    lost: tuple[str, ...] = ()


class Exchange:
    """The exchange of staged files between the machines of a run. This base class is for a single machine."""

    def send(self, work: Path, staged: Iterable[StagedFile]) -> None:
        """Make staged files below the folder `work` available to the other machines."""

    def receive(self, work: Path, staged: Iterable[StagedFile]) -> None:
        """Fetch staged files into the folder `work`; raise StagedFileError if one is missing or was changed."""

    def fetch_previous(self, edition: Path, files: Iterable[FileFacts]) -> None:
        """Fetch files of the previous edition that this machine does not have."""

    def objects_of(self, staged: Iterable[StagedFile]) -> Mapping[str, ObjectPath]:
        """Return the objects that hold staged files, by file name; none if the files are not in an object store."""
        return {}

    def working_folder(self, work: Path, scratch: str | None) -> AbstractContextManager[Path | None]:
        """Yield a temporary folder for a worker's files, or None if the worker uses the folder `work` directly.

        Raise WorkerBlindError if it cannot access that folder.
        """
        return nullcontext()


class Storage(ABC):
    """The editions of a warehouse.

    `local_root` is the folder on this machine in which editions are built, and `root_setting` the setting for it.
    `opens_in_place` is True if the DuckDB command line can open an edition's database at its location.
    """

    location: Path | ObjectPath
    local_root: Path
    root_setting: str
    opens_in_place: bool

    @abstractmethod
    def locked(self, timeout: float) -> AbstractContextManager[None]:
        """Hold the warehouse's lock on this machine; raise WarehouseLockedError after `timeout` seconds."""

    @abstractmethod
    def snapshot(self) -> Snapshot:
        """Return the current edition after checking it; raise RunError if it is damaged."""

    @abstractmethod
    def reserve(self, edition_id: str) -> str:
        """Reserve the id, or a later one if another run has reserved it, and return it."""

    @abstractmethod
    def fetch_previous(self, edition: Path, with_database: bool) -> None:
        """Fetch missing files of the previous edition to this machine, its database only if `with_database` is set."""

    def complete(self, edition: Path) -> Collection[str]:
        """Write files that only this storage adds to a new edition, and return the names of files to omit."""
        return ()

    @abstractmethod
    def publish(
        self,
        edition: Path,
        snapshot: Snapshot,
        staged: Mapping[str, ObjectPath],
        keep_editions: int,
        keep_hours: float,
    ) -> Path:
        """Make a new edition the current one, retire old ones, and return its folder on this machine.

        `staged` are objects with files of the edition, by their paths, as returned by `Exchange.objects_of`.
        Raise PublishConflictError if another run has published since the snapshot.
        """

    @abstractmethod
    def roll_back(self, edition_id: str) -> None:
        """Make a kept edition the current one; raise EditionNotFoundError if there is none with that id."""

    @abstractmethod
    def current_id(self) -> str | None:
        """Return the current edition's id, None if nothing is published; raise RunError if `current` is invalid."""

    @abstractmethod
    def manifests(self) -> list[Manifest]:
        """Return the manifests of the kept editions, oldest first."""

    @abstractmethod
    def open_current(self) -> AbstractContextManager[Path | None]:
        """Yield a folder with the database of the current edition, None if nothing is published."""

    @abstractmethod
    def fetch_published(self) -> Path | None:
        """Return a folder with the files of the current edition exactly as published, for verification."""

    @abstractmethod
    def edition_location(self, edition_id: str) -> Path | ObjectPath:
        """Return the permanent location of an edition."""

    @abstractmethod
    def current_location(self, edition_id: str) -> Path | ObjectPath:
        """Return the location at which readers find the current edition, given its id."""

    @abstractmethod
    def exchange(self, edition_id: str) -> Exchange:
        """Return the exchange for an edition's staged rows with workers on other machines."""


def open_storage(settings: Settings) -> Storage:
    """Return the storage of the settings' warehouse."""
    return by_kind(settings.warehouse, _local_storage, partial(_object_storage, settings.data))


def _local_storage(folder: Path) -> Storage:
    from flows.warehouse.local_storage import LocalStorage

    return LocalStorage(folder)


def _object_storage(data: Path, location: ObjectPath) -> Storage:
    from flows.warehouse.object_storage import ObjectStorage

    return ObjectStorage(location, data)
