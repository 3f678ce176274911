"""Collect the warnings of a run: one sentence each, without duplicates."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from flows.errors import RunError, first_line

_collected: ContextVar[list[str] | None] = ContextVar("warnings", default=None)


@contextmanager
def collect_warnings() -> Iterator[list[str]]:
    """Yield a list that receives the warnings of the block, in order."""
    warnings: list[str] = []
    token = _collected.set(warnings)
    try:
        yield warnings
    finally:
        _collected.reset(token)


def warn(warning: str) -> None:
    """Add a warning to the list of the run, unless the list already contains it."""
    warnings = _collected.get()
    if warnings is not None and warning not in warnings:
        warnings.append(warning)


@contextmanager
def after_publishing(consequence: str) -> Iterator[None]:
    """Turn errors in the block into warnings: the new edition is published, so the run has succeeded."""
    try:
        yield
    except (RunError, OSError) as error:
        warn(f"The edition is published, but {consequence} ({first_line(error)}). The next run tries again.")
