"""Print the output of commands.

A failed print never changes the exit code of a command: its reader may have closed the pipe, or the disk may be full.
"""

import os
import sys
from typing import TextIO

from flows.display import visible_lines


def prepare_streams() -> None:
    """Make the standard streams usable, even if one was closed at the start or cannot encode every character.

    The descriptor of a closed stream is opened again, otherwise the next file would get it. Writing to standard output
    then fails as it does on a full disk.
    """
    for number, flags in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, flags)  # returns the lowest free number, which is this one
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")


def write_line(text: str, stream: TextIO | None = None) -> None:
    """Print a text and flush it, by default to standard output; warn if that fails.

    Characters that could control a terminal are printed as escapes. Pass values that may contain line breaks through
    `visible` first.
    """
    stream = stream or sys.stdout
    try:
        print(visible_lines(text), file=stream, flush=True)
    except OSError as error:
        _handle_write_error(stream, error)


def flush_output() -> None:
    """Flush standard output, so that the end of the process raises no error."""
    try:
        sys.stdout.flush()
    except OSError as error:
        _handle_write_error(sys.stdout, error)


def _handle_write_error(stream: TextIO, error: OSError) -> None:
    discard_rest(stream)
    if stream is sys.stdout and not isinstance(error, BrokenPipeError):
        write_line(f"broadsheet: Warning: standard output cannot be written ({error.strerror}).", sys.stderr)


def discard_rest(stream: TextIO) -> None:
    """Discard the rest of a stream whose reader has closed it, or whose disk is full."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)
