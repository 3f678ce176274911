"""Collect warnings of a run that do not make it fail: a sentence each, and each once per run."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from flows.errors import RunError, first_line

_collected: ContextVar[list[str] | None] = ContextVar("notices", default=None)


@contextmanager
def collected() -> Iterator[list[str]]:
    """Collect the warnings of the block in order."""
    notices: list[str] = []
    token = _collected.set(notices)
    try:
        yield notices
    finally:
        _collected.reset(token)


def notice(sentence: str) -> None:
    """Add a warning to those of the run, unless it is there."""
    notices = _collected.get()
    if notices is not None and sentence not in notices:
        notices.append(sentence)


@contextmanager
def after_publishing(consequence: str) -> Iterator[None]:
    """Turn failures within the block into warnings: readers have the new edition, so the run succeeded."""
    try:
        yield
    except (RunError, OSError) as error:
        notice(f"The edition is published, but {consequence} ({first_line(error)}). The next run tries again.")
