"""The steps in the order in which they run. `publish_edition` is the only place where that order is written."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flows.errors import RunError
from flows.object_store.path import ObjectPath
from flows.pipeline import reconcile, remote, steps
from flows.pipeline.memory import translate_memory_errors
from flows.pipeline.plan import Batch, Difference, Months, Plan
from flows.pipeline.process_pool import Step, finish, in_processes
from flows.schema import Edition
from flows.settings import Settings
from flows.source.checks import require_folder
from flows.warehouse import editions, prefix
from flows.warehouse.lock import writer_lock
from flows.warehouse.notices import collected


@dataclass(frozen=True)
class Steps:
    """The steps as they are called: plain functions, or tasks of an orchestrator around them.

    `each` does a step for each of some parts of the work, and yields what each gives as it is done.
    """

    extract: Callable[[Settings], Plan] = steps.extract
    transform: Callable[[Plan, Batch], int] = steps.transform
    reconcile: Callable[[Plan], Difference | None] = reconcile.reconcile
    write_months: Callable[[Plan, Months], int] = steps.write_months
    load: Callable[[Plan, Difference], Edition] = steps.load
    check: Callable[[Plan, Difference], None] = steps.check
    publish: Callable[[Plan, Difference, Edition], Path] = steps.publish
    each: Callable[[Step, Plan, Sequence[Any]], Iterator[int]] = in_processes


@dataclass(frozen=True)
class Report:
    """How a run ended: the edition that it published, or None where nothing was new, and the current one's folder.

    `warnings` are sentences about what the run noticed, and what failed after its edition had been published.
    """

    edition: Edition | None
    folder: Path
    files: int
    seconds: float
    warnings: tuple[str, ...] = ()


PLAIN = Steps()
ON_PREFIX = Steps(extract=remote.extract, reconcile=remote.reconcile, publish=remote.publish)


def steps_for(settings: Settings) -> Steps:
    """The steps as the warehouse needs them: a folder's, or those of a prefix."""
    return ON_PREFIX if isinstance(settings.warehouse, ObjectPath) else PLAIN


@contextmanager
def writing(settings: Settings) -> Iterator[None]:
    """Hold the warehouse as this machine's only writer; below a prefix, what was claimed ends with the block."""
    with writer_lock(settings.local_root, settings.lock_timeout, settings.local_root_option), translate_memory_errors():
        try:
            yield
        finally:
            if isinstance(settings.warehouse, ObjectPath):
                with suppress(RunError, OSError):  # a store that fails now is swept by the next run
                    prefix.abandon(settings.warehouse, settings.local_root)


def go_back(settings: Settings, edition_id: str) -> tuple[str, ...]:
    """Point `current` at an edition that is kept; returns what was noticed. Raises RunError where there is none."""
    if isinstance(settings.warehouse, ObjectPath):
        prefix.roll_back(settings.warehouse, edition_id)
        return ()
    with collected() as notices, writer_lock(settings.warehouse):
        editions.roll_back(settings.warehouse, edition_id)
    return tuple(notices)


def publish_edition(settings: Settings, steps: Steps | None = None) -> Report:
    """Read the source and publish an edition, or nothing where nothing is new; raises RunError."""
    require_folder(settings.source, settings.link_roots)
    with collected() as notices, writing(settings):
        report = _publish_edition(settings, steps or steps_for(settings))
    return replace(report, warnings=tuple(notices))


def _publish_edition(settings: Settings, steps: Steps) -> Report:
    plan = steps.extract(settings)
    finish(steps.each(steps.transform, plan, plan.batches))
    difference = steps.reconcile(plan) if plan.news else None
    if difference is None:
        return Report(None, plan.base or plan.folder, plan.files, time.time() - plan.started)
    finish(steps.each(steps.write_months, plan, difference.parts))
    edition = steps.load(plan, difference)
    steps.check(plan, difference)
    folder = steps.publish(plan, difference, edition)
    return Report(edition, folder, plan.files, time.time() - plan.started)
