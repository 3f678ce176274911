"""The contenders: the command of each over a corpus, what it needs, and what it leaves."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from benchmarks.measure import Measured, run

HERE = Path(__file__).parent
PYTHON = Path(sys.executable)
PEERS = HERE.parent / ".venv-bench" / "bin" / "python"
BROADSHEET = PYTHON.with_name("broadsheet")


class Place(NamedTuple):
    """Where a round happens: the corpus, a folder for what the contenders make, and the number of processes."""

    corpus: Path
    made: Path
    processes: int

    @property
    def source(self) -> Path:
        """The seed files."""
        return self.corpus / "source"

    def fresh(self, name: str) -> Path:
        """The path of a contender's folder, which is not there yet."""
        shutil.rmtree(self.made / name, ignore_errors=True)
        return self.made / name


def floor(place: Place) -> Measured:
    """Walk and read, nothing else."""
    return run([PYTHON, HERE / "floor.py", "read", place.source, str(place.processes)])


def listing(place: Place) -> Measured:
    """Walk and stat, the least that a run without news can do."""
    return run([PYTHON, HERE / "floor.py", "stat", place.source, "1"])


def broadsheet(place: Place) -> Measured:
    """A full run into a new warehouse."""
    return run([BROADSHEET, "run", "--source", place.source, "--warehouse", place.fresh("warehouse")])


def no_change(place: Place) -> Measured:
    """A run after which nothing is new; the warehouse stands from the contender before."""
    before = _edition(place)
    measured = _again(place)
    if _edition(place) != before:
        sys.exit("bench: the run without news published an edition; something changed the corpus meanwhile.")
    return measured


def one_changed(place: Place) -> Measured:
    """A run after one file was edited; the corpus is as before when it returns."""
    file = min(min(place.source.iterdir()).iterdir())
    content, facts, before = file.read_bytes(), file.stat(), _edition(place)
    try:
        file.write_bytes(content + b"\nA sentence was added.\n")
        measured = _again(place)
        if _edition(place) == before:
            sys.exit("bench: the run after an edit published nothing.")
        return measured
    finally:
        file.write_bytes(content)
        os.utime(file, ns=(facts.st_atime_ns, facts.st_mtime_ns))


def _again(place: Place) -> Measured:
    return run([BROADSHEET, "run", "--source", place.source, "--warehouse", place.made / "warehouse"])


def _edition(place: Place) -> Path:
    return (place.made / "warehouse" / "current").resolve()


def start_up(place: Place) -> Measured:
    """A run without news over a folder of one file: what any run takes before its work."""
    folder = place.fresh("start-up")
    (folder / "source").mkdir(parents=True)
    shutil.copy(min(min(place.source.iterdir()).iterdir()), folder / "source")
    command = [BROADSHEET, "run", "--source", folder / "source", "--warehouse", folder / "warehouse"]
    subprocess.run(command, check=True, capture_output=True)
    return run(command)


def expert(place: Place) -> Measured:
    """An expert's SQL with the same outputs."""
    return run([PYTHON, "-m", "benchmarks.expert", place.source, place.fresh("expert"), str(place.processes)])


def dlt_arrow(place: Place) -> Measured:
    """dlt, given Arrow tables."""
    return _dlt("arrow", place)


def dlt_rows(place: Place) -> Measured:
    """dlt, given dictionaries."""
    return _dlt("rows", place)


def hugo(place: Place) -> Measured:
    """Hugo builds a page an article; it stops at the first broken file, so those are kept from it."""
    folder = place.fresh("hugo")
    folder.mkdir(parents=True)
    mount = (
        f'ignoreFiles = ["/137_"]\n[[module.mounts]]\nsource = {json.dumps(str(place.source))}\ntarget = "content"\n'
    )
    (folder / "mount.toml").write_text(mount)
    site = HERE / "peers" / "hugo"
    configs = f"{site / 'hugo.toml'},{folder / 'mount.toml'}"
    return run(["hugo", "--source", site, "--config", configs, "--destination", folder / "public"])


def _dlt(form: str, place: Place) -> Measured:
    script, output = HERE / "peers" / "dlt_articles.py", place.fresh(f"dlt-{form}")
    return run([PEERS, script, form, place.source, output, str(place.processes)])


# In the order of a round: the runs without a new warehouse follow the one that made it.
CONTENDERS: dict[str, Callable[[Place], Measured]] = {
    "floor": floor,
    "listing": listing,
    "start-up": start_up,
    "broadsheet": broadsheet,
    "no-change": no_change,
    "one-changed": one_changed,
    "expert": expert,
    "dlt-arrow": dlt_arrow,
    "dlt-rows": dlt_rows,
    "hugo": hugo,
}

# The database that a contender leaves, to be scored.
DATABASES = {
    "broadsheet": "warehouse/current/broadsheet.duckdb",
    "expert": "expert/expert.duckdb",
    "dlt-arrow": "dlt-arrow/dlt.duckdb",
    "dlt-rows": "dlt-rows/dlt.duckdb",
}
