"""Names that file systems and desktops create by themselves, which readers of a warehouse ignore."""

import re

_OF_SYSTEMS = re.compile(
    r"lost\+found|@eaDir|#recycle|#snapshot|\$RECYCLE\.BIN|System Volume Information|Thumbs\.db|desktop\.ini"
    r"|\.(_.*|nfs.*|Trash.*|snapshots?|zfs|DS_Store|fseventsd|Spotlight-V100)"
)
_READ = (".wal", ".parquet", ".duckdb")  # what DuckDB replays, and readers of a whole folder would take for data


def is_of_system(name: str) -> bool:
    """Return whether a file or folder of this name belongs to a system, and readers of editions ignore it."""
    return bool(_OF_SYSTEMS.fullmatch(name)) and not name.endswith(_READ)
