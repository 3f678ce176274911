"""Check the path of a warehouse: DuckDB cannot open every path."""

import os
import re
from pathlib import Path

from flows.errors import WarehousePathError
from flows.warehouse.pointer import EDITIONS

# DuckDB takes \ for / and ? for the end of a path; to it and to Arrow, a path is UTF-8. All else is escaped or quoted.
_REFUSED = re.compile("[\0?\\\\\udc80-\udcff]")


def require_path(warehouse: Path, named_by: str = "--warehouse") -> None:
    """Raise WarehousePathError if DuckDB cannot open files of a warehouse, as named or with its links resolved."""
    _require(str(warehouse.absolute()), named_by)
    for path in (warehouse, warehouse / EDITIONS):
        _require(os.path.realpath(path), named_by)


def _require(path: str, named_by: str) -> None:
    found = _REFUSED.search(path)
    if found:
        byte = ord(found[0]) - 0xDC00
        what = f"the byte 0x{byte:02X}, which is not UTF-8," if byte > 0 else f"the character {found[0]}"
        shown = path.encode(errors="surrogateescape").decode(errors="backslashreplace")
        raise WarehousePathError(
            f"The path of the warehouse, {shown}, has {what} and DuckDB cannot open such a path."
            f" Rename that folder, or name another one with {named_by}."
        )
