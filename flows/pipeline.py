"""The steps in the order in which they run. `publish_edition` is the only place where that order is written."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flows import settle, steps
from flows.plan import Batch, Difference, Months, Plan
from flows.settings import Settings
from flows.source import require_folder
from flows.tables import Edition
from flows.warehouse.lock import writer_lock
from flows.workers import Step, in_processes


@dataclass(frozen=True)
class Steps:
    """The steps as they are called: plain functions, or tasks of an orchestrator around them.

    `each` does a step for each of some parts of the work, and yields what each gives as it is done.
    """

    extract: Callable[[Settings], Plan] = steps.extract
    transform: Callable[[Plan, Batch], int] = steps.transform
    settle: Callable[[Plan], Difference | None] = settle.settle
    write_months: Callable[[Plan, Months], int] = steps.write_months
    load: Callable[[Plan, Difference], Edition] = steps.load
    check: Callable[[Plan, Difference], None] = steps.check
    publish: Callable[[Plan, Difference, Edition], Path] = steps.publish
    each: Callable[[Step, Plan, Sequence[Any]], Iterator[int]] = in_processes


@dataclass(frozen=True)
class Report:
    """How a run ended: the edition that it published, or None where nothing was new, and the current one's folder."""

    edition: Edition | None
    folder: Path
    files: int
    seconds: float


PLAIN = Steps()


def publish_edition(settings: Settings, steps: Steps = PLAIN) -> Report:
    """Read the source and publish an edition, or nothing where nothing is new; raises RunError."""
    require_folder(settings.source)
    with writer_lock(settings.warehouse, settings.patience):
        plan = steps.extract(settings)
        _exhaust(steps.each(steps.transform, plan, plan.batches))
        difference = steps.settle(plan) if plan.news else None
        if difference is None:
            return Report(None, plan.base or plan.folder, plan.files, time.time() - plan.started)
        _exhaust(steps.each(steps.write_months, plan, difference.parts))
        edition = steps.load(plan, difference)
        steps.check(plan, difference)
        folder = steps.publish(plan, difference, edition)
        return Report(edition, folder, plan.files, time.time() - plan.started)


def _exhaust(parts: Iterator[int]) -> None:
    """Wait until each part is done."""
    deque(parts, maxlen=0)
