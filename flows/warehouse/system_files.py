"""Recognize files that file systems and desktops create, which readers of a warehouse ignore."""

import re

_SYSTEM_NAMES = re.compile(
    r"lost\+found|@eaDir|#recycle|#snapshot|\$RECYCLE\.BIN|System Volume Information|Thumbs\.db|desktop\.ini"
    r"|\.(_.*|nfs.*|Trash.*|snapshots?|zfs|DS_Store|fseventsd|Spotlight-V100)"
)
_READ_SUFFIXES = (".wal", ".parquet", ".duckdb")  # DuckDB replays them, or readers of a folder treat them as data


def is_system_file(name: str) -> bool:
    """Return whether a file or folder with this name is a system file that is not read with an edition."""
    return bool(_SYSTEM_NAMES.fullmatch(name)) and not name.endswith(_READ_SUFFIXES)
