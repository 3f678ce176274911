"""Read the pointer, claims, editions and manifests of a warehouse in an object store."""

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from flows.errors import EditionDamagedError, EditionNotChosenError, EditionNotFoundError
from flows.object_store import objects, transfers
from flows.object_store.listed import Listed
from flows.object_store.path import ObjectPath
from flows.warehouse.edition_ids import is_id
from flows.warehouse.editions import how_to_choose
from flows.warehouse.manifest import REMEDY, damaged, has_file
from flows.warehouse.manifest_model import MANIFEST, MAX_MANIFEST_BYTES, FileFacts, Manifest, parse_manifest
from flows.warehouse.pointer import CURRENT, EDITIONS, id_in
from flows.warehouse.size_limit import require_max_bytes
from flows.warehouse.system_files import is_system_file

CLAIMS = ".claims"  # prefix with one object for each edition that is not published yet
_MAX_ID_BYTES = 64  # of the object that contains an id


def read_pointer(warehouse: ObjectPath) -> tuple[str | None, str | None]:
    """Return the id of the current edition and the ETag of the pointer, or None for both if nothing is published."""
    current, etag = any_pointer(warehouse)
    if etag and current is None:
        kept = list_editions(warehouse)
        remedy = how_to_choose(kept) if kept else "Pass another prefix with --warehouse."
        raise EditionNotChosenError(f"The object {warehouse / CURRENT} does not name an edition. {remedy}")
    return current, etag


def any_pointer(warehouse: ObjectPath) -> tuple[str | None, str | None]:
    """Return the same as `read_pointer`, but None as the id if the pointer does not contain a valid one."""
    try:
        content, etag = objects.read_tagged(warehouse / CURRENT, _MAX_ID_BYTES + 1)
    except FileNotFoundError:
        return None, None
    return id_in(content), etag


def require_chosen(warehouse: ObjectPath) -> str | None:
    """Return the id of the current edition, None if nothing is published.

    Raise RunError if there are editions but none is current, since a run would start a new history.
    """
    current, _ = read_pointer(warehouse)
    if current:
        return current
    # Another run may be publishing the first edition: its claim exists from before the upload until after the pointer.
    found = folders(warehouse, EDITIONS)
    claimed = claims(warehouse)
    found = [name for name in found if name not in claimed]
    current, _ = read_pointer(warehouse)
    if found and not current:
        raise EditionNotChosenError(
            f"{warehouse / CURRENT} is missing, but {warehouse / EDITIONS} has editions, such as {found[-1]}."
            f" {how_to_choose([facts.edition_id for facts in list_manifests(warehouse)])}"
        )
    return current


def list_editions(warehouse: ObjectPath) -> list[str]:
    """Return the ids of the kept editions, oldest first."""
    claimed = claims(warehouse)
    return with_manifest(
        warehouse, [edition_id for edition_id in folders(warehouse, EDITIONS) if edition_id not in claimed]
    )


def with_manifest(warehouse: ObjectPath, ids: list[str]) -> list[str]:
    """Return the ids of complete editions: the manifest is put last."""
    found = transfers.map_concurrently(objects.exists, [manifest_of(warehouse, edition_id) for edition_id in ids])
    return [edition_id for edition_id, exists in zip(ids, found, strict=True) if exists]


def list_manifests(warehouse: ObjectPath) -> list[Manifest]:
    """Return the readable manifests of the kept editions, oldest first."""
    found = []
    for edition_id in list_editions(warehouse):
        with suppress(EditionNotFoundError, EditionDamagedError):
            found.append(read_stored(warehouse, edition_id)[0])
    return found


