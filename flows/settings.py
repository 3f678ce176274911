"""Read the settings from command-line flags, parameters of the flow, or BROADSHEET_* variables."""

import json
import os
import tomllib
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError
from pydantic import BeforeValidator, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError

from flows.display import shortened
from flows.errors import InvalidSettingError, first_line
from flows.object_store.path import ObjectPath, has_scheme, parse
from flows.schema import FRONT_MATTER_COLUMNS

MAX_WAIT = 7 * 24 * 3600  # seconds
MAX_PROCESSES = 1_000
MAX_SHOWN_LENGTH = 100  # characters of an invalid value in a message
OWN_ERROR, EXPECTATION = "Value error, ", "Input should be "  # prefixes of pydantic's messages
# Silently ignoring an old name would change the published edition.
RENAMED = {"BROADSHEET_ENDINGS": "BROADSHEET_EXTENSIONS", "BROADSHEET_PATIENCE": "BROADSHEET_LOCK_TIMEOUT"}
CONFIG_FILE = "broadsheet.toml"
MAX_CONFIG_BYTES = 1_000_000
_JSON_FORMS = {
    "BROADSHEET_EXTENSIONS": 'list. Write it as [".md", ".txt"]',
    "BROADSHEET_COLUMNS": 'object. Write it as {"kicker": "category"}',
}
MAX_KEEP_HOURS = 1_000_000  # a century; larger values cannot be subtracted from the current time


def _require_path(value: object) -> object:
    """Reject an empty path, which would mean the current folder."""
    if isinstance(value, str) and not value.strip():
        raise ValueError("the path is empty. Pass a folder, or omit the setting.")
    return value


def _parse_location(value: object) -> object:
    """Parse a URL. One that was converted to a Path has lost a slash, and is rejected."""
    return parse(str(value)) if isinstance(value, str | Path) and has_scheme(str(value)) else _require_path(value)


def flag(name: str) -> str:
    """Return the command-line flag of a setting."""
    return f"--{name.replace('_', '-')}"


def _describe_error(error: Any, option: Callable[[str], str], given: Collection[str]) -> str:
    """Describe the error of one setting: its name as the user passed it, the value, and the fix."""
    name = str(error["loc"][0]) if error["loc"] else ""
    label = option(name) if name in given else f"BROADSHEET_{name.upper()}"
    return f"{label}: {_describe_value(error)}"


def _describe_value(error: Any) -> str:
    message = str(error["msg"])
    if message.startswith(OWN_ERROR):
        return f"{message.removeprefix(OWN_ERROR).rstrip('.')}."
    value = shortened(str(error["input"]), MAX_SHOWN_LENGTH)
    if message.startswith(EXPECTATION):
        expected = message.removeprefix(EXPECTATION).split(",")[0].replace("tuple", "list")
        limit = "a value " if expected.startswith(("less", "greater")) else ""
        return f"{value} is not valid. Use {limit}{expected}."
    return f"{value} is not valid ({message})."


def _describe_invalid_json() -> str:
    """Describe an error in one of the variables that are parsed as JSON."""
    for name, form in _JSON_FORMS.items():
        try:
            json.loads(os.environ.get(name, "null"))
        except ValueError:
            return f"{name}: {shortened(os.environ[name], MAX_SHOWN_LENGTH)} is not a JSON {form}."
    return "A variable is not valid JSON."


def _columns_in_file(config: Path | None) -> dict[str, str]:
    """Return [columns] of a TOML file, or of broadsheet.toml if it exists; raise InvalidSettingError."""
    file = config or Path(CONFIG_FILE)
    try:
        with file.open("rb") as source:
            text = source.read(MAX_CONFIG_BYTES).decode()
        sections = tomllib.loads(text)
    except FileNotFoundError:
        if config is None:
            return {}
        raise InvalidSettingError(
            f"The configuration file {file} does not exist. Pass another with --config."
        ) from None
    except (OSError, ValueError) as error:
        raise InvalidSettingError(f"The configuration file {file} cannot be read ({first_line(error)}).") from None
    if unknown := sorted(sections.keys() - {"columns"}):
        raise InvalidSettingError(f"{file}: {unknown[0]} is not a section. The only one is [columns].")
    try:
        return _require_columns(_flatten(sections.get("columns", {})))
    except ValueError as error:
        raise InvalidSettingError(f"{file}: {error}") from None


def _flatten(section: Any, before: str = "") -> dict[str, Any]:
    """Return the keys of nested tables with dots: TOML reads `meta.date = "…"` as a table."""
    if not isinstance(section, dict):
        raise ValueError("columns is not a section. Write [columns] above its keys.")
    found: dict[str, Any] = {}
    for key, value in section.items():
        found |= _flatten(value, f"{before}{key}.") if isinstance(value, dict) else {f"{before}{key}": value}
    return found


def _require_columns(columns: dict[str, Any]) -> dict[str, str]:
    """Raise ValueError if a key feeds something other than a column that front matter can feed."""
    for key, column in columns.items():
        if column not in FRONT_MATTER_COLUMNS:
            close = get_close_matches(str(column), FRONT_MATTER_COLUMNS, 1)
            hint = f"Did you mean {close[0]}?" if close else f"Use one of {', '.join(FRONT_MATTER_COLUMNS)}."
            raise ValueError(f"{key} feeds {column}, which is not a column that front matter can feed. {hint}")
    return dict(sorted(columns.items()))


