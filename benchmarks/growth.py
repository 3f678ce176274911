"""Measure how time and memory of a full run grow with the corpus.

    make growth COUNTS="1000 10000 100000 1000000"

Write a table (Markdown), all figures (JSON) and two plots (SVG) to FOLDER/growth. An exponent is the slope of the
least-squares line through the logarithms: 1 is proportional, 0 is constant. The fixed cost of a run lowers it for small
corpora, so the table also has the exponent between the two largest.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from math import log
from pathlib import Path
from statistics import linear_regression

from benchmarks import plot
from benchmarks.contenders import PYTHON, Workspace, broadsheet, floor
from benchmarks.measure import Measured

FIGURES = {"seconds": "s", "cpu_seconds": "s", "largest_mb": "MB", "all_mb": "MB"}
PLOTS = {"seconds": "A full run against the number of files", "largest_mb": "The largest process"}


def exponent(counts: Sequence[int], figures: Sequence[float]) -> float:
    """Return the slope of the logarithms."""
    return linear_regression([log(count) for count in counts], [log(figure) for figure in figures]).slope


def main(folder: Path, counts: list[int]) -> None:
    """Measure one full run per size, with two processes, and write the results."""
    os.environ["BROADSHEET_PROCESSES"] = "2"
    results = folder / "growth"
    results.mkdir(parents=True, exist_ok=True)
    runs = [_measure(folder, count) for count in counts]
    (results / "growth.json").write_text(
        json.dumps([{"files": count, **run._asdict()} for count, run in zip(counts, runs, strict=True)], indent=1)
    )
    (results / "table.md").write_text(table(counts, runs))
    for name, title in PLOTS.items():
        figures = [getattr(run, name) for run in runs]
        points = list(zip(counts, figures, strict=True))
        (results / f"{name}.svg").write_text(plot.growth(title, points, FIGURES[name], exponent(counts, figures)))
    print((results / "table.md").read_text())


def table(counts: Sequence[int], runs: Sequence[Measured]) -> str:
    """Return a Markdown table of all sizes, with the exponents over all sizes and between the two largest."""
    lines = ["| files | seconds | CPU seconds | largest process MB | all processes MB |", "|--:|--:|--:|--:|--:|"]
    for count, run in zip(counts, runs, strict=True):
        lines.append(
            f"| {count:,} | {run.seconds:.2f} | {run.cpu_seconds:.2f} | {run.largest_mb:,.0f} | {run.all_mb:,.0f} |"
        )
    columns = [[getattr(run, name) for run in runs] for name in FIGURES]
    lines.append(f"| exponent | {' | '.join(f'{exponent(counts, figures):.2f}' for figures in columns)} |")
    last = [f"{exponent(counts[-2:], figures[-2:]):.2f}" for figures in columns]
    lines.append(f"| exponent of the two largest | {' | '.join(last)} |")
    return "\n".join(lines) + "\n"


def _measure(folder: Path, count: int) -> Measured:
    corpus = folder / str(count)
    subprocess.run([PYTHON, "-m", "benchmarks.corpus", corpus, str(count)], check=True)
    workspace = Workspace(corpus.absolute(), folder.absolute() / f"made-{count}", 2)
    workspace.output.mkdir(exist_ok=True)
    floor(workspace)
    run = broadsheet(workspace)
    workspace.fresh("warehouse")  # removes it; for a million articles it takes gigabytes
    print(f"{count:>9,} files {run.seconds:8.2f} s {run.largest_mb:8,.0f} MB", file=sys.stderr)
    return run


if __name__ == "__main__":
    main(Path(sys.argv[1]), sorted(int(count) for count in sys.argv[2:]))
