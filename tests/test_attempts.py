"""Refuse queries that read outside the edition, write, or change anything."""

import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.attempts import ANSWERED, REFUSED
from tests.test_query import run_query

CANARY = "sesame-8d1f"


class Sandbox:
    """An edition, a folder of secrets and a home, which queries must not change; the environment has secrets as well."""

    def __init__(self, folder: Path, demo: Path) -> None:
        shutil.copytree(demo.parents[1], folder / "warehouse", symlinks=True)
        self.folder, self.edition = folder, folder / "warehouse" / "editions" / demo.name
        for name in ("canary", "home", "spill"):
            (folder / name).mkdir()
        canary = folder / "canary"
        (canary / "secret.csv").write_text(f"word\n{CANARY}\n")
        (canary / "secret.txt").write_text(CANARY)
        (canary / "secret.json").write_text(f'{{"word": "{CANARY}"}}\n')
        with duckdb.connect(canary / "secret.duckdb") as connection:
            connection.execute(f"CREATE TABLE secret AS SELECT '{CANARY}' AS word")
            connection.execute(f"COPY secret TO '{canary}/secret.parquet'")

    def fill_paths(self, sql: str) -> str:
        """Return a query with the paths of the sandbox."""
        folders = {name: self.folder / name for name in ("canary", "spill")}
        return sql.format(edition=self.edition, database=self.edition / "broadsheet.duckdb", **folders)

    def file_stats(self) -> dict[str, tuple[int, ...]]:
        """Return the metadata of each file and folder, which shows every write, replacement, removal and addition."""
        found = {file: file.lstat() for file in sorted([self.folder, *self.folder.rglob("*")])}
        spill = self.folder / "spill"  # DuckDB may create and remove temporary files there
        return {
            str(file): (at.st_mode, at.st_ino, at.st_size, *([] if file == spill else [at.st_mtime_ns, at.st_ctime_ns]))
            for file, at in found.items()
        }

    def bytes(self) -> dict[str, str]:
        return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in self.folder.rglob("*") if file.is_file()}  # fmt: skip


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory, demo: Path) -> Iterator[Sandbox]:
    sandbox = Sandbox(tmp_path_factory.mktemp("attempts"), demo)
    variables = {
        "SECRET": CANARY,
        "AWS_SECRET_ACCESS_KEY": CANARY,
        "HTTP_PROXY": f"http://user:{CANARY}@127.0.0.1:9",
        "HOME": str(sandbox.folder / "home"),
        "TMPDIR": str(sandbox.folder / "spill"),
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        patch.setattr("tempfile.tempdir", None)
        patch.chdir(sandbox.folder / "canary")
        before = sandbox.bytes()
        yield sandbox
        assert sandbox.bytes() == before


@pytest.mark.parametrize("sql", REFUSED)
def test_an_attempt_is_refused(sandbox, sql):
    before, variables = sandbox.file_stats(), dict(os.environ)
    done = run_query(sandbox.edition, sandbox.fill_paths(sql), "--timeout", 5)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(("broadsheet: Query failed: ", "broadsheet: A query "))
    assert done.stderr.count("\n") == 1
    assert "longer than" not in done.stderr
    assert CANARY not in done.stderr
    assert sandbox.file_stats() == before
    assert dict(os.environ) == variables


@pytest.mark.parametrize("sql", ANSWERED)
def test_a_result_reveals_nothing_about_this_machine(sandbox, sql):
    before = sandbox.file_stats()
    done = run_query(sandbox.edition, sandbox.fill_paths(sql), "--format", "csv")
    assert (done.returncode, done.stderr) == (0, "")
    assert CANARY not in done.stdout
    assert str(sandbox.folder / "home") not in done.stdout
    assert sandbox.file_stats() == before


def test_there_are_more_than_a_hundred_attempts():
    assert len({*REFUSED, *ANSWERED}) > 100
