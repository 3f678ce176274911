"""Encode the names of seed files as the tables store them."""

import re

# Bytes of a name that are not UTF-8 are encoded as %80 to %FF, and a % that would look like such a code as %25.
_AMBIGUOUS_PERCENT = re.compile(r"%(?=25|[89A-F][0-9A-F])")
_ESCAPE = re.compile(r"%(25|[89A-F][0-9A-F])")


def printable(path: str) -> str:
    """Return a path as the tables store it, with bytes that are not UTF-8 encoded as %80 to %FF."""
    path = _AMBIGUOUS_PERCENT.sub("%25", path) if "%" in path else path
    if path.isascii():
        return path
    return "".join(f"%{ord(c) - 0xDC00:02X}" if "\udc80" <= c <= "\udcff" else c for c in path)


def file_name(source_path: str) -> bytes:
    """Decode a path that `printable` encoded, and return its bytes."""
    plain, *rest = _ESCAPE.split(source_path)
    name = plain.encode()
    for code, text in zip(rest[::2], rest[1::2], strict=True):
        name += bytes([int(code, 16)]) + text.encode()
    return name
