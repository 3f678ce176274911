"""Run the commands of docs/operations.md in order, with the server and the worker of its systemd units."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.conftest import ROOT, SEEDS, end
from tests.prefect_server import free_port

pytestmark = pytest.mark.slow

PAGE = (ROOT / "docs" / "operations.md").read_text()
BLOCKS = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
FILES = dict(re.findall(r"```ini\n# ([^\s:]+)[^\n]*\n(.*?)```", PAGE, re.DOTALL))
# Commands that need root, systemd, PostgreSQL or a Git remote, and `make up` with its clients, which test_up.py runs.
ELSEWHERE = ("systemctl ", "useradd ", "install -d ", "sudo ", "git ", "make ", "  export PREFECT_API_")


def runnable(block: str) -> str:
    """Return a block without the lines that cannot run here."""
    return "".join(line for line in block.splitlines(keepends=True) if not line.startswith(ELSEWHERE))


COMMANDS = [block for block in map(runnable, BLOCKS) if block.strip()]
(SHELL,) = [block for block in COMMANDS if "set -a" in block]  # prepares the shell for all other blocks


class Place:
    """The folders and the port of the page, mapped to a temporary folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        for name in ("etc", "var", "warehouse", "backup"):
            (folder / name).mkdir()
        for path in FILES:
            if path.endswith(".env"):
                lines = [line for line in FILES[path].splitlines() if "postgresql" not in line]
                (folder / "etc" / Path(path).name).write_text(self.here("\n".join(lines)))

    def here(self, text: str) -> str:
        """Return a text of the page with the paths and the port of this machine."""
        places = {
            "/srv/broadsheet/.venv": sys.prefix,
            "/srv/broadsheet": str(ROOT),
            "/srv/articles": str(SEEDS),
            "/srv": str(self.folder),
            "/etc/broadsheet": str(self.folder / "etc"),
            "/var/lib/broadsheet": str(self.folder / "var"),
            ":4200": f":{self.port}",
            "--port 4200": f"--port {self.port}",
        }
        return re.sub("|".join(map(re.escape, places)), lambda found: places[found[0]], text)

    @contextmanager
    def service(self, unit: str) -> Iterator[None]:
        """Run a service as its unit starts it, until the end of the block."""
        settings = dict(
            re.findall(r"^(\w+)=(.*)$", self.here(FILES[f"/etc/systemd/system/{unit}.service"]), re.MULTILINE)
        )
        start = f"set -a; . {settings['EnvironmentFile']}; exec {settings['ExecStart']}"
        with (self.folder / f"{unit}.log").open("w") as log:
            process = subprocess.Popen(["bash", "-ec", start], stdout=log, stderr=log, start_new_session=True)
        try:
            yield
        finally:
            end(process)

    def run(self, commands: str, **environment: str) -> str:
        """Run commands in a shell that is prepared as documented, and return their output."""
        script = self.here(f"{SHELL}\nset -e\n{commands}")
        done = subprocess.run(
            ["bash", "-c", script], cwd=self.folder, env={**os.environ, **environment}, capture_output=True, text=True,
            timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{commands}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        return done.stdout


def unseen(block: str, seen: set[str]) -> str:
    """Return a block without lines that have already run."""
    lines = [line.partition("  #")[0].rstrip() for line in block.splitlines()]
    new = [line for line in lines if line not in seen]
    seen.update(new)
    return "\n".join(new)


def test_the_commands_run_in_their_order(tmp_path):
    place, seen = Place(tmp_path), set(SHELL.splitlines())
    current = tmp_path / "warehouse" / "current"
    set_up, runs, *rest = [block for block in COMMANDS if block != SHELL]
    with place.service("broadsheet-server"), httpx.Client(transport=httpx.HTTPTransport(retries=9)) as client:
        api = place.here("http://127.0.0.1:4200/api")
        assert client.get(f"{api}/health", timeout=60).status_code == 200
        assert client.post(f"{api}/flows/filter", json={}).status_code == 401  # every request needs the password
        place.run(unseen(set_up, seen))
        with place.service("broadsheet-worker"):
            # With --watch the command waits for the run, so that the next commands find an edition.
            place.run(unseen(runs, seen).replace("run etl/rebuild", "run etl/rebuild --watch"))
        edition = current.resolve().name
        for block in rest:
            commands = unseen(block, seen)
            if "mkdir -p /srv/warehouse" in commands:
                shutil.rmtree(tmp_path / "warehouse")  # restore the edition into an empty warehouse
            place.run(commands, EDITION=edition)
        pool = client.get(f"{api}/work_pools/broadsheet", auth=("operator", "change-me")).json()
    assert not pool["is_paused"]
    assert (tmp_path / "backup" / edition / "edition.json").exists()
    assert current.resolve().name == edition
