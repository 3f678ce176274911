"""Where a warehouse keeps its editions, as the pipeline, the queries and the commands see it.

The kind of storage is decided in `open_storage` alone: a folder is LocalStorage, an s3:// URL is ObjectStorage.
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
    """The current edition when a run begins: its folder on this machine, and the ETag of the pointer to it, if any.

    `lost` are the paths of damaged files that only a rebuild replaces.
    """

    edition: Path | None
    etag: str | None
    lost: tuple[str, ...] = ()


class Exchange(ABC):
    """How staged rows reach the workers on other machines, and how the rows that they write come back."""

    @abstractmethod
    def send(self, folder: Path, names: Iterable[str]) -> None:
        """Make the files or folders of these names, below a folder of staged rows, visible to the other machines."""

    @abstractmethod
    def receive(self, folder: Path, names: Iterable[str]) -> None:
        """Get the files or folders of these names into a folder of staged rows."""

    @abstractmethod
    def send_partitions(self, edition: Path, tables: Iterable[str]) -> None:
        """Hand over the Parquet that a worker wrote for the edition."""

    @abstractmethod
    def receive_partitions(self, edition: Path, tables: Iterable[str]) -> None:
        """Get the Parquet that workers wrote into the edition's folder."""

    @abstractmethod
    def fetch_previous(self, edition: Path, names: set[str]) -> None:
        """Get some files of the previous edition, where this machine does not have them."""

    @abstractmethod
    def working_folder(self, staged: Path, scratch: str | None) -> AbstractContextManager[Path | None]:
        """Yield a temporary folder for a worker's rows, None where it works in the folder `staged` itself.

        Raise WorkerBlindError if it cannot.
        """


class Storage(ABC):
    """The editions of a warehouse.

    `local_root` is the folder on this machine in which editions are built, and `root_setting` what names its place.
    `opens_in_place` is whether DuckDB's own command can open the database of an edition where it is.
    """

    location: Path | ObjectPath
    local_root: Path
    root_setting: str
    opens_in_place: bool

    @abstractmethod
    def locked(self, timeout: float) -> AbstractContextManager[None]:
        """Hold the warehouse as this machine's only writer; raise WarehouseLockedError after `timeout` seconds."""

    @abstractmethod
    def snapshot(self) -> Snapshot:
        """Return the current edition, checked and ready to build on; raise RunError if it is damaged."""

    @abstractmethod
    def reserve(self, edition_id: str) -> str:
        """Reserve the id, or a later one where another run has it, and return it."""

    @abstractmethod
    def fetch_previous(self, edition: Path, with_database: bool) -> None:
        """Get what is missing of the previous edition on this machine, its database only where that is reused."""

    @abstractmethod
    def publish(self, staged: Path, snapshot: Snapshot, keep_editions: int, keep_hours: float) -> Path:
        """Make a staged edition the current one, retire old ones, and return its folder on this machine.

        Raise PublishConflictError if another run has published since the snapshot.
        """

    @abstractmethod
    def roll_back(self, edition_id: str) -> None:
        """Make an edition that is kept the current one; raise EditionNotFoundError if there is none of that id."""

    @abstractmethod
    def current_id(self) -> str | None:
        """Return the id of the current edition, None if nothing is published; raise RunError if that is unclear."""

    @abstractmethod
    def manifests(self) -> list[Manifest]:
        """Return the manifests of the editions that are kept, the oldest first."""

    @abstractmethod
    def open_current(self) -> AbstractContextManager[Path | None]:
        """Yield a folder with the database of the current edition, None if nothing is published."""

    @abstractmethod
    def fetch_published(self) -> Path | None:
        """Return the folder of the current edition, with its files as they are published, for verification."""

    @abstractmethod
    def edition_location(self, edition_id: str) -> Path | ObjectPath:
        """Return where an edition is, whatever becomes the current one."""

    @abstractmethod
    def current_location(self, edition_id: str) -> Path | ObjectPath:
        """Return where readers find the current edition, whose id this is."""

    @abstractmethod
    def exchange(self, edition_id: str) -> Exchange:
        """Return how workers on other machines exchange the staged rows of an edition."""


def open_storage(settings: Settings) -> Storage:
    """Return the storage of the settings' warehouse."""
    return by_kind(settings.warehouse, _local_storage, partial(_object_storage, settings.data))


def _local_storage(folder: Path) -> Storage:
    from flows.warehouse.local_storage import LocalStorage

    return LocalStorage(folder)


def _object_storage(data: Path, location: ObjectPath) -> Storage:
    from flows.warehouse.object_storage import ObjectStorage

    return ObjectStorage(location, data)
