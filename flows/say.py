"""What a command says, to a reader that may leave before the end, as `head` does: the command goes on all the same."""

import os
import sys
from typing import TextIO


def say(text: str, stream: TextIO | None = None) -> None:
    """Print a text at once, on standard output where no other stream is given."""
    try:
        print(text, file=stream, flush=True)
    except BrokenPipeError:
        speak_to_nobody(stream or sys.stdout)


def speak_to_nobody(stream: TextIO) -> None:
    """Send the rest of a stream nowhere: its reader has seen enough."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
