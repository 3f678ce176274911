"""Draw plots as SVG on logarithmic scales: bars for contenders, points and a slope for growth."""

from collections.abc import Sequence
from html import escape
from math import ceil, floor, log10

WIDTH, LEFT, ROW = 760, 150, 30
_STYLE = "font-family:sans-serif;font-size:13px;fill:#222"


def bars(title: str, values: Sequence[tuple[str, float, str]]) -> str:
    """Return a plot with one bar per (name, seconds, note), on a logarithmic scale."""
    low, high = _decades([seconds for _, seconds, _ in values])
    scale = (WIDTH - LEFT - 170) / (high - low)
    shapes = _title(title)
    for number, (name, seconds, note) in enumerate(values):
        top, length = 40 + number * ROW, max(1.0, (log10(seconds) - low) * scale)
        shapes += _text(LEFT - 8, top + 15, name, "end")
        shapes += f'<rect x="{LEFT}" y="{top}" width="{length:.1f}" height="20" fill="#4a7fb5"/>'
        shapes += _text(LEFT + length + 6, top + 15, note)
    return _svg(40 + len(values) * ROW + 10, shapes)


def growth(title: str, points: Sequence[tuple[int, float]], unit: str, exponent: float) -> str:
    """Return a plot of figures against the number of files, in ascending order, on logarithmic scales."""
    counts, figures = [count for count, _ in points], [figure for _, figure in points]
    (left, right), (low, high) = _decades(counts), _decades(figures)
    across = [60 + (log10(count) - left) / (right - left) * (WIDTH - 220) for count in counts]
    up = [300 - (log10(figure) - low) / (high - low) * 240 for figure in figures]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across, up, strict=True))
    shapes = _title(f"{title}: exponent {exponent:.2f}")
    shapes += f'<polyline points="{line}" fill="none" stroke="#4a7fb5" stroke-width="2"/>'
    for x, y, count, figure in zip(across, up, counts, figures, strict=True):
        shapes += f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#4a7fb5"/>'
        shapes += _text(x, y - 12, f"{figure:,.1f} {unit}", "middle") + _text(x, 330, f"{count:,}", "middle")
    return _svg(345, shapes)


def _decades(values: Sequence[float]) -> tuple[int, int]:
    low = floor(log10(min(values)))
    return low, max(low + 1, ceil(log10(max(values))))


def _title(text: str) -> str:
    return _text(10, 22, text)


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" style="{_STYLE}">{escape(text)}</text>'


def _svg(height: int, shapes: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}">'
        f'<rect width="100%" height="100%" fill="white"/>{shapes}</svg>\n'
    )
