"""A newsroom whose runs fail, and ways to spoil its files."""

import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from flows.object_store import objects
from flows.object_store.path import ObjectPath
from flows.settings import Settings
from flows.warehouse.storage import open_storage
from tests.conftest import seed_file
from tests.object_store import ObjectStore

LOCK_HOLDER = """
import sys
from pathlib import Path
from flows.warehouse.lock import writer_lock

with writer_lock(Path(sys.argv[1])):
    print("holding", flush=True)
    sys.stdin.read()
"""


class Newsroom:
    """A source of four articles in two months, its warehouse, and what a run finds in its environment."""

    objects: ObjectStore | None = None  # where the warehouse is in one

    def __init__(self, folder: Path, warehouse: Path | ObjectPath, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.warehouse, self.patch = folder, warehouse, patch
        self.source = folder / "source"
        self.source.mkdir()
        for number in range(4):
            self.write(number)
        self.set(source=self.source, warehouse=warehouse, data=folder / "data")

    def set(self, **settings: object) -> None:
        """Set BROADSHEET_* variables, until the test ends or the block of a case does."""
        for name, value in settings.items():
            self.patch.setenv(f"BROADSHEET_{name.upper()}", str(value))

    @contextmanager
    def setting(self, **settings: object) -> Iterator[None]:
        """Set BROADSHEET_* variables, until the end of the block."""
        with pytest.MonkeyPatch.context() as patch:
            for name, value in settings.items():
                patch.setenv(f"BROADSHEET_{name.upper()}", str(value))
            yield

    def write(self, number: int, title: str = "A title", body: str = "PARIS - Text.") -> None:
        """Write an article."""
        text = seed_file(f"A{number}", title, f"2026-0{1 + number % 2}-01", body)
        (self.source / f"{number}.md").write_text(text)

    @property
    def in_store(self) -> bool:
        """Whether the warehouse is in an object store."""
        return hasattr(self.warehouse, "bucket")

    @property
    def local_root(self) -> Path:
        """The folder in which editions are built."""
        return open_storage(Settings()).local_root

    def current(self) -> str | None:
        """The id of the published edition."""
        if self.in_store:
            try:
                return objects.read(self.warehouse / "current").decode()
            except FileNotFoundError:
                return None
        link = self.warehouse / "current"
        return link.resolve().name if link.is_symlink() else None


Happens = Callable[[Newsroom], AbstractContextManager[object]]


CHANGED = "A changed title"


def made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """No file of this process grows larger, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    known = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, known)


@contextmanager
def rewritten(place: Path | ObjectPath, content: bytes) -> Iterator[None]:
    """Give a file or an object another content, until the end of the block."""
    if hasattr(place, "bucket"):
        known = objects.read(place)
        objects.write(place, content)
        yield
        objects.write(place, known)
    else:
        known = place.read_bytes()
        place.chmod(0o644)
        place.write_bytes(content)
        yield
        place.write_bytes(known)
