"""Editions on disk: months are shared, old ones retire, any kept one can be gone back to, a mass withdrawal is refused."""

import errno
import os
from datetime import datetime, timedelta, tzinfo

import pytest

from flows.errors import RunError
from flows.warehouse import pointer
from flows.warehouse.editions import edition_time, list_editions, retire
from flows.warehouse.manifest import wrong_files
from tests.conftest import Publish, query, rows_of, run_broadsheet, seed_file

OCTOBER, NOVEMBER = "articles/2026-10/articles.parquet", "articles/2026-11/articles.parquet"


class Later(datetime):
    """A clock that is ahead of every edition."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:
        return datetime(2999, 1, 1, tzinfo=tz)


@pytest.fixture
def two_months(source):
    (source / "A.md").write_text(seed_file("A", date="2026-10-01"))
    (source / "B.md").write_text(seed_file("B", date="2026-11-01"))
    return source


def test_only_the_months_that_changed_are_written(two_months, publish: Publish):
    first = publish().folder
    (two_months / "B.md").write_text(seed_file("B", title="Another", date="2026-11-01"))
    second = publish().folder
    assert (second / OCTOBER).samefile(first / OCTOBER)
    assert not (second / NOVEMBER).samefile(first / NOVEMBER)
    assert query(second, "SELECT article_id, title FROM articles ORDER BY 1") == [("A", "A title"), ("B", "Another")]


def test_where_there_are_no_hard_links_months_are_copied(two_months, publish: Publish, monkeypatch):
    first = publish().folder
    (two_months / "B.md").unlink()
    monkeypatch.setattr("pathlib.Path.hardlink_to", lambda *_: (_ for _ in ()).throw(OSError(95, "Not supported")))
    second = publish().folder
    assert (second / OCTOBER).read_bytes() == (first / OCTOBER).read_bytes()
    assert (second / OCTOBER).stat().st_mode & 0o777 == 0o444
    assert not (second / NOVEMBER).exists()


def test_an_article_that_moves_to_another_month_leaves_no_trace(two_months, publish: Publish):
    publish()
    (two_months / "A.md").write_text(seed_file("A", date="2026-11-02"))
    second = publish().folder
    assert not (second / OCTOBER).exists()
    assert query(second, "SELECT article_id, published_month FROM articles ORDER BY 1") == [
        ("A", "2026-11"),
        ("B", "2026-11"),
    ]


def test_the_database_is_a_copy_that_is_built_anew_when_it_has_grown(two_months, publish: Publish, monkeypatch):
    for number in range(20):
        (two_months / f"{number}.md").write_text(seed_file(f"N{number}", date="2026-09-01"))
    publish()
    copies = []
    monkeypatch.setattr(
        "flows.warehouse.database.shutil.copyfile", lambda *paths: copies.append(paths) or os.link(*paths)
    )
    monkeypatch.setattr("flows.warehouse.database.MAX_COPY_GROWTH", 0.5)
    (two_months / "A.md").write_text(seed_file("A", title="Another", date="2026-10-01"))
    assert publish().edition
    assert copies == []


def test_a_touched_file_is_read_once_more_only(two_months, publish: Publish, monkeypatch):
    for file in two_months.iterdir():
        os.utime(file, (1_000_000_000, 1_000_000_000))
    publish()
    os.utime(two_months / "A.md", (1_000_000_001, 1_000_000_001))
    read = []
    from flows.source import listing

    reading = listing.read_seed_file
    monkeypatch.setattr(
        listing, "read_seed_file", lambda source, path, **given: read.append(path) or reading(source, path, **given)
    )
    for _ in range(3):
        assert publish().edition is None
    assert read == ["A.md"]


def test_a_change_that_shows_in_neither_size_nor_time_is_found_by_verify_content(two_months, publish: Publish):
    times = (1_000_000_000, 1_000_000_000)
    for file in two_months.iterdir():
        os.utime(file, times)
    publish()
    (two_months / "A.md").write_text(seed_file("A", title="B title", date="2026-10-01"))
    os.utime(two_months / "A.md", times)
    assert publish().edition is None
    assert publish(verify_content=True).edition
    assert publish(verify_content=True).edition is None


def test_a_change_in_the_tick_of_the_listing_is_found(two_months, publish: Publish):
    publish()
    facts = (two_months / "A.md").stat()
    (two_months / "A.md").write_text(seed_file("A", title="B title", date="2026-10-01"))
    os.utime(two_months / "A.md", ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert publish().edition


def test_old_editions_retire_after_their_successors_time(two_months, warehouse, publish: Publish):
    ids = [publish(rebuild=True).folder.name for _ in range(5)]
    last = edition_time(ids[-1])
    assert retire(warehouse, 2, 6, last + timedelta(hours=5)) == []
    successor = edition_time(ids[1])
    assert retire(warehouse, 2, 6, successor + timedelta(hours=6)) == ids[:1]
    assert [edition.name for edition in list_editions(warehouse)] == ids[1:]
    assert run_broadsheet("rollback", ids[2], "--warehouse", warehouse).returncode == 0
    assert retire(warehouse, 1, 0, last + timedelta(hours=1)) == [ids[1], ids[3]]
    assert query(warehouse / "current", "SELECT max(edition_id) FROM editions") == [(ids[2],)]


def test_a_file_that_a_network_disk_keeps_for_a_reader_fails_no_run(
    two_months, warehouse, publish: Publish, monkeypatch
):
    """There a folder with a file that is open cannot be removed, and the edition is published already."""
    publish()
    (two_months / "B.md").unlink()
    remove = os.rmdir

    def not_empty(path, **named):
        if "discarded" in str(path):
            raise OSError(errno.ENOTEMPTY, "Directory not empty", str(path))
        remove(path, **named)

    monkeypatch.setattr(os, "rmdir", not_empty)
    report = publish(keep_editions=1, keep_hours=0)
    assert [folder.name for folder in list_editions(warehouse)] == [report.folder.name]


def test_a_run_retires_what_is_too_old(two_months, warehouse, publish: Publish, monkeypatch):
    ids = [publish(rebuild=True).folder.name for _ in range(3)]
    for module in ("pipeline.extract", "warehouse.local_storage"):
        monkeypatch.setattr(f"flows.{module}.datetime", Later)
    ids.append(publish(rebuild=True, keep_editions=2).folder.name)
    assert ids[3] == "29990101T000000Z"
    assert [edition.name for edition in list_editions(warehouse)] == ids[2:]
    assert query(warehouse / "current", "SELECT edition_id FROM editions") == [(name,) for name in ids]


def test_rollback_and_the_next_run(two_months, warehouse, publish: Publish):
    first = publish().folder
    (two_months / "A.md").write_text(seed_file("A", title="Wrong", date="2026-10-01"))
    second = publish().folder
    listed = run_broadsheet("editions", "--warehouse", warehouse).stdout
    assert [line.split()[0] for line in listed.splitlines()] == ["edition", "*", first.name]
    done = run_broadsheet("rollback", first.name, "--warehouse", warehouse)
    assert (done.returncode, (warehouse / "current").resolve()) == (0, first)
    third = publish().folder
    assert rows_of(third) == rows_of(second)
    assert query(third, "SELECT edition_id FROM editions") == [(first.name,), (third.name,)]
    unknown = run_broadsheet("rollback", "20000101T000000Z", "--warehouse", warehouse)
    assert unknown.returncode == 1
    assert unknown.stderr.startswith("broadsheet: Edition not found in ")


def test_a_current_edition_that_is_missing_is_said(two_months, warehouse, publish: Publish):
    folder = publish().folder
    folder.rename(folder.with_name("lost"))
    with pytest.raises(RunError, match=f"The edition {folder.name} is missing"):
        publish()


def test_a_mass_withdrawal_is_refused(source, publish: Publish):
    for code in "ABCDE":
        (source / f"{code}.md").write_text(seed_file(code))
    first = publish().folder
    for code in "ABC":
        (source / f"{code}.md").unlink()
    with pytest.raises(RunError, match="3 of 5 published articles would be withdrawn"):
        publish()
    assert publish(allow_withdrawals=True).folder != first


def test_withdrawn_articles_and_corrections_are_views(source, publish: Publish):
    for code in "ABCDE":
        (source / f"{code}.md").write_text(seed_file(code))
    publish()
    (source / "A.md").write_text(seed_file("A", title="Better"))
    (source / "B.md").write_text(seed_file("B", title="Worse"))
    second = publish().folder.name
    (source / "B.md").unlink()
    third = publish().folder
    assert query(third, "SELECT edition_id, article_id, title, field, old_value, new_value FROM corrections") == [
        (second, "A", "Better", "title", "A title", "Better"),
        (second, "B", "Worse", "title", "A title", "Worse"),
    ]
    found = query(
        third, "SELECT article_id, title, category, published_on::VARCHAR, edition_id FROM withdrawn_articles"
    )
    assert found == [("B", "Worse", "WORLD", "2026-10-24", third.name)]
    (source / "B.md").write_text(seed_file("B", title="Back"))
    fourth = publish().folder
    assert query(fourth, "FROM withdrawn_articles") == []
    assert query(fourth, "SELECT change FROM changes WHERE edition_id = '" + fourth.name + "'") == [("restored",)]


def test_an_edition_whose_pointer_cannot_be_swapped_in_is_none(seeds, warehouse, publish: Publish, monkeypatch):
    """It was moved to its place before: a later run would take it for one that was published."""

    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(pointer, "swap", fail)
        with pytest.raises(RunError, match="Input/output error"):
            publish()
    assert list((warehouse / "editions").iterdir()) == []
    assert publish().folder == (warehouse / "current").resolve()


@pytest.mark.parametrize("name", ["@eaDir", ".DS_Store", "._front_page.html", "Thumbs.db", ".nfs000001"])
def test_what_a_system_puts_beside_the_files_of_an_edition_is_left_alone(seeds, warehouse, publish: Publish, name):
    edition = publish().folder
    place = edition / "articles" / name
    if name == "@eaDir":
        place.mkdir()
        (place / "thumbnail.jpg").write_bytes(b"")
    else:
        place.write_bytes(b"")
    next(seeds.glob("*KQ7ZN2.md")).unlink()
    after = publish()
    assert after.edition
    assert wrong_files(edition) == []
