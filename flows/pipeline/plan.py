"""Define the values that steps pass to each other. Rows are passed in Arrow files in the staging folder instead."""

from dataclasses import dataclass
from pathlib import Path

from flows.settings import Settings
from flows.warehouse.storage import Exchange, Snapshot, Storage, open_storage

# Limits of mapped task runs. With the five other steps, a run has at most 25 of them, since each has overhead.
MAX_BATCHES = 16
MAX_PARTS = 4
MIN_BATCH_FILES = 500  # smaller batches have more overhead than they save time


@dataclass(frozen=True)
class Batch:
    """A slice of the files to read: from `start` up to `stop`."""

    number: int
    start: int
    stop: int


@dataclass(frozen=True)
class Plan:
    """The plan of a run.

    `folder` is the staging folder of the edition. `snapshot` holds the previous edition. `reusable` is the previous
    edition if its rows can be reused, or None after a change of the rules and for a rebuild. `has_changes` is True if
    the source differs from `reusable`. `files` is the number of files found, and `listed_at` the time when the listing
    started, in nanoseconds since 1970; `started` is the start of the run in seconds since 1970. `distributed` is True
    if parts may run on other machines.
    """

    settings: Settings
    edition_id: str
    folder: Path
    snapshot: Snapshot
    reusable: Path | None
    files: int
    has_changes: bool
    batches: tuple[Batch, ...]
    listed_at: int
    started: float
    distributed: bool = False

    @property
    def previous(self) -> Path | None:
        """Return the folder of the previous edition, None for the first one."""
        return self.snapshot.edition

    @property
    def work(self) -> Path:
        """Return the folder of the staged rows.

        Each run has its own: a worker on another machine may outlive its run, and still write during the next one.
        """
        return self.folder.parent / f"work-{self.listed_at}"

    @property
    def to_read(self) -> int:
        """Return the number of files to read."""
        return self.batches[-1].stop if self.batches else 0

    @property
    def storage(self) -> Storage:
        """Return the storage of the warehouse."""
        return open_storage(self.settings)

    @property
    def exchange(self) -> Exchange:
        """Return the exchange for staged rows with workers on other machines."""
        return self.storage.exchange(self.edition_id)


Months = tuple[str | None, ...]


@dataclass(frozen=True)
class Difference:
    """The months to write for an edition. `complete` is True if they are all of its months."""

    months: Months
    complete: bool

    @property
    def only(self) -> Months | None:
        """Return the months that may differ from the previous edition, None if all may."""
        return None if self.complete else self.months

    @property
    def parts(self) -> tuple[Months, ...]:
        """Return the months in at most MAX_PARTS parts, which are written independently."""
        return tuple(self.months[start::MAX_PARTS] for start in range(min(MAX_PARTS, len(self.months))))


def split(files: int) -> tuple[Batch, ...]:
    """Split a number of files into at most MAX_BATCHES batches."""
    size = max(MIN_BATCH_FILES, -(-files // MAX_BATCHES))
    return tuple(Batch(number, start, min(start + size, files)) for number, start in enumerate(range(0, files, size)))
