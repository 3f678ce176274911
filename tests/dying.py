"""Runs that are killed at a point of their way."""

import os
import signal
from typing import NoReturn

from flows.pipeline.run import STEPS, publish_edition
from flows.settings import Settings
from flows.warehouse import database, ledger, manifest, object_editions, parquet, pointer
from tests.runners import Replacing

_FUNCTIONS = {
    "after the months": (parquet, "link_unchanged_months"),
    "before the ledger": (ledger, "find_changes"),
    "in the database": (database, "create_views"),
    "before the manifest": (manifest, "write_manifest"),
    "before the move": (pointer, "stage"),
    "before the swap": (pointer, "swap"),
}
_BELOW_A_PREFIX = {
    "before the pointer": (object_editions, "_point_at"),
    "after the pointer": (object_editions, "_end_claim"),
}
POINTS_BELOW_A_PREFIX = ["load", "before the pointer"]
POINTS = [*(step.__name__ for step in STEPS), *_FUNCTIONS]


def die(*_: object, **__: object) -> NoReturn:
    """Kill this process as kill -9 does."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("a killed process goes no further")


def run_until(point: str, settings: Settings) -> None:
    """Publish an edition in a process that dies at a point: before a step, or before a function of the warehouse."""
    functions = _FUNCTIONS | _BELOW_A_PREFIX
    if point in functions:
        module, name = functions[point]
        setattr(module, name, die)
        publish_edition(settings)
    else:
        publish_edition(settings, Replacing(**{point: die}))
