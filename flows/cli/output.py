"""Print the output of commands.

Printing never decides how a command ends: its reader may leave, or the disk be full.
"""

import os
import sys
from typing import TextIO

from flows.display import visible_lines


def prepare_streams() -> None:
    """Make the standard streams usable, even if one was closed at the start or cannot encode every letter.

    A closed one gets its descriptor back, otherwise the next opened file would take it. Writing to standard output then
    fails as it does on a full disk.
    """
    for number, flags in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, flags)  # the lowest number that is free, which is this one
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")


def write_line(text: str, stream: TextIO | None = None) -> None:
    """Print a text at once, by default on standard output; warn if that fails.

    Characters that could control a terminal are printed as escapes; a value that may have line breaks goes through
    `visible` first.
    """
    stream = stream or sys.stdout
    try:
        print(visible_lines(text), file=stream, flush=True)
    except OSError as error:
        _give_up(stream, error)


def flush_output() -> None:
    """Print what is buffered, so that the end of the process raises no error."""
    try:
        sys.stdout.flush()
    except OSError as error:
        _give_up(sys.stdout, error)


def _give_up(stream: TextIO, error: OSError) -> None:
    discard_rest(stream)
    if stream is sys.stdout and not isinstance(error, BrokenPipeError):
        write_line(f"broadsheet: Warning: standard output cannot be written ({error.strerror}).", sys.stderr)


def discard_rest(stream: TextIO) -> None:
    """Discard the rest of a stream: its reader left, or its disk is full."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
