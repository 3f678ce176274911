"""Generate the password of the API of `broadsheet up` once, and store it where only this user can read it.

Without a password, every web page in a browser of this machine could start runs, and so could other users.
"""

import os
import re
import secrets
import stat
from pathlib import Path

from flows.cli.output import write_line
from flows.cli.up.processes import translate_write_errors

FILE_NAME = "password"
USER = "broadsheet"
MAX_BYTES = 1000
VALID = re.compile(r"[!-9;-~]{1,100}:[!-~]{8,200}\n?")  # user:password in printable ASCII, without spaces


def api_password(home: Path) -> str:
    """Return the stored `user:password` of the API; generate it if there is none, or if it is unusable."""
    file = home / FILE_NAME
    with translate_write_errors(home):
        try:
            return _read(file)
        except FileNotFoundError:
            return _generate(file)
        except (OSError, ValueError) as error:
            reason = f"could not be read ({error.strerror})" if isinstance(error, OSError) else str(error)
        file.unlink()
        password = _generate(file)
    write_line(f"Generated a new password in {file}: the old file {reason}.")
    return password


def _read(file: Path) -> str:
    """Return the text of the file; raise ValueError if other users could have read it or if it is not a password."""
    with os.fdopen(os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as stream:
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
            raise ValueError("was not a regular file of this user")
        if status.st_mode & 0o077:
            raise ValueError("could be read by other users")
        text = stream.read(MAX_BYTES).decode("ascii", errors="replace")
    if not VALID.fullmatch(text):
        raise ValueError("did not contain user:password")
    return text.strip()


def _generate(file: Path) -> str:
    """Write a new password to a new file, which is private when it is created; an incomplete one is replaced later."""
    password = f"{USER}:{secrets.token_hex(16)}"
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as stream:
        stream.write(f"{password}\n")
        stream.flush()
        os.fsync(stream.fileno())
    return password
