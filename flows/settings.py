"""The settings of a run: BROADSHEET_* variables, or the flags of the command line."""

import os
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError
from pydantic import BeforeValidator, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict, SettingsError

from flows.errors import InvalidSettingError
from flows.object_store.path import ObjectPath, has_scheme, parse

MAX_WAIT = 7 * 24 * 3600  # seconds
MAX_PROCESSES = 1_000
# Ignoring an old name would silently change what is published.
RENAMED = {"BROADSHEET_ENDINGS": "BROADSHEET_EXTENSIONS", "BROADSHEET_PATIENCE": "BROADSHEET_LOCK_TIMEOUT"}
MAX_KEEP_HOURS = 1_000_000  # a century, so that it can be subtracted from every date


def _named(value: object) -> object:
    """Reject an empty name, which would be the current folder."""
    if isinstance(value, str) and not value.strip():
        raise ValueError("it is empty; pass a folder, or omit the setting")
    return value


def _place(value: object) -> object:
    """Return the path of a URL; a URL that became a Path has lost a slash, and is rejected."""
    return parse(str(value)) if isinstance(value, str | Path) and has_scheme(str(value)) else _named(value)


def flag(name: str) -> str:
    """Return the flag of a setting."""
    return f"--{name.replace('_', '-')}"


def _flaw(error: Any, option: Callable[[str], str], given: Collection[str]) -> str:
    """Return the error of one setting: what the user set, and pydantic's message as a sentence."""
    name = str(error["loc"][0]) if error["loc"] else ""
    label = option(name) if name in given else f"BROADSHEET_{name.upper()}"
    return f"{label}: {error['msg'].removeprefix('Value error, ').rstrip('.')}."


def _not_json() -> str:
    """Return the error of the one variable that pydantic reads as JSON."""
    value = os.environ.get("BROADSHEET_EXTENSIONS", "")
    return f'BROADSHEET_EXTENSIONS: {value} is not a JSON list. Write it as [".md", ".txt"].'


def _folders(value: object) -> object:
    return [part for part in value.split(os.pathsep) if part] if isinstance(value, str) else value


Folder = Annotated[Path, BeforeValidator(_named)]
Place = Annotated[Path | ObjectPath, BeforeValidator(_place), NoDecode]
Folders = Annotated[tuple[Path, ...], BeforeValidator(_folders), NoDecode]


class Settings(BaseSettings):
    """All settings. `time_zone` and `extensions` shape rows: another value reads every file again."""

    model_config = SettingsConfigDict(env_prefix="BROADSHEET_", frozen=True, extra="forbid")

    source: Place = Field(Path("seeds"), description="Folder of the seed files, or s3://bucket/prefix.")
    warehouse: Place = Field(Path("warehouse"), description="Folder of the editions, or s3://bucket/prefix.")
    time_zone: str = Field("UTC", description="IANA time zone of the edition: for times without one, and for days.")
    extensions: tuple[str, ...] = Field((".md", ".markdown", ".mdx", ".txt"), description="Extensions of seed files.")
    link_roots: Folders = Field(
        (), description="Folders outside of the source to which symbolic links may lead, with : between them."
    )
    rebuild: bool = Field(False, description="Read every file and publish, even where nothing is new.")
    verify_content: bool = Field(False, description="Read every file: one may differ whose size and time do not.")
    allow_withdrawals: bool = Field(False, description="Publish even if more than half of the articles are gone.")
    lock_timeout: int = Field(
        0, ge=0, le=MAX_WAIT, description="Seconds to wait for the end of another run that is publishing."
    )
    timeout: float = Field(
        300, ge=0, le=MAX_WAIT, allow_inf_nan=False, description="Seconds that a query may take; 0: any number."
    )
    data: Folder = Field(Path("data"), description="Folder of broadsheet up, and of copies of s3:// warehouses.")
    port: int = Field(4200, ge=1, le=65535, description="Port of that server, on this machine alone.")
    cron: str | None = Field(
        None, description="When broadsheet up publishes, such as '0 6-22 * * *', in time_zone; every hour by default."
    )
    processes: int | None = Field(
        None, ge=1, le=MAX_PROCESSES, description="Processes that read files; by default as CPUs and memory allow."
    )
    runner: Literal["local", "dask"] = Field("local", description="Where the flow reads files and writes months.")
    scheduler: str | None = Field(
        None, description="Address of Dask's scheduler, tcp://host:8786; a cluster for one run where none is given."
    )
    keep_editions: int = Field(5, ge=1, description="Number of editions to keep, the newest ones.")
    keep_hours: float = Field(
        6, ge=0, le=MAX_KEEP_HOURS, description="Hours to keep an edition after the next one is published."
    )

    @classmethod
    def given(cls, option: Callable[[str], str] = flag, **values: Any) -> Self:
        """Return the settings: given values but None, the rest from the environment.

        `option` returns how the user passes the setting of a name. Raise InvalidSettingError, which names the option of
        a given value, and the variable of any other.
        """
        for old, new in RENAMED.items():
            if old in os.environ:
                raise InvalidSettingError(f"{old} is now called {new}. Rename the variable.")
        given = {name: value for name, value in values.items() if value is not None}
        try:
            return cls(**given)
        except ValidationError as error:
            flaws = [_flaw(flaw, option, given) for flaw in error.errors()]
            raise InvalidSettingError(" ".join(flaws)) from None
        except SettingsError:
            raise InvalidSettingError(_not_json()) from None

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{name} is not an IANA time zone; write it as Europe/Paris or UTC") from None
        return name

    @field_validator("cron")
    @classmethod
    def _valid_cron(cls, text: str | None) -> str | None:
        try:
            CronSim(text or "* * * * *", datetime.now(UTC))
        except CronSimError as error:
            raise ValueError(
                f"{text} is not a cron expression ({error}); write five fields, as in '0 6 * * 1-5'"
            ) from None
        return text or None

    @field_validator("link_roots")
    @classmethod
    def _full_paths(cls, roots: tuple[Path, ...]) -> tuple[Path, ...]:
        for root in roots:
            if not root.is_absolute():
                raise ValueError(f"{root} is not an absolute path; write it as /srv/{root}")
        return roots

    @field_validator("extensions")
    @classmethod
    def _lower_extensions(cls, extensions: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted(ending.lower() for ending in extensions))
