"""The steps in the order in which they run. `publish_edition` is the only place where that order is written."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from flows import settle, steps
from flows.plan import Batch, Difference, Plan
from flows.settings import Settings
from flows.source import require_folder
from flows.tables import Edition
from flows.warehouse.lock import writer_lock

Transform = Callable[[Plan, Batch], int]


def one_after_another(transform: Transform, plan: Plan) -> Iterator[int]:
    """Transform each batch in this process; yields the number of files of each as it is done."""
    for batch in plan.batches:
        yield transform(plan, batch)


@dataclass(frozen=True)
class Steps:
    """The steps as they are called: plain functions, or tasks of an orchestrator around them."""

    extract: Callable[[Settings], Plan] = steps.extract
    transform: Transform = steps.transform
    settle: Callable[[Plan], Difference | None] = settle.settle
    load: Callable[[Plan, Difference], Edition] = steps.load
    check: Callable[[Plan, Difference], None] = steps.check
    publish: Callable[[Plan, Difference, Edition], Path] = steps.publish
    each: Callable[[Transform, Plan], Iterable[int]] = one_after_another


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
    with writer_lock(settings.warehouse):
        plan = steps.extract(settings)
        for _ in steps.each(steps.transform, plan):
            pass
        difference = steps.settle(plan) if plan.news else None
        if difference is None:
            return Report(None, plan.base or plan.folder, plan.files, time.time() - plan.started)
        edition = steps.load(plan, difference)
        steps.check(plan, difference)
        folder = steps.publish(plan, difference, edition)
        return Report(edition, folder, plan.files, time.time() - plan.started)
