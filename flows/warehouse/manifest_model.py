"""The data model of edition.json, with limits on all values: the file may be damaged, or written by other programs."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Self

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field, ValidationError, model_validator

from flows.warehouse.edition_ids import is_id
from flows.warehouse.size_limit import require_max_bytes

MANIFEST = "edition.json"
DATABASE = "broadsheet.duckdb"
VIEWS_SCRIPT = "views.sql"  # in object stores, where each machine builds its own database
MAX_MANIFEST_BYTES = 16_000_000  # a hundred times the size of edition.json for a thousand months
_MAX_FILES = 100_000
_MAX_PATH_LENGTH = 1_024
_MAX_ETAG_LENGTH = 1_024
_MAX_COUNT = 2**63 - 1
_MAX_DIGITS = 20  # of a number


def _edition_id(value: str) -> str:
    if not is_id(value):
        raise ValueError("it is not an edition id, such as 20261123T030000Z")
    return value


def _relative(path: str) -> str:
    if {"", ".", ".."} & set(path.split("/")) or "\\" in path or path == MANIFEST or not path.isprintable():
        raise ValueError("it is not a path below the edition")
    return path


Count = Annotated[int, Field(ge=0, le=_MAX_COUNT)]
_DATA = ConfigDict(strict=True, frozen=True, extra="ignore", hide_input_in_errors=True)  # newer releases may add keys


class FileFacts(BaseModel):
    """A file of an edition: path below the edition, number of rows (for Parquet), size in bytes and XXH3 hash.

    `etag` is the ETag of the published object. It is None for a warehouse in a folder, and for objects published by
    earlier releases.
    """

    model_config = _DATA

    path: Annotated[str, Field(max_length=_MAX_PATH_LENGTH), AfterValidator(_relative)]
    rows: Count | None = None
    bytes: Count
    xxh3: Annotated[str, Field(pattern=r"\A[0-9a-f]{32}\z")]
    etag: Annotated[str | None, Field(max_length=_MAX_ETAG_LENGTH)] = None

    def same_content(self, other: Self | None) -> bool:
        """Return whether another file has the same size and hash."""
        return other is not None and (self.bytes, self.xxh3) == (other.bytes, other.xxh3)


class Manifest(BaseModel):
    """An edition: its id, its counts, the settings and versions that determined its rows, and its files.

    Keys that older releases did not write have defaults that make a run read or build more, never less.
    """

    model_config = _DATA

    parser_version: Count | None = None
    schema_version: Count | None = None
    time_zone: str | None = Field(None, max_length=255)
    extensions: list[str] | None = Field(
        None,
        max_length=1_000,
        validation_alias=AliasChoices("extensions", "endings"),  # of schema 2 and older
    )
    columns: dict[str, str] = Field({}, max_length=1_000)
    edition_id: Annotated[str, AfterValidator(_edition_id)]
    published_at: str | None = Field(None, max_length=64)
    articles: Count = 0
    images: Count = 0
    captions: Count = 0
    rejected: Count = 0
    repaired: Count = 0
    duplicates: Count = 0
    drafts: Count = 0
    added: Count = 0
    corrected: Count = 0
    withdrawn: Count = 0
    restored: Count = 0
    seconds: float = Field(0, ge=0, allow_inf_nan=False)
    listed_at: Count = 0  # nanoseconds since 1970
    database_bytes_when_built: Count = 0
    files: list[FileFacts] = Field(max_length=_MAX_FILES)

    @model_validator(mode="after")
    def _require_unique_paths(self) -> Self:
        if len(self.by_path) < len(self.files):
            raise ValueError("it lists a file twice")
        return self

    @property
    def by_path(self) -> dict[str, FileFacts]:
        """Return the files by their path."""
        return {file.path: file for file in self.files}

    @property
    def has_derived_database(self) -> bool:
        """Return whether the database is not part of the edition, but built by each machine that needs it."""
        return VIEWS_SCRIPT in self.by_path and DATABASE not in self.by_path

    def with_etags(self, etags: Mapping[str, str | None]) -> Self:
        """Return the manifest with the given ETags of the published objects, a mapping by path."""
        files = [file.model_copy(update={"etag": etags.get(file.path)}) for file in self.files]
        return self.model_copy(update={"files": files})

    def as_json(self) -> str:
        """Return the text of edition.json. The key `etag` is omitted for files without an ETag."""
        facts = self.model_dump()
        for file in facts["files"]:
            if file["etag"] is None:
                del file["etag"]
        return json.dumps(facts, indent=1) + "\n"


def parse_manifest(content: bytes) -> Manifest:
    """Parse the bytes of an edition.json; raise ValueError with a one-line reason."""
    try:
        text = require_max_bytes(content, MAX_MANIFEST_BYTES).decode()
        given = json.loads(text, object_pairs_hook=_without_repeats, parse_int=_int, parse_constant=_refuse_constant)
        if not isinstance(given, dict) or not isinstance(given.get("files"), list) or "edition_id" not in given:
            raise ValueError("it lacks the edition's id or files")
        return Manifest.model_validate(given)
    except ValidationError as error:
        raise ValueError(_first_error(error)) from None
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def _first_error(error: ValidationError) -> str:
    """Return the location and the message of the first error."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    message = first["msg"].removeprefix("Value error, ")
    return f"{place}: {message}" if place else message


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object; raise ValueError for a repeated key, since one of its values would be lost."""
    if len(found := dict(pairs)) < len(pairs):
        raise ValueError("an object repeats a key")
    return found


def _int(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise ValueError(f"it has a number of {len(digits):,} digits")
    return int(digits)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"it has {name}, which is not JSON")
