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
PAUSE = 0.3  # seconds between two polls


class PrefectProcess(NamedTuple):
    """A process that must run as long as `up` does; its output is in `log`."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path


@contextmanager
def translate_write_errors(home: Path) -> Iterator[None]:
    """Raise DataUnwritableError if the folder of `up` cannot be written."""
    try:
        yield
    except OSError as error:
        raise DataUnwritableError(
            f"Cannot write to {error.filename or home} ({error.strerror}). Free disk space, give this user"
            " permission, or pass another folder with --data."
        ) from None


@contextmanager
def run_process(
    name: str, command: tuple[str, ...], environment: dict[str, str], home: Path, umask: int = -1
) -> Iterator[PrefectProcess]:
    """Run a command of Prefect until the end of the block, with another umask if one is passed."""
    log = home / f"{name}.log"
    with translate_write_errors(home):
        output = log.open("ab")
    with output:
        # In a separate session: Ctrl-C reaches only `up`, which stops the processes in order.
        process = subprocess.Popen(
            [*COMMAND, *command], env=environment, cwd=home, stdout=output, stderr=output, start_new_session=True,
            umask=umask,
        )  # fmt: skip
    try:
        yield PrefectProcess(name, process, log)
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a process within STOP_LIMIT seconds, or kill it and its process group."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the stop is already in progress
    process.terminate()
    try:
        process.wait(STOP_LIMIT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def require_alive(*processes: PrefectProcess) -> None:
    """Raise PrefectError with the last lines of its log if one of the processes has ended."""
    for process in processes:
        if process.process.poll() is not None:
            last = process.log.read_text(errors="replace").split("\n")[-2:]
            raise PrefectError(
                f"Prefect's {process.name} ended with status {process.process.returncode}"
                f" ({' '.join(last).strip()[-200:]}). See {process.log}, then run broadsheet up again."
            )


def run_prefect(environment: dict[str, str], home: Path, *command: str) -> None:
    """Run a command of Prefect; raise PrefectError with its output if it fails."""
    done = subprocess.run(
        [*COMMAND, "--no-prompt", *command], env=environment, cwd=home, capture_output=True, text=True, check=False
    )
    if done.returncode:
        output = " ".join((done.stderr or done.stdout).split())
        raise PrefectError(f"prefect {' '.join(command)} failed: {output[-500:]}")
