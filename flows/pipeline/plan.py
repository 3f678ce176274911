"""What travels between the steps: paths, counts and months. Rows wait in Arrow files of the staging folder."""

from dataclasses import dataclass
from pathlib import Path

from flows.settings import Settings

# With the five other steps at most 25 task runs, each of which costs an orchestrator time.
MAX_BATCHES = 16
MAX_PARTS = 4
MIN_BATCH_FILES = 500  # files; smaller batches cost more than they share


@dataclass(frozen=True)
class Batch:
    """A slice of the files to read: from `start` up to `stop`."""

    number: int
    start: int
    stop: int


@dataclass(frozen=True)
class Plan:
    """What a run is about to do.

    `folder` is the edition while it is built, `before` the published one, `base` the same where its rows can be taken
    over: not when every file is read by other rules, nor for a rebuild. `news` tells whether the listing shows any
    difference from it. `files` is the number of those found, `listed_at` the time just before, in nanoseconds since
    1970; `started` is in seconds. `seen` is the ETag of the pointer to `before`, where the warehouse is a prefix.
    """

    settings: Settings
    edition_id: str
    folder: Path
    before: Path | None
    base: Path | None
    files: int
    news: bool
    batches: tuple[Batch, ...]
    listed_at: int
    started: float
    seen: str | None = None

    @property
    def work(self) -> Path:
        """The folder of the rows that wait between the steps.

        It is this run's own: a worker elsewhere may outlive its run, and write into it while the next one is at work.
        """
        return self.folder.parent / f"work-{self.listed_at}"

    @property
    def to_read(self) -> int:
        """The number of files to read."""
        return self.batches[-1].stop if self.batches else 0


Months = tuple[str | None, ...]


@dataclass(frozen=True)
class Difference:
    """Where an edition differs from the one before: the months to be written, `complete` where these are all."""

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
    """Batches of so many files: few and large, whatever the number."""
    size = max(MIN_BATCH_FILES, -(-files // MAX_BATCHES))
    return tuple(Batch(number, start, min(start + size, files)) for number, start in enumerate(range(0, files, size)))
