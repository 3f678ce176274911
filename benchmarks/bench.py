"""Measure all contenders over one corpus, in interleaved rounds: A B C A B C, so that a busy minute hits each.

    make bench ARTICLES=100000 ROUNDS=3

Writes a table (Markdown), every figure (JSON) and a plot (SVG) into FOLDER/results-ARTICLES. Before each measurement
all files are read once, so that all find them in memory alike, and what was written before is flushed.
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
from benchmarks.contenders import CONTENDERS, DATABASES, PYTHON, Place, floor
from benchmarks.measure import Measured, medians

HERE = Path(__file__).parent
Rounds = dict[str, list[Measured]]


def main() -> None:
    """Measure, score, and write the results."""
    given = _arguments()
    corpus = given.folder / str(given.articles)
    subprocess.run([PYTHON, "-m", "benchmarks.corpus", corpus, str(given.articles)], check=True)
    place = Place(corpus.absolute(), given.folder.absolute() / f"made-{given.articles}", given.processes)
    place.made.mkdir(exist_ok=True)
    os.environ["BROADSHEET_PROCESSES"] = str(given.processes)
    before = os.getloadavg()[0]
    rounds = measure(place, given.contenders, given.rounds)
    facts = {
        "articles": given.articles, "rounds": given.rounds, "processes": given.processes,
        "date": f"{datetime.now(UTC):%Y-%m-%d}", "cores": os.cpu_count(), "versions": _versions(),
        "load_before": round(before, 1), "load_after": round(os.getloadavg()[0], 1),
    }  # fmt: skip
    errors = {name: _score(place, name) for name in given.contenders if name in DATABASES}
    results = given.folder / f"results-{given.articles}"
    results.mkdir(exist_ok=True)
    (results / "rounds.json").write_text(json.dumps({**facts, "figures": _figures(rounds), "errors": errors}, indent=1))
    (results / "table.md").write_text(table(facts, rounds, errors))
    bars = [(name, runs.seconds, f"{runs.seconds:,.2f} s") for name, runs in _medians(rounds).items()]
    (results / "plot.svg").write_text(plot.bars(f"{given.articles:,} articles, seconds (logarithmic)", bars))
    print((results / "table.md").read_text())


def measure(place: Place, names: Sequence[str], rounds: int) -> Rounds:
    """The figures of each contender, round by round."""
    figures: Rounds = {name: [] for name in names}
    for number in range(rounds):
        for name in names:
            floor(place)
            figures[name].append(CONTENDERS[name](place))
            print(f"round {number + 1} {name:<12} {figures[name][-1].seconds:8.2f} s", file=sys.stderr)
    return figures


def table(facts: dict[str, Any], rounds: Rounds, errors: dict[str, dict[str, int]]) -> str:
    """The medians, their ratios to the floor and what each got wrong, as Markdown."""
    middle = _medians(rounds)
    base = middle["floor"]
    versions = ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
    lines = [
        f"{facts['articles']:,} articles, {facts['processes']} processes, medians of {facts['rounds']} interleaved"
        f" rounds, {facts['date']}; {facts['cores']} cores, load {facts['load_before']} before and"
        f" {facts['load_after']} after; {versions}.",
        "",
        "| contender | seconds | range | × floor | CPU seconds | CPU × floor | largest process MB | all MB | errors |",
        "|---|--:|--:|--:|--:|--:|--:|--:|---|",
    ]
    for name, runs in middle.items():
        spread = [one.seconds for one in rounds[name]]
        wrong = {what: count for what, count in errors.get(name, {}).items() if count}
        told = ", ".join(f"{count:,} {what}" for what, count in wrong.items()) or ("none" if name in errors else "")
        times, cpu = runs.seconds / base.seconds, runs.cpu_seconds / base.cpu_seconds
        lines.append(
            f"| {name} | {runs.seconds:.2f} | {min(spread):.2f} to {max(spread):.2f} | {times:.1f} |"
            f" {runs.cpu_seconds:.2f} | {cpu:.1f} | {runs.largest_mb:,.0f} | {runs.all_mb:,.0f} | {told} |"
        )
    return "\n".join(lines) + "\n"


def _medians(rounds: Rounds) -> dict[str, Measured]:
    return {name: medians(runs) for name, runs in rounds.items()}


def _figures(rounds: Rounds) -> dict[str, list[dict[str, float]]]:
    return {name: [run._asdict() for run in runs] for name, runs in rounds.items()}


def _score(place: Place, name: str) -> dict[str, int]:
    """Run in a separate process, which keeps this one small."""
    command = [PYTHON, "-m", "benchmarks.score", place.made / DATABASES[name], place.corpus / "truth"]
    return dict(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def _versions() -> dict[str, str]:
    peers = (HERE / "peers" / "requirements.txt").read_text().split()
    dlt = next(line.partition("==")[2] for line in peers if line.startswith("dlt"))
    return {"Python": platform.python_version(), **{name: version(name) for name in ("duckdb", "pyarrow")}, "dlt": dlt}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench", description="Measure all contenders over one corpus.")
    parser.add_argument("folder", type=Path, help="Where corpora, warehouses and results go.")
    parser.add_argument("--articles", type=int, required=True)
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--processes", type=int, required=True)
    parser.add_argument("--contenders", nargs="+", choices=CONTENDERS, default=list(CONTENDERS))
    given = parser.parse_args()
    needed = {"floor", *given.contenders}
    if needed & {"no-change", "one-changed"}:
        needed.add("broadsheet")  # whose warehouse they run on
    given.contenders = [name for name in CONTENDERS if name in needed]
    if "hugo" in needed and not shutil.which("hugo"):
        parser.error("one contender is Hugo; install it with apt-get install hugo, or name others with --contenders")
    given.folder.mkdir(parents=True, exist_ok=True)
    return given


if __name__ == "__main__":
    main()
