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
from flows.cli.up.environment import POOL, api_url, enter_environment, flow_run_variables, process_environment, ui_url
from flows.cli.up.password import FILE_NAME, api_password
from flows.cli.up.private_home import private_home
from flows.cli.up.processes import PAUSE, require_alive, run_process, translate_write_errors
from flows.errors import PortForbiddenError, PortInUseError, ScheduleError, ScheduleLockedError
from flows.settings import Settings

LOCK = ".lock"  # in Prefect's home


def serve(settings: Settings) -> None:
    """Serve until SIGINT, SIGTERM or SIGHUP; raise RunError if the server or the worker cannot start, or ends."""
    _stop_on_signals()
    home = (settings.data / "prefect").absolute()
    with private_home(home) as umask, _lock_home(home):
        mark = orphans.new_mark(home)
        orphans.kill_marked(orphans.mark_prefix(home))  # left by a killed `up`, possibly on the same port
        _require_free_port(settings.port)
        password = api_password(home)
        environment = process_environment(settings, home, password)
        with orphans.cleanup_guard(mark, environment):
            enter_environment(environment, home)
            _run_processes(settings, password, home, environment | {orphans.MARK: mark}, umask)


def _run_processes(settings: Settings, password: str, home: Path, environment: dict[str, str], umask: int) -> None:
    server_command = ("server", "start", "--host", "127.0.0.1", "--port", str(settings.port))
    with run_process("server", server_command, environment, home) as server:
        write_line("Prefect's server is starting; the first start takes half a minute.")
        # They import Prefect, while the server starts.
        from flows.cli.up import schedule
        from flows.cli.up.client import connect

        with connect(server, api_url(settings.port), password) as client:
            client.hello()
            schedule.set_up(client, settings, environment, home)
            schedule.crash_lost_runs(client)
            worker_command = ("worker", "start", "--pool", POOL)
            # Flow runs write editions with the umask of the shell, so that other users can read them.
            with run_process("worker", worker_command, environment | flow_run_variables(), home, umask) as worker:
                _announce(settings, home, times := schedule.describe_schedule(client))
                if times:
                    schedule.run_now(client, worker)
                while True:
                    require_alive(server, worker)
                    time.sleep(PAUSE)


def _announce(settings: Settings, home: Path, times: str) -> None:
    state = f"on, {times}" if times else "paused"
    write_line(f"The schedule is {state}: {ui_url(settings.port)}  (Ctrl-C stops it)")
    write_line(f"User and password of the UI: cat {shlex.quote(str(home / FILE_NAME))}")


def _stop_on_signals() -> None:
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, signal.default_int_handler)  # a shell may have started this process with SIGINT ignored
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup sets SIG_IGN
        signal.signal(signal.SIGHUP, _stop_silently)


def _stop_silently(*_: object) -> NoReturn:
    """Stop without printing: writing to a closed terminal is an error."""
    for stream in (sys.stdout, sys.stderr):
        discard_rest(stream)
    raise KeyboardInterrupt


@contextmanager
def _lock_home(home: Path) -> Iterator[None]:
    """Hold the lock of the home: two instances of `up` would end each other's runs and take them from their workers.

    Raise ScheduleLockedError if another `up` holds it.
    """
    lock = FileLock(home / LOCK, timeout=0)
    with translate_write_errors(home):
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


def _require_free_port(port: int) -> None:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError as error:
            raise _port_error(port, error) from None


def _port_error(port: int, error: OSError) -> ScheduleError:
    if error.errno == EADDRINUSE:
        return PortInUseError(
            f"Port {port} is in use. Stop the program that is using it, or pass another port with --port."
        )
    if error.errno == EACCES:
        return PortForbiddenError(
            f"This user may not listen on port {port}. Pass a port of at least 1024 with --port, such as 4200."
        )
    return ScheduleError(f"Port {port} cannot be used ({error.strerror}). Pass another port with --port.")
