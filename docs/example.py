"""The example of the documentation: an edition of seeds/, after one that differed a little."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from flows.pipeline.plan import Plan
from flows.pipeline.process_pool import ProcessRunner
from flows.pipeline.run import publish_edition
from flows.settings import Settings

ROOT = Path(__file__).parents[1]
BEFORE, NOW = "20261122T030000Z", "20261123T030000Z"


@contextmanager
def newsroom(before: str = BEFORE) -> Iterator[Path]:
    """A folder with a copy of seeds/, and a warehouse with the previous edition; later changes are not published."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _copy_seeds(folder / "seeds")
        _as_it_was(folder / "seeds")
        publish(folder, before)
        shutil.rmtree(folder / "seeds")
        _copy_seeds(folder / "seeds")
        yield folder


@contextmanager
def example_edition() -> Iterator[Path]:
    """The folder of an edition with the same rows at each build."""
    with newsroom() as folder:
        yield publish(folder, NOW)


class _RunnerWithId(ProcessRunner):
    """The runner that publishes an edition of a given id."""

    def __init__(self, edition_id: str) -> None:
        self.edition_id = edition_id

    def call(self, step: Callable[..., Any], *arguments: Any) -> Any:
        """Call a step; the plan gets the id."""
        result = super().call(step, *arguments)
        if isinstance(result, Plan):
            return replace(result, edition_id=self.edition_id, folder=result.folder.with_name(self.edition_id))
        return result


def publish(folder: Path, edition_id: str) -> Path:
    """Publish an edition of this id from a newsroom's seeds, every file read; returns its folder."""

    settings = Settings(source=folder / "seeds", warehouse=folder / "warehouse", time_zone="UTC", rebuild=True)
    return publish_edition(settings, _RunnerWithId(edition_id)).folder


def _copy_seeds(source: Path) -> None:
    shutil.copytree(ROOT / "seeds", source)
    for file in source.iterdir():
        os.utime(file, ns=(1_793_000_000_000_000_000,) * 2)


def _as_it_was(source: Path) -> None:
    """The seeds before a correction, a withdrawal and the latest article."""
    first, *_, last = sorted(source.iterdir())
    text = first.read_text()
    first.write_text(text.replace('category: "WORLD"', 'category: "TRAVEL"'))
    gone = text.replace("ART2610240536KQ7ZN2", "ART2611101700V1WDRN")
    gone = gone.replace("Ferries return to Lake Kisiri after two silent years", "A ferry is painted green")
    (source / "2026-11-10-ART2611101700V1WDRN.md").write_text(gone)
    last.unlink()
