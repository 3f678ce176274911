"""Collect warnings of a run that do not make it fail: one sentence each, and each once per run."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from flows.errors import RunError, first_line

_collected: ContextVar[list[str] | None] = ContextVar("warnings", default=None)


@contextmanager
def collect_warnings() -> Iterator[list[str]]:
    """Collect the warnings of the block in order."""
    warnings: list[str] = []
    token = _collected.set(warnings)
    try:
        yield warnings
    finally:
        _collected.reset(token)


def warn(warning: str) -> None:
    """Add a warning to those of the run, unless it is there already."""
    warnings = _collected.get()
    if warnings is not None and warning not in warnings:
        warnings.append(warning)


@contextmanager
def after_publishing(consequence: str) -> Iterator[None]:
    """Turn failures within the block into warnings: readers have the new edition, so the run succeeded."""
    try:
        yield
    except (RunError, OSError) as error:
        warn(f"The edition is published, but {consequence} ({first_line(error)}). The next run tries again.")
