"""The derived database of a working copy: its size and hash are in a note, since edition.json does not list it."""

import json
from pathlib import Path

from flows.warehouse.manifest import file_facts, read_manifest
from flows.warehouse.manifest_model import DATABASE, FileFacts
from flows.warehouse.size_limit import read_limited

NOTE = ".database.json"
_MAX_NOTE_BYTES = 4_096


def database_facts(edition: Path) -> FileFacts | None:
    """Return the size and hash of an edition's database, from its manifest or the note; None if neither has them."""
    manifest = read_manifest(edition)
    return _noted(edition) if manifest.has_derived_database else manifest.by_path.get(DATABASE)


def note_database(edition: Path) -> None:
    """Note the size and hash of the derived database of an edition in a working copy."""
    note = {"edition_id": edition.name, **file_facts(edition, DATABASE).model_dump()}
    (edition.parents[1] / NOTE).write_text(json.dumps(note))


def _noted(edition: Path) -> FileFacts | None:
    """Return the note if it is readable and for this edition."""
    try:
        note = json.loads(read_limited(edition.parents[1] / NOTE, _MAX_NOTE_BYTES))
        return FileFacts.model_validate(note) if note["edition_id"] == edition.name else None
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
