"""The password of the API that `broadsheet up` serves: generated once, and kept where only this user can read it.

Without it, any page that is open in a browser of this machine could start runs, and so could any other user.
"""

import os
import re
import secrets
import stat
from pathlib import Path

from flows.cli.output import write_line
from flows.cli.up.processes import writing

NAME = "password"
USER = "broadsheet"
MAX_BYTES = 1000
VALID = re.compile(r"[!-9;-~]{1,100}:[!-~]{8,200}\n?")  # user:password in printable ASCII, without spaces


def api_password(home: Path) -> str:
    """Return the user and password of the API as `user:password`; generate them if none are kept or can be used."""
    file = home / NAME
    with writing(home):
        try:
            return _kept(file)
        except FileNotFoundError:
            return _generate(file)
        except (OSError, ValueError) as flaw:
            reason = f"could not be read ({flaw.strerror})" if isinstance(flaw, OSError) else str(flaw)
        file.unlink()
        password = _generate(file)
    write_line(f"Generated a new password in {file}: the old file {reason}.")
    return password


def _kept(file: Path) -> str:
    """Return what the file holds; raise ValueError if others may know it or if it cannot be a password."""
    with os.fdopen(os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as opened:
        status = os.fstat(opened.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
            raise ValueError("was not a regular file of this user")
        if status.st_mode & 0o077:
            raise ValueError("could be read by other users")
        text = opened.read(MAX_BYTES).decode("ascii", errors="replace")
    if not VALID.fullmatch(text):
        raise ValueError("did not hold user:password")
    return text.strip()


def _generate(file: Path) -> str:
    """Write a new password into a new file, private from its first moment; a part that a crash leaves is replaced."""
    password = f"{USER}:{secrets.token_hex(16)}"
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as created:
        created.write(f"{password}\n")
        created.flush()
        os.fsync(created.fileno())
    return password
