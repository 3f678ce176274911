"""Define the values that steps pass to each other. Rows are passed in staged files instead."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from flows.pipeline.code import CODE, Code
from flows.settings import Settings
from flows.warehouse.manifest_model import FileFacts
from flows.warehouse.staging import StagedFile
from flows.warehouse.storage import Exchange, Snapshot, Storage, open_storage

# A run has at most 25 task runs, since each has overhead in an orchestrator: one for each batch, five for the other
# steps, and one for each bucket of months.
MAX_BATCHES = 16
MIN_BATCH_FILES = 500  # smaller batches have more overhead than they save time


@dataclass(frozen=True)
class Batch:
    """A slice of the files to read, from `start` up to but not including `stop`, with the staged file that lists it."""

    start: int
    stop: int
    staged: tuple[StagedFile, ...] = ()

    @property
    def size(self) -> int:
        """Return the number of files."""
        return self.stop - self.start


@dataclass(frozen=True)
class Plan:
    """The plan of a run.

    `folder` is the staging folder of the edition. `snapshot` holds the previous edition. `reusable` is the previous
    edition if its rows can be reused, or None after a change of the rules and for a rebuild. `has_changes` is True if
    the source differs from `reusable`. `files` is the number of files found, `listing` the staged file that lists them,
    and `listed_at` the time when the listing started, in nanoseconds since 1970; `started` is the start of the run in
    seconds since 1970. `distributed` is True if parts may run on other machines. Those must run the same `code`.
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
    listing: tuple[StagedFile, ...] = ()
    distributed: bool = False
    code: Code = CODE

    @property
    def previous(self) -> Path | None:
        """Return the folder of the previous edition, None for the first one."""
        return self.snapshot.edition

    @property
    def work(self) -> Path:
        """Return the folder of the staged files. Each attempt at a part has a folder in it.

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
        """Return the exchange of staged files between the machines of the run."""
        return self.storage.exchange(self.edition_id) if self.distributed else Exchange()


Months = tuple[str | None, ...]


class Attempt(NamedTuple):
    """The result of an attempt at a part: the files that it staged, and the host and the code that ran it.

    `unlike` are the paths of seed files that this host could not read, or that are not as listed there.
    """

    files: tuple[StagedFile, ...]
    host: str
    code: Code
    unlike: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """Months to write, with the staged files that have their rows, and the reused files of the previous edition."""

    months: Months
    staged: tuple[StagedFile, ...]
    reused: tuple[FileFacts, ...]

    @property
    def size(self) -> int:
        """Return the number of months."""
        return len(self.months)


@dataclass(frozen=True)
class Difference:
    """The parts to write for an edition. `complete` is True if they have all of its months."""

    parts: tuple[Part, ...]
    complete: bool

    @property
    def months(self) -> Months:
        """Return the months to write, in order."""
        return tuple(sorted((month for part in self.parts for month in part.months), key=str))

    @property
    def only(self) -> Months | None:
        """Return the months that may differ from the previous edition, None if all may."""
        return None if self.complete else self.months


def split(files: int) -> tuple[Batch, ...]:
    """Split a number of files into at most MAX_BATCHES batches."""
    size = max(MIN_BATCH_FILES, -(-files // MAX_BATCHES))
    return tuple(Batch(start, min(start + size, files)) for start in range(0, files, size))
