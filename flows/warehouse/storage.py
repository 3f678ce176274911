"""The interface between a warehouse's storage and the pipeline, queries and commands.

Only `open_storage` selects the implementation: LocalStorage for a folder, ObjectStorage for an s3:// URL.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from flows.object_store.path import ObjectPath, by_kind
from flows.settings import Settings
from flows.warehouse.manifest_model import Manifest


class Snapshot(NamedTuple):
    """The current edition at the start of a run: its folder on this machine, and the ETag of the pointer, if any.

    `lost` are the paths of damaged files that only a rebuild can replace.
    """

    edition: Path | None
    etag: str | None
    lost: tuple[str, ...] = ()


class Exchange(ABC):
    """A way to send staged rows to workers on other machines, and to receive the rows that they write."""

    @abstractmethod
    def send(self, folder: Path, names: Iterable[str]) -> None:
        """Make these files or folders, below a folder of staged rows, available to the other machines."""

    @abstractmethod
    def receive(self, folder: Path, names: Iterable[str]) -> None:
        """Fetch these files or folders into a folder of staged rows."""

    @abstractmethod
    def send_partitions(self, edition: Path, tables: Iterable[str]) -> None:
        """Send the Parquet files that a worker wrote for the edition."""

    @abstractmethod
    def receive_partitions(self, edition: Path, tables: Iterable[str]) -> None:
        """Fetch the Parquet files that workers wrote into the edition's folder."""

    @abstractmethod
    def fetch_previous(self, edition: Path, names: set[str]) -> None:
        """Fetch files of the previous edition that this machine does not have."""

    @abstractmethod
    def working_folder(self, staged: Path, scratch: str | None) -> AbstractContextManager[Path | None]:
        """Yield a temporary folder for a worker's rows, or None if the worker uses the folder `staged` directly.

        Raise WorkerBlindError if it cannot access that folder.
        """


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

    @abstractmethod
    def publish(self, staged: Path, snapshot: Snapshot, keep_editions: int, keep_hours: float) -> Path:
        """Make a staged edition the current one, retire old ones, and return its folder on this machine.

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
