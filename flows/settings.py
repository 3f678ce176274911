"""The settings of a run: BROADSHEET_* variables, or the flags of the command line."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from flows.objects.prefix import SCHEME, Prefix, has_scheme, parse


def _place(value: object) -> object:
    """Return the prefix of a URL; a URL that became a Path has lost a slash, and is refused."""
    return parse(str(value)) if isinstance(value, str | Path) and has_scheme(str(value)) else value


Place = Annotated[Path | Prefix, BeforeValidator(_place), NoDecode]


class Settings(BaseSettings):
    """What shapes a run. `time_zone` and `endings` shape rows: another value reads every file again."""

    model_config = SettingsConfigDict(env_prefix="BROADSHEET_", frozen=True, extra="forbid")

    source: Place = Field(Path("seeds"), description="Folder of the seed files, or s3://bucket/prefix.")
    warehouse: Place = Field(Path("warehouse"), description="Folder of the editions, or s3://bucket/prefix.")
    time_zone: str = Field("UTC", description="IANA time zone of the edition: for times without one, and for days.")
    endings: tuple[str, ...] = Field((".md", ".markdown", ".mdx", ".txt"), description="Endings of seed files.")
    rebuild: bool = Field(False, description="Read every file and publish, even where nothing is new.")
    verify_content: bool = Field(False, description="Read every file: one may differ whose size and time do not.")
    allow_withdrawals: bool = Field(False, description="Publish even if more than half of the articles are gone.")
    patience: int = Field(0, ge=0, description="Seconds to wait for the end of another run that is publishing.")
    data: Path = Field(Path("data"), description="Folder of broadsheet up, and of copies of s3:// warehouses.")
    port: int = Field(4200, ge=1, le=65535, description="Port of that server, on this machine alone.")
    processes: int | None = Field(
        None, ge=1, description="Processes that read files; by default as CPUs and memory allow."
    )
    runner: Literal["local", "dask"] = Field("local", description="Where the flow reads files and writes months.")
    scheduler: str | None = Field(
        None, description="Address of Dask's scheduler, tcp://host:8786; a cluster for one run where none is given."
    )
    keep_editions: int = Field(5, ge=1, description="So many editions are kept, the newest ones.")
    keep_hours: float = Field(6, ge=0, description="An edition is kept for so many hours after the next one.")

    @classmethod
    def given(cls, **values: Any) -> Self:
        """The settings with the values that are not None, the others from the environment; raises ValidationError."""
        return cls(**{name: value for name, value in values.items() if value is not None})

    @property
    def home(self) -> Path:
        """The warehouse on this machine's disk: itself, or the working copy of a prefix."""
        if isinstance(self.warehouse, Path):
            return self.warehouse
        return self.data / "copies" / quote(str(self.warehouse).removeprefix(SCHEME), safe="")

    @property
    def home_named_by(self) -> str:
        """What names another home."""
        return "--warehouse" if isinstance(self.warehouse, Path) else "BROADSHEET_DATA"

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError(f"{name} is no IANA time zone; write it as Europe/Paris or UTC") from None
        return name

    @field_validator("endings")
    @classmethod
    def _lower_endings(cls, endings: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(sorted(ending.lower() for ending in endings))
