"""Repair the current edition in an object store, whose objects may have been lost or damaged since publishing."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from flows.errors import EditionDamagedError
from flows.object_store import objects
from flows.object_store.path import ObjectPath
from flows.schema import PROBLEMS
from flows.warehouse import object_catalog
from flows.warehouse.disk import discard
from flows.warehouse.front_page import FRONT_PAGE
from flows.warehouse.manifest import has_file, read_manifest
from flows.warehouse.manifest_model import DATABASE, MANIFEST, VIEWS_SCRIPT, FileFacts
from flows.warehouse.parquet import table_file
from flows.warehouse.pointer import EDITIONS
from flows.warehouse.recovery import restore_from_database
from flows.warehouse.run_warnings import warn
from flows.warehouse.working_copy import download

# A rebuild derives these files from the seed files alone. It also derives content, but compares it with the previous
# content.
DERIVED = {DATABASE, VIEWS_SCRIPT, FRONT_PAGE, table_file(Path(), PROBLEMS).name}


def repair(warehouse: ObjectPath, edition: Path, damaged: Iterable[FileFacts]) -> tuple[str, ...]:
    """Upload damaged objects of an edition again, and return the paths of objects that only a rebuild can replace.

    The bytes come from the working copy, the same file in another edition, or the edition's database. Raise
    EditionDamagedError if a lost object cannot be derived by a rebuild either.
    """
    place = warehouse / EDITIONS / edition.name
    repaired, lost = [], []
    for facts in damaged:
        error = _recover(warehouse, edition, facts)
        if error is None:
            objects.upload(edition / facts.path, place / facts.path, create=False)
            warn(f"The object {place / facts.path} was missing or changed. It was restored from an intact copy.")
            repaired.append(facts.path)
        elif facts.path in DERIVED:
            warn(f"{str(error).split('. ')[0]}. No intact copy was found, so this run rebuilds the edition.")
            lost.append(facts.path)
        else:
            raise error
    if repaired:
        _update_etags(warehouse, edition, set(repaired))
    return tuple(lost)


def _recover(warehouse: ObjectPath, edition: Path, facts: FileFacts) -> EditionDamagedError | None:
    """Restore a file in the working copy to the bytes of the manifest; return the error if that is impossible."""
    if has_file(edition, facts):
        return None
    error = download(warehouse / EDITIONS / edition.name / facts.path, edition, facts)
    if error is None:
        return None
    candidates = _same_elsewhere(warehouse, edition, facts)
    if any(download(place, edition, facts) is None for place in candidates):
        return None
    return None if _is_restored(warehouse, edition, facts) else error


def _is_restored(warehouse: ObjectPath, edition: Path, facts: FileFacts) -> bool:
    """Restore a file from the database of its edition, and return whether that succeeded."""
    database = read_manifest(edition).by_path.get(DATABASE)
    if facts == database:
        return False
    if database and not has_file(edition, database):
        download(warehouse / EDITIONS / edition.name / DATABASE, edition, database)
    return restore_from_database(edition, facts)


def _same_elsewhere(warehouse: ObjectPath, edition: Path, facts: FileFacts) -> Iterator[ObjectPath]:
    """Yield the objects of other editions that should have the same bytes, newest first."""
    for manifest in reversed(object_catalog.list_manifests(warehouse)):
        if manifest.edition_id != edition.name and facts.same_content(manifest.by_path.get(facts.path)):
            yield warehouse / EDITIONS / manifest.edition_id / facts.path


def _update_etags(warehouse: ObjectPath, edition: Path, repaired: set[str]) -> None:
    """Write the ETags of repaired objects into the manifest, unless another run has just changed it."""
    manifest = read_manifest(edition)
    etags = {facts.path: facts.etag for facts in manifest.files}
    found = object_catalog.list_edition(warehouse, manifest)
    tagged = manifest.with_etags(etags | {name: found[name].etag for name in repaired & found.keys()})
    if tagged == manifest:
        return
    place = object_catalog.manifest_of(warehouse, edition.name)
    content, etag = objects.read_tagged(place)
    if content == (edition / MANIFEST).read_bytes() and objects.write_if(place, tagged.as_json().encode(), etag):
        discard(edition / MANIFEST)
        (edition / MANIFEST).write_text(tagged.as_json())
