"""Start the parts of `broadsheet up` in order, and stop them all when it ends."""

import shlex
import signal
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EACCES, EADDRINUSE
from pathlib import Path
from typing import NoReturn

from filelock import FileLock, Timeout

from flows.cli.output import discard_rest, write_line
from flows.cli.up import orphans
from flows.cli.up.environment import POOL, api_url, enter_environment, environment_of, run_variables, ui_url
from flows.cli.up.password import NAME, api_password
from flows.cli.up.private import private_files
from flows.cli.up.processes import PAUSE, require_alive, running, writing
from flows.errors import PortForbiddenError, PortInUseError, ScheduleError, ScheduleLockedError
from flows.settings import Settings

LOCK = ".lock"  # in Prefect's home


def up(settings: Settings) -> None:
    """Serve until SIGINT, SIGTERM or SIGHUP; raise RunError if the server or the worker cannot start, or ends."""
    _stop_on_signals()
    home = (settings.data / "prefect").absolute()
    with private_files(home) as umask, _claimed(home):
        mark = orphans.mark(home)
        orphans.end_marked(orphans.any_mark(home))  # a killed `up` may have left them, and they may hold the port
        _require_free(settings.port)
        password = api_password(home)
        environment = environment_of(settings, home, password)
        with orphans.guarded(mark, environment):
            enter_environment(environment, home)
            _serve(settings, password, home, environment | {orphans.MARK: mark}, umask)


def _serve(settings: Settings, password: str, home: Path, environment: dict[str, str], umask: int) -> None:
    server_command = ("server", "start", "--host", "127.0.0.1", "--port", str(settings.port))
    with running("server", server_command, environment, home) as server:
        write_line("Prefect's server is starting; the first start takes half a minute.")
        # Imports Prefect, while the server starts.
        from flows.cli.up import schedule
        from flows.cli.up.client import connect

        with connect(server, api_url(settings.port), password) as client:
            client.hello()
            schedule.set_up(client, settings, environment, home)
            schedule.crash_lost_runs(client)
            worker_command = ("worker", "start", "--pool", POOL)
            # Its runs publish editions, which other users may read as far as the umask of the shell allows.
            with running("worker", worker_command, environment | run_variables(), home, umask) as worker:
                _announce(settings, home, times := schedule.describe_schedule(client))
                if times:
                    schedule.run_now(client, worker)
                while True:
                    require_alive(server, worker)
                    time.sleep(PAUSE)


def _announce(settings: Settings, home: Path, times: str) -> None:
    state = f"on, {times}" if times else "paused"
    write_line(f"The schedule is {state}: {ui_url(settings.port)}  (Ctrl-C stops it)")
    write_line(f"To see the user and password of its UI: cat {shlex.quote(str(home / NAME))}")


def _stop_on_signals() -> None:
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.default_int_handler)  # also where a shell started us with SIGINT ignored
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # as nohup leaves it
        signal.signal(signal.SIGHUP, _hang_up)


def _hang_up(*_: object) -> NoReturn:
    """Stop without printing: writing to a terminal that is gone is an error."""
    for stream in (sys.stdout, sys.stderr):
        discard_rest(stream)
    raise KeyboardInterrupt


@contextmanager
def _claimed(home: Path) -> Iterator[None]:
    """Allow one `up` per home: two would end each other's runs, and take them from each other's workers."""
    lock = FileLock(home / LOCK, timeout=0)
    with writing(home):
        try:
            lock.acquire()
        except Timeout:
            raise ScheduleLockedError(
                f"Another broadsheet up is using {home}. Stop it, or pass another folder with --data."
            ) from None
    try:
        yield
    finally:
        lock.release()


def _require_free(port: int) -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            raise _refused(port, error) from None


def _refused(port: int, error: OSError) -> ScheduleError:
    if error.errno == EADDRINUSE:
        return PortInUseError(
            f"Port {port} is in use. Stop the program that is using it, or pass another port with --port."
        )
    if error.errno == EACCES:
        return PortForbiddenError(
            f"This user may not listen on port {port}. Pass a port from 1024 on with --port, such as 4200."
        )
    return ScheduleError(f"Port {port} cannot be used ({error.strerror}). Pass another port with --port.")
