"""Check that a source can be read and contains seed files."""

import os
import stat
from collections.abc import Sequence
from heapq import nsmallest
from itertools import islice
from pathlib import Path
from typing import NoReturn

from flows.errors import SourceEmptyError, SourceNotFoundError, SourceUnreadableError
from flows.object_store import objects
from flows.object_store.path import ObjectPath, by_kind
from flows.source.file_names import printable

# Names in a source without seed files: how many the error message shows, and how many are listed to find them.
MAX_SHOWN, MAX_LISTED = 5, 1_000


def require_folder(source: Path | ObjectPath, link_roots: Sequence[Path] = ()) -> None:
    """Raise SourceError if the source is not a readable folder or has no objects, or a link root is missing."""
    by_kind(source, lambda folder: _require_folders(folder, link_roots), _require_objects)


def _require_objects(source: ObjectPath) -> None:
    if next(objects.list_objects(source), None) is None:
        raise SourceNotFoundError(f"No objects found below {source}. Pass an existing prefix with --source.")


def _require_folders(source: Path, link_roots: Sequence[Path]) -> None:
    _require_folder("Source folder", source, "Pass an existing folder with --source")
    for root in link_roots:
        _require_folder("Link root", root, "Mount it, or correct BROADSHEET_LINK_ROOTS")


def _require_folder(what: str, folder: Path, remedy: str) -> None:
    try:
        is_folder = stat.S_ISDIR(folder.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise SourceNotFoundError(f"{what} not found: {_shown(folder)}. {remedy}.") from None
    except OSError as error:
        raise SourceUnreadableError(
            f"{what} cannot be reached: {_shown(folder)} ({error.strerror})."
            f" Give this user access to it and to all its parent folders. {remedy}."
        ) from None
    if not is_folder:
        raise SourceNotFoundError(f"{what} is not a folder: {_shown(folder)}. {remedy}.")


def refuse_empty(source: Path | ObjectPath, extensions: tuple[str, ...]) -> NoReturn:
    """Raise SourceEmptyError with the expected extensions, and with the names that are in the source instead."""
    names = _names_in(source)
    found = f"It contains {', '.join(map(printable, names))}" if names else "It is empty"
    more = " and more" if len(names) == MAX_SHOWN else ""
    raise SourceEmptyError(
        f"No seed files found in {_shown(source)}. Expected names that end in {', '.join(extensions) or 'nothing'}."
        f" {found}{more}."
        " Check that the disk is mounted, pass another source with --source, or set BROADSHEET_EXTENSIONS."
    )


def _names_in(source: Path | ObjectPath) -> list[str]:
    """Return some of the names in a source; names of folders end with /."""
    return by_kind(source, _names_in_folder, _names_of_objects)


def _names_of_objects(source: ObjectPath) -> list[str]:
    return list(islice((found.name for found in objects.list_objects(source) if found.name), MAX_SHOWN))


def _names_in_folder(source: Path) -> list[str]:
    with os.scandir(source) as entries:
        names = (entry.name + "/" * entry.is_dir(follow_symlinks=False) for entry in islice(entries, MAX_LISTED))
        return nsmallest(MAX_SHOWN, names)


def _shown(place: Path | ObjectPath) -> str:
    return printable(str(place))
