"""What travels between the steps: paths, counts and months. Staged rows are in Arrow files of the staging folder."""

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
    """What a run is about to do.

    `folder` is the edition while it is built. `snapshot` has the previous edition; `reusable` is that edition where its
    rows can be reused: not when every file is read by other rules, nor for a rebuild. `has_changes` is whether the
    listing shows any difference from it. `files` is the number of files found, `listed_at` the time just before, in
    nanoseconds since 1970; `started` is in seconds. `distributed` is whether parts may run on other machines.
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
        """The folder of the previous edition, None for the first one."""
        return self.snapshot.edition

    @property
    def work(self) -> Path:
        """The folder of the staged rows.

        It is this run's own: a worker elsewhere may outlive its run, and write into it while the next one is running.
        """
        return self.folder.parent / f"work-{self.listed_at}"

    @property
    def to_read(self) -> int:
        """The number of files to read."""
        return self.batches[-1].stop if self.batches else 0

    @property
    def storage(self) -> Storage:
        """Where the edition is published."""
        return open_storage(self.settings)

    @property
    def exchange(self) -> Exchange:
        """How workers on other machines exchange staged rows."""
        return self.storage.exchange(self.edition_id)


Months = tuple[str | None, ...]


@dataclass(frozen=True)
class Difference:
    """How an edition differs from the previous one: the months to be written, `complete` where these are all."""

    months: Months
    complete: bool

    @property
    def only(self) -> Months | None:
        """The months in which alone anything can differ; None: in any."""
        return None if self.complete else self.months

    @property
    def parts(self) -> tuple[Months, ...]:
        """The months in a few parts that can be written apart."""
        return tuple(self.months[start::MAX_PARTS] for start in range(min(MAX_PARTS, len(self.months))))


def split(files: int) -> tuple[Batch, ...]:
    """Return the batches of a number of files: few and large."""
    size = max(MIN_BATCH_FILES, -(-files // MAX_BATCHES))
    return tuple(Batch(number, start, min(start + size, files)) for number, start in enumerate(range(0, files, size)))