def _split_folders(value: object) -> object:
    return [part for part in value.split(os.pathsep) if part] if isinstance(value, str) else value


Folder = Annotated[Path, BeforeValidator(_require_path)]
Location = Annotated[Path | ObjectPath, BeforeValidator(_parse_location), NoDecode]
Folders = Annotated[tuple[Path, ...], BeforeValidator(_split_folders), NoDecode]


class Settings(BaseSettings):
    """All settings. If `time_zone`, `extensions` or `columns` changes, the next run reads every file."""

    model_config = SettingsConfigDict(env_prefix="BROADSHEET_", frozen=True, extra="forbid")

    source: Location = Field(
        Path("seeds"), description="Folder of the seed files, or a URL such as s3://bucket/prefix."
    )
    warehouse: Location = Field(
        Path("warehouse"), description="Folder of the editions, or a URL such as s3://bucket/prefix."
    )
    time_zone: str = Field("UTC", description="IANA time zone for days, and for times without an offset.")
    extensions: tuple[str, ...] = Field(
        (".md", ".markdown", ".mdx", ".txt"), description="Extensions of seed files, as a JSON list."
    )
    link_roots: Folders = Field(
        (), description="Folders outside the source that symbolic links may lead to, separated by a colon."
    )
    config: Folder | None = Field(
        None, description="TOML file with the section [columns]; by default broadsheet.toml in the current folder."
    )
    columns: dict[str, str] = Field(
        {}, description="Keys of front matter with the columns that they feed, as a JSON object; overrides the file's."
    )
    rebuild: bool = Field(False, description="Read every file and publish, even without changes.")
    verify_content: bool = Field(False, description="Read every file, even if its size and time are unchanged.")
    allow_withdrawals: bool = Field(False, description="Publish even if more than half of the articles are gone.")
    lock_timeout: int = Field(0, ge=0, le=MAX_WAIT, description="Seconds to wait for another run that is publishing.")
    timeout: float = Field(
        300, ge=0, le=MAX_WAIT, allow_inf_nan=False, description="Seconds that a query may take; 0 for no limit."
    )
    data: Folder = Field(
        Path("data"), description="Folder of broadsheet up, and of working copies of warehouses on object stores."
    )
    port: int = Field(4200, ge=1, le=65535, description="Port of the server of broadsheet up, on loopback.")
    cron: str | None = Field(
        None,
        description="When broadsheet up publishes, such as '0 6-22 * * *', in time_zone; by default every hour.",
    )
    processes: int | None = Field(
        None,
        ge=1,
        le=MAX_PROCESSES,
        description="Processes that read files; by default, as CPUs and memory allow.",
    )
    runner: Literal["local", "dask"] = Field("local", description="Where the flow reads files and writes months.")
    scheduler: str | None = Field(
        None,
        description="Address of a Dask scheduler, such as tcp://host:8786; by default, a cluster per run.",
    )
    keep_editions: int = Field(5, ge=1, description="Number of newest editions to keep.")
    keep_hours: float = Field(
        6, ge=0, le=MAX_KEEP_HOURS, description="Hours to keep an edition after the next one is published."
    )

    @classmethod
    def given(cls, option: Callable[[str], str] = flag, **values: Any) -> Self:
        """Return the settings: the given values except None, and the rest from the environment.

        `option` converts the name of a setting to the form in which the user passes it. Raise InvalidSettingError with
        that form for given values, and with the name of the variable for others.
        """
        for old, new in RENAMED.items():
            if old in os.environ:
                raise InvalidSettingError(f"{old} is now called {new}. Rename the variable.")
        given = {name: value for name, value in values.items() if value is not None}
        try:
            settings = cls(**given)
        except ValidationError as error:
            raise InvalidSettingError(
                " ".join(_describe_error(flaw, option, given) for flaw in error.errors())
            ) from None
        except SettingsError:
            raise InvalidSettingError(_describe_invalid_json()) from None
        return (
            settings if settings.columns else settings.model_copy(update={"columns": _columns_in_file(settings.config)})
        )

    @field_validator("columns")
    @classmethod
    def _known_columns(cls, columns: dict[str, str]) -> dict[str, str]:
        return _require_columns(columns)

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{name} is not an IANA time zone. Use a name such as Europe/Paris or UTC.") from None
        return name

    @field_validator("cron")
    @classmethod
    def _valid_cron(cls, text: str | None) -> str | None:
        try:
            CronSim(text or "* * * * *", datetime.now(UTC))
        except CronSimError as error:
            raise ValueError(
                f"{text} is not a cron expression ({error}). Write five fields, as in '0 6 * * 1-5'."
            ) from None
        return text or None

    @field_validator("link_roots")
    @classmethod
    def _full_paths(cls, roots: tuple[Path, ...]) -> tuple[Path, ...]:
        for root in roots:
            if not root.is_absolute():
                raise ValueError(f"{root} is not an absolute path. Write it as /srv/{root}.")
        return roots

    @field_validator("extensions")
    @classmethod
    def _lower_extensions(cls, extensions: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted(extension.lower() for extension in extensions))
