"""A connection for untrusted SQL: it can read one edition, and nothing else.

It has no access to other files, addresses, variables of this program or its environment, and SQL cannot change its
settings. DuckDB always allows the paths of an open database, of its write-ahead log, and of its spill folder, so run
only statements that `require_question` returns: they write to none of these.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from flows.errors import QueryError
from flows.warehouse.database import DATABASE, Config, connected

_SPILL_SHARE = 2  # a query may take one half of what is free on the disk of temporary files


@contextmanager
def sealed(edition: Path, seconds: float = 0) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the database of an edition for untrusted SQL; a statement ends after `seconds`, 0: without a limit.

    Data that does not fit into memory spills to the connection's own folder (`private_folder`), removed at the end.
    """
    with (
        _temporary_folder() as folder,
        connected({}, Path(folder), edition / DATABASE) as connection,
    ):
        for name, value in _sealing(folder, seconds).items():
            connection.execute(f"SET {name} = $value", {"value": value})
        connection.execute("SET lock_configuration = true")
        yield connection


def _temporary_folder() -> TemporaryDirectory[str]:
    """Yield a private folder, removed at the end of the block; raise QueryError if it cannot be created."""
    try:
        return TemporaryDirectory(prefix="broadsheet-", ignore_cleanup_errors=True)
    except OSError as error:
        raise QueryError(
            f"No temporary folder can be made ({error.strerror}). Set TMPDIR to a folder to which this user can write."
        ) from None


def private_folder(connection: duckdb.DuckDBPyConnection) -> Path:
    """Return the folder of a sealed connection, which is removed when the connection is closed."""
    ((folder,),) = connection.execute("SELECT current_setting('home_directory')").fetchall()
    return Path(folder)


def _sealing(folder: str, seconds: float) -> Config:
    """Return the settings that seal a connection, in order: after the last one, paths can no longer be set."""
    return {
        "home_directory": folder,
        "secret_directory": f"{folder}/secrets",
        "extension_directories": [f"{folder}/extensions"],
        "allow_persistent_secrets": False,
        "allow_community_extensions": False,
        "http_proxy": "",  # by default that of the environment, which may hold a password
        "http_proxy_username": "",
        "http_proxy_password": "",
        "python_enable_replacements": False,
        "max_temp_directory_size": f"{shutil.disk_usage(folder).free // _SPILL_SHARE}B",
        "max_execution_time": int(seconds * 1000),
        "enable_external_access": False,
    }
