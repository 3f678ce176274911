"""Open a connection for untrusted SQL, which can read one edition and nothing else.

SQL has no access to other files, the network, Python variables or environment variables, and it cannot change the
settings. DuckDB always allows access to the open database file, its write-ahead log and the spill folder. Run only
statements that `require_select` returns, since these do not write to them.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from flows.errors import QueryError
from flows.warehouse.database import Config, connect
from flows.warehouse.manifest_model import DATABASE

_SPILL_DIVISOR = 2  # a query may use half of the free space for temporary files


@contextmanager
def open_sandbox(edition: Path, seconds: float = 0) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the database of an edition for untrusted SQL. A statement is stopped after `seconds`; 0 means no limit.

    Data that does not fit into memory spills to the `private_folder` of the connection, which is removed at the end.
    """
    with (
        _temporary_folder() as folder,
        connect({}, Path(folder), edition / DATABASE) as connection,
    ):
        for name, value in _sandbox_settings(folder, seconds).items():
            connection.execute(f"SET {name} = $value", {"value": value})
        connection.execute("SET lock_configuration = true")
        yield connection


def _temporary_folder() -> TemporaryDirectory[str]:
    """Create a private folder, which is removed at the end of a with block; raise QueryError if that fails."""
    try:
        return TemporaryDirectory(prefix="broadsheet-", ignore_cleanup_errors=True)
    except OSError as error:
        raise QueryError(
            f"Cannot create a temporary folder ({error.strerror}). Set TMPDIR to a folder that this user can write to."
        ) from None


def private_folder(connection: duckdb.DuckDBPyConnection) -> Path:
    """Return the folder of a sandboxed connection, which is removed when the connection is closed."""
    ((folder,),) = connection.execute("SELECT current_setting('home_directory')").fetchall()
    return Path(folder)


def _sandbox_settings(folder: str, seconds: float) -> Config:
    """Return the settings of a sandboxed connection in order: paths cannot be set after the last one."""
    return {
        "home_directory": folder,
        "secret_directory": f"{folder}/secrets",
        "extension_directories": [f"{folder}/extensions"],
        "allow_persistent_secrets": False,
        "allow_community_extensions": False,
        "http_proxy": "",  # the default is the environment's proxy, which may contain a password
        "http_proxy_username": "",
        "http_proxy_password": "",
        "python_enable_replacements": False,
        "max_temp_directory_size": f"{shutil.disk_usage(folder).free // _SPILL_DIVISOR}B",
        "max_execution_time": int(seconds * 1000),
        "enable_external_access": False,
    }
