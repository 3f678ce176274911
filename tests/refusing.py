"""Run Broadsheet's commands in a process in which the kernel refuses system calls, as some file systems do.

python -m tests.refusing ERROR CALLS run --source … , query …

Commands are separated by commas; the first one that fails is the last. The exit code is that of the last command.
"""

import ctypes
import errno
import platform
import sys
from itertools import groupby

# Numbers on x86-64, and on 64-bit ARM, which has fewer calls.
CALLS = {
    "x86_64": {"chmod": (90, 91, 268, 452), "link": (86, 265), "symlink": (88, 266), "fsync": (74, 75), "flock": (73,)},
    "aarch64": {"chmod": (52, 53, 452), "link": (37,), "symlink": (36,), "fsync": (82, 83), "flock": (32,)},
}
SET_NO_NEW_PRIVILEGES, SET_SECCOMP, FILTER = 38, 22, 2
LOAD, IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, ANSWER = 0x7FFF0000, 0x00050000
CAPABILITY_VERSION = 0x20080522


class Instruction(ctypes.Structure):
    """struct sock_filter."""

    _fields_ = (("code", ctypes.c_ushort), ("jt", ctypes.c_ubyte), ("jf", ctypes.c_ubyte), ("k", ctypes.c_uint32))


class Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("first", ctypes.POINTER(Instruction)))


def refuse(calls: list[str], error: int) -> None:
    """Make system calls of this thread, and of threads and processes that it starts, fail with an error."""
    numbers = [number for call in calls for number in CALLS[platform.machine()][call]]
    steps = [Instruction(LOAD, 0, 0, 0)]
    for number in numbers:
        steps += [Instruction(IF_EQUAL, 0, 1, number), Instruction(RETURN, 0, 0, ANSWER | error)]
    steps.append(Instruction(RETURN, 0, 0, ALLOW))
    program = Program(len(steps), (Instruction * len(steps))(*steps))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(SET_NO_NEW_PRIVILEGES, 1, 0, 0, 0) == 0
    assert libc.prctl(SET_SECCOMP, FILTER, ctypes.byref(program), 0, 0) == 0, errno.errorcode[ctypes.get_errno()]


def drop_privileges() -> None:
    """Drop root's capabilities, so that file modes apply to root as to any user."""
    libc = ctypes.CDLL(None, use_errno=True)
    header, nothing = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0), (ctypes.c_uint32 * 6)()
    assert libc.capset(header, nothing) == 0, errno.errorcode[ctypes.get_errno()]


def main(error: str, calls: str, *arguments: str) -> int:
    drop_privileges()
    if calls:
        refuse(calls.split(","), getattr(errno, error))
    from flows.cli.main import main

    code = 0
    for is_comma, command in groupby(arguments, ",".__eq__):
        code = code if is_comma or code else main(list(command))
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
