"""A run limits its memory, and uses more of it if an edition needs more."""

import errno
import os
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.cli.main import main
from flows.errors import OutOfMemoryError
from flows.pipeline import verify
from flows.pipeline.memory import translate_memory_errors
from flows.pipeline.run import publish_edition
from flows.schema import ARTICLES
from flows.settings import Settings
from flows.warehouse import database, ledger, parquet
from flows.warehouse.arrow import arrow_schema
from tests.conftest import Publish, rows_of, seed_file
from tests.runners import Replacing


def test_work_that_runs_out_of_memory_is_repeated_with_more(demo, monkeypatch):
    monkeypatch.setattr(database, "MIN_MEMORY", 5_000_000)
    limits = []

    def join_long_texts(config: database.Config) -> object:
        limits.append(config.get("memory_limit"))
        with database.connect(config) as connection:
            return connection.execute("SELECT length(string_agg(repeat('x', 1000), '')) FROM range(50_000)").fetchone()

    assert database.with_retry(demo, join_long_texts) == (50_000_000,)
    assert limits == [f"{database.memory_limit(demo)}B", None]  # then the default: that of the machine or container


def refuse_python() -> None:
    bytearray(1 << 46)


def refuse_arrow() -> None:
    pa.allocate_buffer(1 << 46)


def refuse_duckdb() -> None:
    with database.connect({"memory_limit": "2MB", "temp_directory": ""}) as connection:
        connection.execute("SELECT count(DISTINCT random()) FROM range(5_000_000)").fetchone()


def refuse_kernel() -> None:
    raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))


@pytest.mark.parametrize("refuse", [refuse_python, refuse_arrow, refuse_duckdb, refuse_kernel])
def test_a_run_out_of_memory_says_what_to_do(source, warehouse, refuse):
    (source / "a.md").write_text(seed_file("A"))
    runner = Replacing(check=lambda *_: refuse())
    with pytest.raises(OutOfMemoryError, match=r"^The process ran out of memory \(.*\)\. Set BROADSHEET_PROCESSES=1, "):
        publish_edition(Settings(source=source, warehouse=warehouse), runner)
    assert not (warehouse / "current").exists()
    assert not (warehouse / ".staging").exists()


def test_a_command_out_of_memory_says_what_to_do(monkeypatch, capsys):
    monkeypatch.setattr(verify, "verify_edition", lambda _: refuse_python())
    assert main(["verify"]) == 1
    assert capsys.readouterr().err.startswith(
        "broadsheet: The process ran out of memory (MemoryError). Set BROADSHEET_"
    )


def test_other_errors_are_not_translated_to_out_of_memory():
    with pytest.raises(OSError, match="No space"), translate_memory_errors():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_the_limit_depends_on_the_longest_articles_not_on_their_number(source, publish: Publish):
    (source / "long.md").write_text(seed_file("LONG", body="word " * 100_000))
    few = database.memory_limit(publish().folder)
    for number in range(5_000):
        (source / f"{number}.md").write_text(seed_file(f"A{number}"))
    many = database.memory_limit(publish().folder)
    assert 1_000_000 < few - database.MIN_MEMORY < many - database.MIN_MEMORY < 3_000_000


def test_an_edition_is_the_same_if_the_first_limit_was_too_low(source, publish: Publish, monkeypatch, tmp_path):
    for number in range(2_500):
        (source / f"{number}.md").write_text(seed_file(f"A{number}", body="Long ago. " * 300))
    publish()
    for number in range(2_500):
        (source / f"{number}.md").write_text(seed_file(f"A{number}", body="Not so long ago. " * 300))
    plain = publish(warehouse=tmp_path / "plain").folder
    monkeypatch.setattr(database, "MIN_MEMORY", 1_000_000)
    assert rows_of(publish().folder) == rows_of(plain)


def test_the_ledger_of_a_large_first_edition_takes_little_memory(tmp_path):
    """Compare 40,000 articles of 3 KB, which do not fit into memory in a single query."""
    edition, count = tmp_path / "20261124T120000Z", 40_000
    given = {
        "article_id": pa.array([f"ART{number:015}" for number in range(count)]),
        "body": pa.array([f"{number} " * 500 for number in range(count)]),
    }
    empty = {pa.string(): "", pa.int32(): 0}
    shape = arrow_schema(ARTICLES)
    columns = [
        given.get(
            field.name, pa.nulls(count, field.type) if field.nullable else pa.repeat(empty.get(field.type), count)
        )
        for field in shape
    ]
    file = parquet.month_file(edition, ARTICLES, None)
    file.parent.mkdir(parents=True)
    pq.write_table(pa.Table.from_arrays(columns, schema=shape), file, row_group_size=parquet.TEXT_ROW_GROUP_SIZE)
    with database.build_database(edition, None, {"memory_limit": "80MB"}) as connection:
        gained = ledger.find_changes(connection, edition, None, None, datetime(2026, 11, 24, tzinfo=UTC))
        assert sum(rows.num_rows for rows in gained) == count


def test_duckdb_spills_into_the_staging_folder(source, warehouse, publish: Publish, monkeypatch):
    """So the next run removes the files that a killed run spilled."""
    (source / "a.md").write_text(seed_file("A"))
    connect, folders = duckdb.connect, []

    def record(*arguments, config, **named):
        folders.append(Path(config["temp_directory"]))
        return connect(*arguments, config=config, **named)

    monkeypatch.setattr(duckdb, "connect", record)
    publish()
    assert {folder.parent for folder in folders} == {warehouse / "editions" / ".staging"}
    assert len(set(folders)) == len(folders) == 3  # for the database, the front page and the checks
