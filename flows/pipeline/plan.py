"""The data that steps pass on: paths, counts, months, and which staged files have their rows."""

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from flows.pipeline.code import CODE, Code
from flows.settings import Settings
from flows.warehouse.manifest_model import FileFacts
from flows.warehouse.staging import StagedFile
from flows.warehouse.storage import Exchange, Snapshot, Storage, open_storage

# With the five other steps and a part for each bucket of months, at most 25 task runs, each of which costs time.
MAX_BATCHES = 16
MIN_BATCH_FILES = 500  # smaller batches cost more than they share


@dataclass(frozen=True)
class Batch:
    """A slice of the files to read, from `start` up to `stop`, and the staged file that lists them."""

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

    `folder` is the edition while it is built. `snapshot` has the previous edition; `reusable` is that edition if its
    rows can be reused: not if every file is read by other rules, nor for a rebuild. `has_changes` is whether the
    listing differs from it. `files` is the number of files found, `listed_at` the time just before, in nanoseconds
    since 1970; `started` is in seconds. `listing` is the staged file that lists them. `distributed` is whether parts
    may run on other machines, which must have the `code` of this one.
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
        """Return the folder of the staged files, with a folder for each attempt at a part.

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
        """Return how the machines of the run exchange staged files."""
        return self.storage.exchange(self.edition_id) if self.distributed else Exchange()


Months = tuple[str | None, ...]


class Attempt(NamedTuple):
    """What an attempt at a part returns: the files that it has staged, and the host and the code that did so.

    `unlike` are the paths of seed files that this host finds otherwise than listed, or cannot read.
    """

    files: tuple[StagedFile, ...]
    host: str
    code: Code
    unlike: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """Some months to write: the staged files with their rows, and the files of the previous edition to reuse."""

    months: Months
    staged: tuple[StagedFile, ...]
    reused: tuple[FileFacts, ...]

    @property
    def size(self) -> int:
        """Return the number of months."""
        return len(self.months)


@dataclass(frozen=True)
class Difference:
    """How an edition differs from the previous one: the parts to write; `complete` if they have all months."""

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
