"""Test whether work takes linear time, by how its time grows with the input."""

import time
from collections.abc import Callable

SIZES = (10_000, 20_000, 40_000)
FAST = 0.02  # seconds for the first size; quadratic work takes ten times as long, linear work a tenth
MAX_RATIO = 3.2  # of the times when the input doubles; it is about 4 for quadratic work, 2 for linear work


def is_linear(work: Callable[[int], object], repeats: int = 3) -> bool:
    """Return whether the time of some work grows linearly for inputs of 10, 20 and 40 KB, after one of 500 bytes."""
    if _seconds(lambda: work(500), 2) > 10 * FAST:
        return False
    first = _seconds(lambda: work(SIZES[0]), 1)
    if first < FAST:
        return True
    if first > 25 * FAST:  # more than 50 seconds per megabyte is too slow in any case
        return False
    times = [_seconds(lambda size=size: work(size), repeats) for size in SIZES]
    return times[2] < MAX_RATIO * times[1] or times[2] < MAX_RATIO**2 * times[0]


def _seconds(work: Callable[[], object], repeats: int) -> float:
    """Return the CPU seconds of the fastest of several repeats."""
    best = float("inf")
    for _ in range(repeats):
        started = time.process_time()
        work()
        best = min(best, time.process_time() - started)
        if best < FAST:
            break
    return best
