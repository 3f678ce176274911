"""Runs that are killed at a given point."""

import os
import signal
from typing import Any, NoReturn

from flows.object_store import objects
from flows.object_store.path import ObjectPath
from flows.pipeline.run import STEPS, publish_edition
from flows.settings import Settings
from flows.warehouse import database, ledger, manifest, parquet, pointer
from tests.runners import Replacing

_FUNCTIONS = {
    "after the months": (parquet, "link_unchanged_months"),
    "before the ledger": (ledger, "find_changes"),
    "in the database": (database, "create_views"),
    "before the manifest": (manifest, "write_manifest"),
    "before the move": (pointer, "stage"),
    "before the swap": (pointer, "swap"),
}
BEFORE_POINTER, AFTER_POINTER = "before the pointer", "after the pointer"
POINTS_BELOW_A_PREFIX = ["load", BEFORE_POINTER]
POINTS = [*(step.__name__ for step in STEPS), *_FUNCTIONS]


def die(*_: object, **__: object) -> NoReturn:
    """Kill this process with SIGKILL."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("a killed process continues")


def die_at_pointer(point: str) -> None:
    """Replace the conditional put of `current` by one that dies before or after it."""
    write_if = objects.write_if

    def write_and_die(path: ObjectPath, *arguments: Any) -> bool:
        if path.key.endswith(f"/{pointer.CURRENT}"):
            if point == AFTER_POINTER:
                write_if(path, *arguments)
            die()
        return write_if(path, *arguments)

    objects.write_if = write_and_die


def run_until(point: str, settings: Settings) -> None:
    """Publish an edition in this process, which dies before the step or function that the point names."""
    if point in (BEFORE_POINTER, AFTER_POINTER):
        die_at_pointer(point)
    elif point in _FUNCTIONS:
        module, name = _FUNCTIONS[point]
        setattr(module, name, die)
    publish_edition(settings, Replacing(**{point: die}))
