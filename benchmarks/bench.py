"""Measure all contenders on one corpus, in interleaved rounds (A B C A B C), so that noise affects all of them.

    make bench ARTICLES=100000 ROUNDS=3

Write a table (Markdown), all figures (JSON) and a plot (SVG) to FOLDER/results-ARTICLES. Before each measurement, all
files are read once, so that every contender finds them in the page cache, and earlier writes are flushed.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import plot
from benchmarks.contenders import CONTENDERS, DATABASES, PYTHON, Workspace, floor
from benchmarks.measure import Measured, medians

HERE = Path(__file__).parent
Rounds = dict[str, list[Measured]]


def main() -> None:
    """Measure and score the contenders, and write the results."""
    arguments = _parse_arguments()
    corpus = arguments.folder / str(arguments.articles)
    subprocess.run([PYTHON, "-m", "benchmarks.corpus", corpus, str(arguments.articles)], check=True)
    workspace = Workspace(
        corpus.absolute(), arguments.folder.absolute() / f"made-{arguments.articles}", arguments.processes
    )
    workspace.output.mkdir(exist_ok=True)
    os.environ["BROADSHEET_PROCESSES"] = str(arguments.processes)
    before = os.getloadavg()[0]
    rounds = measure(workspace, arguments.contenders, arguments.rounds)
    facts = {
        "articles": arguments.articles, "rounds": arguments.rounds, "processes": arguments.processes,
        "date": f"{datetime.now(UTC):%Y-%m-%d}", "cores": os.cpu_count(), "versions": _versions(),
        "load_before": round(before, 1), "load_after": round(os.getloadavg()[0], 1),
    }  # fmt: skip
    errors = {name: _score(workspace, name) for name in arguments.contenders if name in DATABASES}
    results = arguments.folder / f"results-{arguments.articles}"
    results.mkdir(exist_ok=True)
    (results / "rounds.json").write_text(json.dumps({**facts, "figures": _figures(rounds), "errors": errors}, indent=1))
    (results / "table.md").write_text(table(facts, rounds, errors))
    bars = [(name, runs.seconds, f"{runs.seconds:,.2f} s") for name, runs in _medians(rounds).items()]
    (results / "plot.svg").write_text(plot.bars(f"{arguments.articles:,} articles, seconds (logarithmic)", bars))
    print((results / "table.md").read_text())


def measure(workspace: Workspace, names: Sequence[str], rounds: int) -> Rounds:
    """Return the figures of each contender, one per round."""
    figures: Rounds = {name: [] for name in names}
    for number in range(rounds):
        for name in names:
            floor(workspace)
            figures[name].append(CONTENDERS[name](workspace))
            print(f"round {number + 1} {name:<12} {figures[name][-1].seconds:8.2f} s", file=sys.stderr)
    return figures


def table(facts: dict[str, Any], rounds: Rounds, errors: dict[str, dict[str, int]]) -> str:
    """Return a Markdown table of the medians, their ratios to the floor, and the errors of each contender."""
    median_runs = _medians(rounds)
    base = median_runs["floor"]
    versions = ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
    lines = [
        f"{facts['articles']:,} articles, {facts['processes']} processes, medians of {facts['rounds']} interleaved"
        f" rounds, {facts['date']}; {facts['cores']} cores, load {facts['load_before']} before and"
        f" {facts['load_after']} after; {versions}.",
        "",
        "| contender | seconds | range | × floor | CPU seconds | CPU × floor | largest process MB | all processes MB"
        " | errors |",
        "|---|--:|--:|--:|--:|--:|--:|--:|---|",
    ]
    for name, runs in median_runs.items():
        seconds = [run.seconds for run in rounds[name]]
        found = {kind: count for kind, count in errors.get(name, {}).items() if count}
        cell = ", ".join(f"{count:,} {kind}" for kind, count in found.items()) or ("none" if name in errors else "")
        times, cpu = runs.seconds / base.seconds, runs.cpu_seconds / base.cpu_seconds
        lines.append(
            f"| {name} | {runs.seconds:.2f} | {min(seconds):.2f} to {max(seconds):.2f} | {times:.1f} |"
            f" {runs.cpu_seconds:.2f} | {cpu:.1f} | {runs.largest_mb:,.0f} | {runs.all_mb:,.0f} | {cell} |"
        )
    return "\n".join(lines) + "\n"


def _medians(rounds: Rounds) -> dict[str, Measured]:
    return {name: medians(runs) for name, runs in rounds.items()}


def _figures(rounds: Rounds) -> dict[str, list[dict[str, float]]]:
    return {name: [run._asdict() for run in runs] for name, runs in rounds.items()}


def _score(workspace: Workspace, name: str) -> dict[str, int]:
    """Run in a separate process, which keeps this one small."""
    command = [PYTHON, "-m", "benchmarks.score", workspace.output / DATABASES[name], workspace.corpus / "truth"]
    return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def _versions() -> dict[str, str]:
    peers = (HERE / "peers" / "requirements.txt").read_text().split()
    dlt = next(line.partition("==")[2] for line in peers if line.startswith("dlt"))
    return {"Python": platform.python_version(), **{name: version(name) for name in ("duckdb", "pyarrow")}, "dlt": dlt}


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description="Measure all contenders on one corpus.")
    parser.add_argument("folder", type=Path, help="Folder for corpora, warehouses and results.")
    parser.add_argument("--articles", type=int, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--processes", type=int, required=True)
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    arguments = parser.parse_args()
    needed = {"floor", *arguments.contenders}
    if needed & {"no-change", "one-changed"}:
        needed.add("broadsheet")  # whose warehouse they run on
    arguments.contenders = [name for name in CONTENDERS if name in needed]
    if "hugo" in needed and not shutil.which("hugo"):
        parser.error("Hugo is not installed. Run apt-get install hugo, or pass other --contenders.")
    arguments.folder.mkdir(parents=True, exist_ok=True)
    return arguments


if __name__ == "__main__":
    main()
