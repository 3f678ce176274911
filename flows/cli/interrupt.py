"""Stop a query within a second of a signal, even while DuckDB blocks the main thread."""

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
_IGNORED = (signal.SIG_IGN, None)  # nohup sets SIG_IGN; None is a handler that was not set by Python
INTERRUPTED = "Interrupted."
GRACE = 0.5  # seconds for the main thread to stop before the process exits
SIGNAL_EXIT_CODE = 128  # plus the signal number, as in a shell


@dataclass
class Stop:
    """The reaction to a signal: call `interrupt`, and delete `temporary_paths` if the main thread does not stop."""

    interrupt: Callable[[], None] = lambda: None
    temporary_paths: list[Path] = field(default_factory=list)
    received: int = 0


def exit_code(stopped: KeyboardInterrupt) -> int:
    """Return the exit code of a command that a signal stopped: 130 for Ctrl-C, 143 for SIGTERM."""
    return SIGNAL_EXIT_CODE + (stopped.args[0] if stopped.args else signal.SIGINT)


@contextmanager
def interruptible(seconds: float = 0, timeout_message: str = "") -> Iterator[Stop]:
    """Stop the block within GRACE seconds of SIGINT, SIGTERM or SIGHUP; raise KeyboardInterrupt.

    If the block is still running GRACE seconds after `seconds` (0: no limit), print `timeout_message` and exit with 1:
    DuckDB does not check its timeout during a function call.

    Python runs a signal handler between two bytecode instructions, possibly long after the signal. The thread that
    waits for the signal number wakes at once.
    """
    stop = Stop()
    if current_thread() is not main_thread():
        yield stop
        return
    with _watch_signals(stop, seconds + GRACE if seconds else None, timeout_message):
        try:
            yield stop
        except Exception:
            if not stop.received:
                raise
        if stop.received:  # DuckDB may have raised its own error, or the block had just finished
            raise KeyboardInterrupt(stop.received)


@contextmanager
def _watch_signals(stop: Stop, seconds: float | None, timeout_message: str) -> Iterator[None]:
    receiver, sender = socket.socketpair()
    receiver.settimeout(seconds)
    sender.setblocking(False)
    done = Event()
    watcher = Thread(target=_watch, args=(receiver, done, stop, timeout_message), daemon=True)
    watcher.start()
    previous = signal.set_wakeup_fd(sender.fileno(), warn_on_full_buffer=False)
    try:
        with _raise_on_signal(stop):
            yield
    finally:
        done.set()
        signal.set_wakeup_fd(previous)
        sender.close()
        watcher.join()
        receiver.close()


@contextmanager
def _raise_on_signal(stop: Stop) -> Iterator[None]:
    """Raise KeyboardInterrupt for the first signal; ignore later ones, which would interrupt the cleanup."""
    handlers = {number: signal.getsignal(number) for number in _SIGNALS}
    handlers = {number: handler for number, handler in handlers.items() if handler not in _IGNORED}

    def handle(number: int, _frame: FrameType | None) -> None:
        stop.received = number
        for other in handlers:
            signal.signal(other, signal.SIG_IGN)
        raise KeyboardInterrupt(number)

    try:
        for number in handlers:
            signal.signal(number, handle)
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _watch(receiver: socket.socket, done: Event, stop: Stop, timeout_message: str) -> None:
    received, message, code = None, timeout_message, 1
    with suppress(TimeoutError):
        received = next((number for number in iter(lambda: receiver.recv(1), b"") if number[0] in _SIGNALS), None)
        if received is None:
            return
        message, code = INTERRUPTED, SIGNAL_EXIT_CODE + received[0]
    if done.is_set():
        return
    with suppress(Exception):  # the connection is already closing
        stop.interrupt()
    if done.wait(GRACE):
        return
    with suppress(OSError):
        os.write(2, f"broadsheet: {message}\n".encode())
    for path in stop.temporary_paths:
        shutil.rmtree(path, ignore_errors=True)
        with suppress(OSError):
            path.unlink()
    os._exit(code)
