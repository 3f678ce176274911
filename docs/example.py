"""Publish the example edition of the documentation: seeds/, after an edition with a few differences."""

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
    """Yield a folder with a copy of seeds/, and a warehouse whose edition predates some changes of the seeds."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _copy_seeds(folder / "seeds")
        _undo_changes(folder / "seeds")
        publish(folder, before)
        shutil.rmtree(folder / "seeds")
        _copy_seeds(folder / "seeds")
        yield folder


@contextmanager
def example_edition() -> Iterator[Path]:
    """Publish an edition with the same rows at each build, and yield its folder."""
    with newsroom() as folder:
        yield publish(folder, NOW)


class _RunnerWithId(ProcessRunner):
    """A runner that publishes an edition with the given ID."""

    def __init__(self, edition_id: str) -> None:
        self.edition_id = edition_id

    def call(self, step: Callable[..., Any], *arguments: Any) -> Any:
        """Call a step, and set the ID in the plan that it returns."""
        result = super().call(step, *arguments)
        if isinstance(result, Plan):
            return replace(result, edition_id=self.edition_id, folder=result.folder.with_name(self.edition_id))
        return result


def publish(folder: Path, edition_id: str) -> Path:
    """Read all seeds of a newsroom, publish an edition with this ID, and return its folder."""
    settings = Settings(source=folder / "seeds", warehouse=folder / "warehouse", time_zone="UTC", rebuild=True)
    return publish_edition(settings, _RunnerWithId(edition_id)).folder


def _copy_seeds(source: Path) -> None:
    shutil.copytree(ROOT / "seeds", source)
    for file in source.iterdir():
        os.utime(file, ns=(1_793_000_000_000_000_000,) * 2)


def _undo_changes(source: Path) -> None:
    """Change the seeds to what they were before a correction, a withdrawal and the latest article."""
    first, *_, last = sorted(source.iterdir())
    text = first.read_text()
    first.write_text(text.replace('category: "WORLD"', 'category: "TRAVEL"'))
    withdrawn = text.replace("ART2610240536KQ7ZN2", "ART2611101700V1WDRN")
    withdrawn = withdrawn.replace("Ferries return to Lake Kisiri after two silent years", "A ferry is painted green")
    (source / "2026-11-10-ART2611101700V1WDRN.md").write_text(withdrawn)
    last.unlink()
