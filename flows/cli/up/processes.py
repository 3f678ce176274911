"""Start and stop the Prefect processes of `broadsheet up`."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from flows.errors import DataUnwritableError, PrefectError

COMMAND = (sys.executable, "-m", "prefect")
STOP_LIMIT = 30.0  # seconds for a process to end before it is killed
PAUSE = 0.3  # seconds between two looks at what is awaited


class Part(NamedTuple):
    """A process that must live as long as `up` does; `log` has its output."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path


@contextmanager
def writing(home: Path) -> Iterator[None]:
    """Raise DataUnwritableError if the folder of `up` cannot be written."""
    try:
        yield
    except OSError as error:
        raise DataUnwritableError(
            f"Cannot write to {error.filename or home} ({error.strerror}). Give this user permission and space, or pass"
            " another folder with --data."
        ) from None


@contextmanager
def running(
    name: str, command: tuple[str, ...], environment: dict[str, str], home: Path, umask: int = -1
) -> Iterator[Part]:
    """Run a part of Prefect until the end of the block, with another umask than ours if one is passed."""
    log = home / f"{name}.log"
    with writing(home):
        output = log.open("ab")
    with output:
        # In its own session: a Ctrl-C reaches only us, and we stop the parts in their order.
        process = subprocess.Popen(
            [*COMMAND, *command], env=environment, cwd=home, stdout=output, stderr=output, start_new_session=True,
            umask=umask,
        )  # fmt: skip
    try:
        yield Part(name, process, log)
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a process within STOP_LIMIT seconds, or kill it and its process group."""
    for again in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(again, signal.SIG_IGN)  # stopping is under way and takes its time
    process.terminate()
    try:
        process.wait(STOP_LIMIT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def require_alive(*parts: Part) -> None:
    """Raise PrefectError, with the end of its log, if one of the parts has ended."""
    for part in parts:
        if part.process.poll() is not None:
            last = part.log.read_text(errors="replace").split("\n")[-2:]
            raise PrefectError(
                f"Prefect's {part.name} ended with status {part.process.returncode}"
                f" ({' '.join(last).strip()[-200:]}). See {part.log}, then start broadsheet up again."
            )


def run_prefect(environment: dict[str, str], home: Path, *command: str) -> None:
    """Run a command of Prefect; raise PrefectError with its output if it fails."""
    done = subprocess.run(
        [*COMMAND, "--no-prompt", *command], env=environment, cwd=home, capture_output=True, text=True, check=False
    )
    if done.returncode:
        output = " ".join((done.stderr or done.stdout).split())
        raise PrefectError(f"prefect {' '.join(command)} failed: {output[-500:]}")
