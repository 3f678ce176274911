"""Whether work takes time in proportion to its input: by how the time grows, and not by how long it takes."""

import time
from collections.abc import Callable

SIZES = (10_000, 20_000, 40_000)
ENOUGH = 0.02  # seconds for the first size; quadratic work takes ten times as long, linear work a tenth of it
MAX_COPY_GROWTH = 3.2  # where the input doubles; quadratic work takes four times as long, linear work twice


def is_linear(work: Callable[[int], object], repeats: int = 3) -> bool:
    """Return whether some work on inputs of 10, 20 and 40 KB grows as they do; tries a small one first."""
    if _seconds(lambda: work(500), 2) > 10 * ENOUGH:
        return False
    first = _seconds(lambda: work(SIZES[0]), 1)
    if first < ENOUGH:
        return True
    if first > 25 * ENOUGH:  # 50 seconds a megabyte are too many, however they grow
        return False
    times = [_seconds(lambda size=size: work(size), repeats) for size in SIZES]
    return times[2] < MAX_COPY_GROWTH * times[1] or times[2] < MAX_COPY_GROWTH**2 * times[0]


def _seconds(work: Callable[[], object], repeats: int) -> float:
    """Return the CPU seconds of the fastest of some tries."""
    best = float("inf")
    for _ in range(repeats):
        begun = time.process_time()
        work()
        best = min(best, time.process_time() - begun)
        if best < ENOUGH:
            break
    return best
