"""A runner whose steps a test replaces."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from flows.pipeline.process_pool import ProcessRunner


class Replacing(ProcessRunner):
    """The runner of this process that calls other functions in place of the steps of these names.

    `distributed` is whether parts are run as on another machine: with what they receive, in a separate folder.
    """

    def __init__(self, distributed: bool = False, **steps: Callable[..., Any]) -> None:
        self.distributed, self.steps = distributed, steps

    def call(self, step: Callable[..., Any], *arguments: Any) -> Any:
        """Call a step, or what replaces it."""
        return self.steps.get(step.__name__, step)(*arguments)

    def map(self, step: Callable[..., Any], plan: Any, parts: Sequence[Any]) -> Iterator[Any]:
        """Call a step for each part, or what replaces it, in this process."""
        if step.__name__ in self.steps:
            return map(partial(self.steps[step.__name__], plan), parts)
        return super().map(step, plan, parts)
