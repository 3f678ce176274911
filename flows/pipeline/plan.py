"""The data that steps pass on: paths, counts and months. Staged rows are in Arrow files of the staging folder."""

from dataclasses import dataclass
from pathlib import Path

from flows.settings import Settings
from flows.warehouse.storage import Exchange, Snapshot, Storage, open_storage

# With the five other steps at most 25 task runs, each of which costs an orchestrator time.
MAX_BATCHES = 16
MAX_PARTS = 4
MIN_BATCH_FILES = 500  # smaller batches cost more than they share


@dataclass(frozen=True)
class Batch:
    """A slice of the files to read: from `start` up to `stop`."""

    number: int
    start: int
    stop: int


@dataclass(frozen=True)
class Plan:
    """The plan of a run.

    `folder` is the edition while it is built. `snapshot` has the previous edition; `reusable` is that edition if its
    rows can be reused: not if every file is read by other rules, nor for a rebuild. `has_changes` is whether the
    listing differs from it. `files` is the number of files found, `listed_at` the time just before, in nanoseconds
    since 1970; `started` is in seconds. `distributed` is whether parts may run on other machines.
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

        It belongs to this run: a worker elsewhere may outlive its run, and write into it during the next run.
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
        """Return how workers on other machines exchange staged rows."""
        return self.storage.exchange(self.edition_id)


Months = tuple[str | None, ...]


@dataclass(frozen=True)
class Difference:
    """How an edition differs from the previous one: the months to write; `complete` if these are all months."""

    months: Months
    complete: bool

    @property
    def only(self) -> Months | None:
        """Return the only months that can differ, None if any can."""
        return None if self.complete else self.months

    @property
    def parts(self) -> tuple[Months, ...]:
        """Return the months in a few parts that can be written separately."""
        return tuple(self.months[start::MAX_PARTS] for start in range(min(MAX_PARTS, len(self.months))))


def split(files: int) -> tuple[Batch, ...]:
    """Return the batches of a number of files: few and large."""
    size = max(MIN_BATCH_FILES, -(-files // MAX_BATCHES))
    return tuple(Batch(number, start, min(start + size, files)) for number, start in enumerate(range(0, files, size)))
