"""What a run noticed and the operator should know, though it fails nothing: a sentence each, and each once a run."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from flows.errors import RunError, first_line

_collected: ContextVar[list[str] | None] = ContextVar("notices", default=None)


@contextmanager
def collected() -> Iterator[list[str]]:
    """Collect the notices of the block, in the order in which they come."""
    notices: list[str] = []
    token = _collected.set(notices)
    try:
        yield notices
    finally:
        _collected.reset(token)


def notice(sentence: str) -> None:
    """Add a sentence to the notices of the run, unless it is there."""
    notices = _collected.get()
    if notices is not None and sentence not in notices:
        notices.append(sentence)


@contextmanager
def after_publishing(consequence: str) -> Iterator[None]:
    """Make what fails within the block a notice: readers have the new edition, so the run succeeded."""
    try:
        yield
    except (RunError, OSError) as error:
        notice(f"The edition is published, but {consequence} ({first_line(error)}). The next run tries again.")
