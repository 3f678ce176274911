"""Run the steps in order. Only `publish_edition` defines that order."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from flows.pipeline.extract import extract
from flows.pipeline.load import check, load, write_partitions
from flows.pipeline.memory import translate_memory_errors
from flows.pipeline.process_pool import ProcessRunner
from flows.pipeline.publish import publish
from flows.pipeline.reconcile import reconcile
from flows.pipeline.transform import transform
from flows.schema import Edition
from flows.settings import Settings
from flows.source.checks import require_folder
from flows.warehouse.run_warnings import collect_warnings
from flows.warehouse.storage import open_storage

R = TypeVar("R")
STEPS = (extract, transform, reconcile, write_partitions, load, check, publish)


class Runner(Protocol):
    """An executor of steps: in this process and its workers, or as tasks of an orchestrator.

    `distributed` is True if parts of a mapped step may run on other machines.
    """

    distributed: bool

    def call(self, step: Callable[..., R], *arguments: Any) -> R:
        """Run a step; return its result or raise its exception."""

    def map(self, step: Callable[..., R], plan: Any, parts: Sequence[Any]) -> Iterator[R]:
        """Run a step for each part of its work, and yield the results in the order of the parts."""


@dataclass(frozen=True)
class Report:
    """The result of a run: the edition that it published, None without changes, and the folder of the current edition.

    `warnings` are sentences about conditions that did not fail the run, including failures after publishing.
    """

    edition: Edition | None
    folder: Path
    files: int
    seconds: float
    warnings: tuple[str, ...] = ()


def publish_edition(settings: Settings, runner: Runner | None = None) -> Report:
    """Read the source, and publish an edition if anything changed; raise RunError."""
    require_folder(settings.source, settings.link_roots)
    locked = open_storage(settings).locked(settings.lock_timeout)
    with collect_warnings() as notices, locked, translate_memory_errors():
        report = _publish_edition(settings, runner or ProcessRunner())
    return replace(report, warnings=tuple(notices))


def _publish_edition(settings: Settings, runner: Runner) -> Report:
    plan = runner.call(extract, settings, runner.distributed)
    read = list(runner.map(transform, plan, plan.batches))
    difference = runner.call(reconcile, plan, read) if plan.has_changes else None
    if difference is None:
        return Report(None, plan.reusable or plan.folder, plan.files, time.time() - plan.started)
    written = list(runner.map(write_partitions, plan, difference.parts))
    edition = runner.call(load, plan, difference, written)
    runner.call(check, plan, difference)
    folder = runner.call(publish, plan, difference, edition, written)
    return Report(edition, folder, plan.files, time.time() - plan.started)


def roll_back(settings: Settings, edition_id: str) -> tuple[str, ...]:
    """Make a kept edition the current one, and return the warnings; raise EditionNotFoundError."""
    with collect_warnings() as notices:
        open_storage(settings).roll_back(edition_id)
    return tuple(notices)
