"""Stop a query within a second of a signal, although DuckDB holds the main thread and Python cannot interrupt it."""

import os
import shutil
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread, current_thread, main_thread
from types import FrameType

_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
_IGNORED = (signal.SIG_IGN, None)  # SIG_IGN: as nohup sets it; None: a handler that is not Python's
INTERRUPTED = "Interrupted."
GRACE = 0.5  # seconds until the process is ended, whatever the main thread does
SIGNALLED = 128  # plus the signal: how a shell reports a process that a signal ended


@dataclass
class Stop:
    """What a signal does: call `interrupt`; remove `litter` if the process must end without the main thread."""

    interrupt: Callable[[], None] = lambda: None
    litter: list[Path] = field(default_factory=list)
    received: int = 0


def exit_code(stopped: KeyboardInterrupt) -> int:
    """Return the exit code of a command that a signal stopped: 130 for Ctrl-C, 143 for SIGTERM."""
    return SIGNALLED + (stopped.args[0] if stopped.args else signal.SIGINT)


@contextmanager
def interruptible(seconds: float = 0, too_long: str = "") -> Iterator[Stop]:
    """End the block on SIGINT, SIGTERM or SIGHUP, at the latest after a moment; raises KeyboardInterrupt.

    If the block is still running a moment after `seconds` (0: without limit), the process exits with 1 and prints
    `too_long`: DuckDB does not look at its clock within a call of a function.

    Python runs a signal handler between two instructions of Python, which may be long after the signal. A thread that
    waits for the signal number is woken at once.
    """
    stop = Stop()
    if current_thread() is not main_thread():
        yield stop
        return
    with _heard(stop, seconds + GRACE if seconds else None, too_long):
        try:
            yield stop
        except Exception:
            if not stop.received:
                raise
        if stop.received:  # DuckDB may raise its own error instead, or the work was just done
            raise KeyboardInterrupt(stop.received)


@contextmanager
def _heard(stop: Stop, seconds: float | None, too_long: str) -> Iterator[None]:
    ours, theirs = socket.socketpair()
    ours.settimeout(seconds)
    theirs.setblocking(False)
    done = Event()
    watcher = Thread(target=_watch, args=(ours, done, stop, too_long), daemon=True)
    watcher.start()
    woken = signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    try:
        with _raised(stop):
            yield
    finally:
        done.set()
        signal.set_wakeup_fd(woken)
        theirs.close()
        watcher.join()
        ours.close()


@contextmanager
def _raised(stop: Stop) -> Iterator[None]:
    """Raise KeyboardInterrupt for the first signal; ignore others, which would interrupt the cleanup."""
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    before = {number: handler for number, handler in before.items() if handler not in _IGNORED}

    def handle(number: int, _frame: FrameType | None) -> None:
        stop.received = number
        for other in before:
            signal.signal(other, signal.SIG_IGN)
        raise KeyboardInterrupt(number)

    try:
        for number in before:
            signal.signal(number, handle)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _watch(wakened: socket.socket, done: Event, stop: Stop, too_long: str) -> None:
    heard, sentence, code = None, too_long, 1
    with suppress(TimeoutError):
        heard = next((number for number in iter(lambda: wakened.recv(1), b"") if number[0] in _SIGNALS), None)
        if heard is None:
            return
        sentence, code = INTERRUPTED, SIGNALLED + heard[0]
    if done.is_set():
        return
    with suppress(Exception):  # the connection is being closed
        stop.interrupt()
    if done.wait(GRACE):
        return
    with suppress(OSError):
        os.write(2, f"broadsheet: {sentence}\n".encode())
    for path in stop.litter:
        shutil.rmtree(path, ignore_errors=True)
        with suppress(OSError):
            path.unlink()
    os._exit(code)
