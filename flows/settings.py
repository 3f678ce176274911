"""The settings of a run: BROADSHEET_* variables, or the flags of the command line."""

from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What shapes a run. `time_zone` and `endings` shape rows: another value reads every file again."""

    model_config = SettingsConfigDict(env_prefix="BROADSHEET_", frozen=True, extra="forbid")

    source: Path = Field(Path("seeds"), description="Folder of the seed files, read with its subfolders.")
    warehouse: Path = Field(Path("warehouse"), description="Folder into which editions are published.")
    time_zone: str = Field("UTC", description="IANA time zone of the edition: for times without one, and for days.")
    endings: tuple[str, ...] = Field((".md", ".markdown", ".mdx", ".txt"), description="Endings of seed files.")
    rebuild: bool = Field(False, description="Read every file and publish, even where nothing is new.")
    verify_content: bool = Field(False, description="Read every file: one may differ whose size and time do not.")
    allow_withdrawals: bool = Field(False, description="Publish even if more than half of the articles are gone.")
    patience: int = Field(0, ge=0, description="Seconds to wait for the end of another run that is publishing.")
    data: Path = Field(Path("data"), description="Folder of broadsheet up: the Prefect server's database, and logs.")
    port: int = Field(4200, ge=1, le=65535, description="Port of that server, on this machine alone.")
    processes: int | None = Field(None, ge=1, description="Processes that read files; one a core where none is given.")
    keep_editions: int = Field(5, ge=1, description="So many editions are kept, the newest ones.")
    keep_hours: float = Field(6, ge=0, description="An edition is kept for so many hours after the next one.")

    @classmethod
    def given(cls, **values: Any) -> Self:
        """The settings with the values that are not None, the others from the environment; raises ValidationError."""
        return cls(**{name: value for name, value in values.items() if value is not None})

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
