"""Reject warehouse paths that DuckDB cannot open."""

import os
import re
from pathlib import Path

from flows.errors import WarehousePathError
from flows.warehouse.pointer import EDITIONS

# DuckDB treats \ as / and ? as the end of a path, and DuckDB and Arrow require UTF-8. Other special characters are
# escaped or quoted.
_UNSUPPORTED = re.compile("[\0?\\\\\udc80-\udcff]")


def require_path(warehouse: Path, named_by: str = "--warehouse") -> None:
    """Raise WarehousePathError if DuckDB cannot open the warehouse by its given path or with links resolved."""
    _require(str(warehouse.absolute()), named_by)
    for path in (warehouse, warehouse / EDITIONS):
        _require(os.path.realpath(path), named_by)


def _require(path: str, named_by: str) -> None:
    found = _UNSUPPORTED.search(path)
    if found:
        byte = ord(found[0]) - 0xDC00
        what = f"the byte 0x{byte:02X}, which is not UTF-8" if byte > 0 else f"the character {found[0]}"
        shown = path.encode(errors="surrogateescape").decode(errors="backslashreplace")
        raise WarehousePathError(
            f"The path of the warehouse contains {what}: {shown}. DuckDB cannot open such a path."
            f" Rename the folder, or pass another one with {named_by}."
        )