def read_stored(warehouse: ObjectPath, edition_id: str) -> tuple[Manifest, bytes]:
    """Return the manifest of an edition and its bytes; raise RunError if it is missing or cannot be read."""
    place = manifest_of(warehouse, edition_id)
    try:
        content = require_max_bytes(objects.read(place, MAX_MANIFEST_BYTES + 1), MAX_MANIFEST_BYTES)
        found = parse_manifest(content)
        if found.edition_id != edition_id:
            raise ValueError("it belongs to another edition")
    except FileNotFoundError:
        raise EditionNotFoundError(
            f"The edition {edition_id} is missing from {warehouse / EDITIONS}."
            " Restore its objects, or choose another edition with broadsheet rollback EDITION."
        ) from None
    except ValueError as error:
        raise damaged(place, error) from None
    return found, content


def list_edition(warehouse: ObjectPath, manifest: Manifest) -> dict[str, Listed]:
    """Return the objects of an edition by path; raise EditionDamagedError for one that edition.json does not list."""
    place = warehouse / EDITIONS / manifest.edition_id
    known, listed = manifest.by_path, {}
    for found in objects.list_objects(place):
        if found.name in known:
            listed[found.name] = found
        elif not _is_ignored(found):
            raise EditionDamagedError(
                f"The object {place / found.name} is not in {MANIFEST}. Remove it, or choose another edition with"
                " broadsheet rollback EDITION."
            )
    return listed


def _is_ignored(found: Listed) -> bool:
    is_folder = found.name.endswith("/") and not found.size  # how some tools show a folder
    return found.name == MANIFEST or is_folder or any(map(is_system_file, found.name.split("/")))


def find_damaged(warehouse: ObjectPath, manifest: Manifest) -> list[FileFacts]:
    """Return the files of an edition whose object is missing, or differs in size or ETag from edition.json.

    Raise EditionDamagedError if the edition has an object that edition.json does not list.
    """
    listed = list_edition(warehouse, manifest)
    return [facts for facts in manifest.files if not _is_same(facts, listed.get(facts.path))]


def _is_same(facts: FileFacts, found: Listed | None) -> bool:
    if found is None or found.size != facts.bytes:
        return False
    return found.etag is None or facts.etag in (None, found.etag)


def require_listed(warehouse: ObjectPath, manifest: Manifest) -> None:
    """Raise EditionDamagedError if an edition has an object that edition.json does not list, or of another size."""
    known = manifest.by_path
    for name, found in list_edition(warehouse, manifest).items():
        if found.size != known[name].bytes:
            place = warehouse / EDITIONS / manifest.edition_id / name
            raise EditionDamagedError(f"The object {place} has a different size than {MANIFEST} states. {REMEDY}")


def require_sound(warehouse: ObjectPath, manifest: Manifest) -> None:
    """Raise EditionDamagedError if an object of an edition is missing or its content differs from edition.json.

    Objects with another ETag are read, since restoring a backup may change the ETags.
    """
    place = warehouse / EDITIONS / manifest.edition_id
    for facts in find_damaged(warehouse, manifest):
        if not has_content(place / facts.path, facts):
            raise EditionDamagedError(
                f"The object {place / facts.path} is missing or does not match {MANIFEST}. {REMEDY}"
            )


def has_content(place: ObjectPath, facts: FileFacts) -> bool:
    """Download an object, and return whether it has the bytes of the manifest."""
    with TemporaryDirectory(prefix="broadsheet-") as folder, suppress(FileNotFoundError):
        objects.download(place, Path(folder) / facts.path, facts.bytes)
        return has_file(Path(folder), facts)
    return False


def manifest_of(warehouse: ObjectPath, edition_id: str) -> ObjectPath:
    """Return the path of an edition's manifest."""
    return warehouse / EDITIONS / edition_id / MANIFEST


def claims(warehouse: ObjectPath) -> list[str]:
    """Return the ids that runs have claimed."""
    return [found.name for found in objects.list_objects(warehouse / CLAIMS) if is_id(found.name)]


def folders(warehouse: ObjectPath, name: str) -> list[str]:
    """Return the names below a prefix that are edition ids, sorted."""
    return [folder for folder in objects.list_folders(warehouse / name) if is_id(folder)]
