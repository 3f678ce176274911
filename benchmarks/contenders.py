"""The contenders: the command that each one runs on a corpus, and the database that it writes."""

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


class Workspace(NamedTuple):
    """The corpus, a folder for the output of the contenders, and the number of processes."""

    corpus: Path
    output: Path
    processes: int

    @property
    def source(self) -> Path:
        """The folder of the seed files."""
        return self.corpus / "source"

    def fresh(self, name: str) -> Path:
        """Return the path of a contender's folder, after removing an earlier one."""
        shutil.rmtree(self.output / name, ignore_errors=True)
        return self.output / name


def floor(workspace: Workspace) -> Measured:
    """Walk the folder and read all files, and do nothing else."""
    return run([PYTHON, HERE / "floor.py", "read", workspace.source, str(workspace.processes)])


def listing(workspace: Workspace) -> Measured:
    """Walk the folder and stat all files: the minimum of a run without changes."""
    return run([PYTHON, HERE / "floor.py", "stat", workspace.source, "1"])


def broadsheet(workspace: Workspace) -> Measured:
    """Run on the whole corpus into a new warehouse."""
    return run([BROADSHEET, "run", "--source", workspace.source, "--warehouse", workspace.fresh("warehouse")])


def no_change(workspace: Workspace) -> Measured:
    """Run without changes, on the warehouse of `broadsheet`."""
    previous = _edition(workspace)
    measured = _run_again(workspace)
    if _edition(workspace) != previous:
        sys.exit("bench: The run without changes published an edition. Do not change the corpus while it is measured.")
    return measured


def one_changed(workspace: Workspace) -> Measured:
    """Run after an edit of one file; restore the file afterwards."""
    file = min(min(workspace.source.iterdir()).iterdir())
    content, status, previous = file.read_bytes(), file.stat(), _edition(workspace)
    try:
        file.write_bytes(content + b"\nA sentence was added.\n")
        measured = _run_again(workspace)
        if _edition(workspace) == previous:
            sys.exit("bench: The run after an edit published nothing.")
        return measured
    finally:
        file.write_bytes(content)
        os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def _run_again(workspace: Workspace) -> Measured:
    return run([BROADSHEET, "run", "--source", workspace.source, "--warehouse", workspace.output / "warehouse"])


def _edition(workspace: Workspace) -> Path:
    return (workspace.output / "warehouse" / "current").resolve()


def start_up(workspace: Workspace) -> Measured:
    """Run without changes on a folder with one file: the fixed cost of every run."""
    folder = workspace.fresh("start-up")
    (folder / "source").mkdir(parents=True)
    shutil.copy(min(min(workspace.source.iterdir()).iterdir()), folder / "source")
    command = [BROADSHEET, "run", "--source", folder / "source", "--warehouse", folder / "warehouse"]
    subprocess.run(command, check=True, capture_output=True)
    return run(command)


def expert(workspace: Workspace) -> Measured:
    """Run an expert's SQL, which writes the same tables."""
    return run(
        [PYTHON, "-m", "benchmarks.expert", workspace.source, workspace.fresh("expert"), str(workspace.processes)]
    )


def dlt_arrow(workspace: Workspace) -> Measured:
    """Run dlt on Arrow tables."""
    return _dlt("arrow", workspace)


def dlt_rows(workspace: Workspace) -> Measured:
    """Run dlt on dictionaries."""
    return _dlt("rows", workspace)


def hugo(workspace: Workspace) -> Measured:
    """Build one page per article with Hugo, without the invalid files, at which it would stop."""
    folder = workspace.fresh("hugo")
    folder.mkdir(parents=True)
    source = json.dumps(str(workspace.source))
    mount = f'ignoreFiles = ["/137_"]\n[[module.mounts]]\nsource = {source}\ntarget = "content"\n'
    (folder / "mount.toml").write_text(mount)
    site = HERE / "peers" / "hugo"
    configs = f"{site / 'hugo.toml'},{folder / 'mount.toml'}"
    return run(["hugo", "--source", site, "--config", configs, "--destination", folder / "public"])


def _dlt(form: str, workspace: Workspace) -> Measured:
    script, output = HERE / "peers" / "dlt_articles.py", workspace.fresh(f"dlt-{form}")
    return run([PEERS, script, form, workspace.source, output, str(workspace.processes)])


# In the order of a round: runs on an existing warehouse follow the run that creates it.
CONTENDERS: dict[str, Callable[[Workspace], Measured]] = {
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

# The database that a contender writes, which is scored.
DATABASES = {
    "broadsheet": "warehouse/current/broadsheet.duckdb",
    "expert": "expert/expert.duckdb",
    "dlt-arrow": "dlt-arrow/dlt.duckdb",
    "dlt-rows": "dlt-rows/dlt.duckdb",
}
