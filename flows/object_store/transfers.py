"""Transfer many objects with concurrent calls, since each call mostly waits for the network."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from flows.errors import EditionDamagedError
from flows.object_store import objects
from flows.object_store.listed import Listed
from flows.object_store.path import ObjectPath

MAX_CONCURRENT_CALLS = 16

T = TypeVar("T")
R = TypeVar("R")


def map_concurrently(function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
    """Yield the function's result for each item in order, with concurrent calls and few results in memory."""
    with ThreadPoolExecutor(MAX_CONCURRENT_CALLS) as pool:
        waiting: deque[Future[R]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) >= 4 * MAX_CONCURRENT_CALLS:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def run_concurrently(function: Callable[[T], object], items: Iterable[T]) -> None:
    """Call the function for each item, with concurrent calls."""
    deque(map_concurrently(function, items), maxlen=0)


def download_all(prefix: ObjectPath, folder: Path, wanted: Callable[[str], bool] = bool) -> None:
    """Download the objects below a prefix into a folder, or those whose names are wanted."""

    def get(found: Listed) -> None:
        objects.download(prefix / found.name, file_below(folder, found.name), found.size)

    # A name that ends with a slash is how some tools show a folder.
    names = (found for found in objects.list_objects(prefix) if not f"/{found.name}".endswith("/"))
    run_concurrently(get, (found for found in names if wanted(found.name)))


def file_below(folder: Path, name: str) -> Path:
    """Return the file for a name in the store; raise EditionDamagedError if it would be outside of the folder."""
    if {"", ".", ".."} & set(name.split("/")) or "\0" in name:
        raise EditionDamagedError(f"Unexpected object in the store: {name!r}. Remove it.")
    return folder / name


def upload_all(folder: Path, prefix: ObjectPath) -> None:
    """Upload the files of a folder."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    run_concurrently(lambda file: objects.upload(file, prefix / file.relative_to(folder).as_posix()), files)


def remove_all(prefix: ObjectPath) -> None:
    """Remove every object and unfinished upload below a prefix."""
    run_concurrently(objects.remove_object, (prefix / found.name for found in objects.list_objects(prefix)))
    objects.abort_uploads(prefix)
