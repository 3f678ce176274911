"""Compute the geometry of the front page's charts, in percent, so that they scale with the reader's screen.

The SVG of a plotting library has a fixed width and fixed colors. These charts adapt to the reader's without a script.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

MIN_BARS = 14  # a chart has space for at least this many, so that a single bar does not fill it


class Scale(NamedTuple):
    """A vertical scale from 0 to `top`, with a few round numbers as ticks."""

    top: int
    ticks: tuple[int, ...]


class Bar(NamedTuple):
    """A bar, in percent of its chart; `y` is the distance from the upper edge."""

    x: float
    y: float
    width: float
    height: float


def scale(values: Sequence[float]) -> Scale:
    """Return the scale for the values, in steps of 1, 2 or 5 times a power of ten."""
    largest = max([*values, 1])
    power = 10 ** math.floor(math.log10(largest))
    step = max(1, next(int(size * power) for size in (0.5, 1, 2, 5) if largest <= 4 * size * power))
    top = math.ceil(largest / step) * step
    return Scale(top, tuple(range(step, top + 1, step)))


def bars(values: Sequence[float], top: float, min_bars: int = MIN_BARS) -> list[Bar]:
    """Return a bar for each value, from left to right. Values above zero have a visible height."""
    slot = 100 / max(len(values), min_bars)
    heights = [max(1.0, 100 * value / top) if value else 0.0 for value in values]
    return [
        Bar(round((n + 0.1) * slot, 2), round(100 - height, 2), round(0.8 * slot, 2), round(height, 2))
        for n, height in enumerate(heights)
    ]


def line(values: Sequence[float], top: float) -> str:
    """Return the points of a line through the centers of the bars, in a square of 100 by 100."""
    slot = 100 / max(len(values), MIN_BARS)
    return " ".join(f"{(n + 0.5) * slot:.2f},{100 - 100 * value / top:.2f}" for n, value in enumerate(values))


def labels(count: int, max_labels: int = 4) -> list[tuple[int, float]]:
    """Return the labels below `count` bars as (bar, x in percent): at most `max_labels`, with the first and last."""
    slot = 100 / max(count, MIN_BARS)
    labels = min(max_labels, max(1, round(count * slot / 25)), count)
    indices = sorted({round(n * (count - 1) / max(labels - 1, 1)) for n in range(labels)})
    return [(index, round((index + 0.5) * slot, 2)) for index in indices]
