"""The source lists regular, unhidden files with the right endings, whatever their names, times and surroundings."""

import os
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from flows.cli.main import main
from flows.errors import ConfigurationError, RunError, SourceEmptyError, SourceNotFoundError, WithdrawalsError
from flows.source.checks import require_folder
from flows.source.file_names import printable
from flows.source.listing import list_seed_files, read_seed_file
from tests.conftest import Publish, query, seed_file

ENDINGS = (".markdown", ".md", ".mdx", ".txt")


def listed(source) -> list[str]:
    return sorted(file.source_path for file in list_seed_files(source, ENDINGS))


def test_endings_in_any_case_and_folders_within_folders(source):
    (source / "2024" / "11").mkdir(parents=True)
    for name in ("a.md", "b.MD", "c.markdown", "d.mdx", "2024/11/e.txt", "f.html", "g", "md"):
        (source / name).touch()
    assert listed(source) == ["2024/11/e.txt", "a.md", "b.MD", "c.markdown", "d.mdx"]


def test_other_files_are_not_seed_files(source):
    (source / ".hidden.md").touch()
    (source / ".git").mkdir()
    (source / ".git" / "a.md").touch()
    (source / "folder.md").mkdir()
    (source / "photo.jpg").symlink_to("nowhere")
    (source / "LICENSE").symlink_to(".hidden.md")
    os.mkfifo(source / "pipe.md")
    assert listed(source) == []


def test_size_and_time_are_those_of_the_file(source):
    (source / "a.md").write_text("four")
    os.utime(source / "a.md", ns=(1, 1_700_000_000_000_000_001))
    (file,) = list_seed_files(source, ENDINGS)
    assert (file.size, file.mtime_ns) == (4, 1_700_000_000_000_000_001)


@pytest.mark.parametrize(
    "name", [b"caf\xe9.md", b"caf%E9.md", b"caf%25E9.md", b"100%.md", b"a%20b.md", "日本 ’.md".encode(), b"a\nb'\".md"]
)
def test_any_name_is_read_back(source, name):
    path = os.path.join(os.fsencode(source), name)
    with open(path, "wb") as file:
        file.write(name)
    (seed,) = list_seed_files(source, ENDINGS)
    seed.source_path.encode()
    assert read_seed_file(source, seed.source_path) == name


def test_names_that_are_no_utf_8_stay_apart():
    names = [b"caf\xe9", b"caf%E9", b"caf%25E9", b"caf%2525E9"]
    assert [printable(os.fsdecode(name)) for name in names] == ["caf%E9", "caf%25E9", "caf%2525E9", "caf%252525E9"]


def test_a_source_that_is_not_a_folder_is_refused(tmp_path):
    with pytest.raises(RunError, match=r"Source folder not found: .*nowhere"):
        require_folder(tmp_path / "nowhere")


def test_a_file_that_cannot_be_read_is_a_row(source, publish: Publish, monkeypatch):
    def denied(*_: object, **__: object) -> bytes:
        raise PermissionError(13, "Permission denied")

    (source / "a.md").write_text(seed_file("A"))
    monkeypatch.setattr("flows.source.listing.read_seed_file", denied)
    edition = publish().folder
    assert query(edition, "SELECT status, content_hash FROM sources") == [("rejected", None)]
    assert query(edition, "SELECT code, message FROM problems") == [
        ("unreadable", "The file cannot be read: Permission denied.")
    ]


def test_a_file_that_is_too_large_is_a_row(source, publish: Publish):
    with (source / "a.md").open("wb") as file:
        file.write(seed_file("A").encode())
        file.truncate(20_000_000)
    edition = publish().folder
    assert query(edition, "SELECT status, size, content_hash FROM sources") == [("rejected", 20_000_000, None)]
    assert query(edition, "SELECT code, message FROM problems") == [
        ("too_large", "The file has 20,000,000 bytes, more than 2,000,000."),
    ]  # fmt: skip


@pytest.mark.parametrize("second", [2**40, 10**10, 2**33, -1, -(2**31), -(2**40)])
def test_times_of_every_kind_are_listed_and_published(tmp_path, publish: Publish, second):
    """A disk keeps what it can: one in memory has these times as they are, others their nearest."""
    memory = Path("/dev/shm")
    with TemporaryDirectory(dir=memory if memory.is_dir() else tmp_path) as name:
        source = Path(name)
        (source / "a.md").write_text(seed_file("A"))
        os.utime(source / "a.md", ns=(0, second * 10**9))
        (source / "link.md").symlink_to("a.md")
        kept = min(max((source / "a.md").stat().st_mtime_ns, -(2**63)), 2**63 - 1)
        edition = publish(source=source).folder
        assert query(edition, "SELECT source_path, mtime_ns FROM sources ORDER BY 1") == [
            ("a.md", kept),
            ("link.md", kept),
        ]
        assert publish(source=source).edition is None


def test_sparse_files_of_terabytes_need_no_room(source, publish: Publish):
    (source / "a.md").write_text(seed_file("A"))
    for name in ("b.md", "c.md"):
        with (source / name).open("wb") as file:
            file.truncate(2**43)
    edition = publish().folder
    assert query(edition, "SELECT source_path, size, status FROM sources WHERE status = 'rejected' ORDER BY 1") == [
        ("b.md", 2**43, "rejected"), ("c.md", 2**43, "rejected"),
    ]  # fmt: skip


def test_a_source_that_is_a_file(source):
    (source / "a.md").write_text(seed_file("A"))
    with pytest.raises(SourceNotFoundError, match=r"^Source folder is not a folder: .*/a\.md\. Pass an"):
        require_folder(source / "a.md")
    with pytest.raises(SourceNotFoundError, match=r"^Source folder not found: .*/a\.md/below\. Pass an"):
        require_folder(source / "a.md" / "below")


@pytest.mark.parametrize("value", ["", "  "])
@pytest.mark.parametrize("name", ["SOURCE", "WAREHOUSE", "DATA"])
def test_an_empty_setting_is_not_the_current_folder(source, tmp_path, monkeypatch, capsys, name, value):
    monkeypatch.chdir(source)
    (source / "a.md").write_text(seed_file("A"))
    monkeypatch.setenv("BROADSHEET_SOURCE", str(source))
    monkeypatch.setenv(f"BROADSHEET_{name}", value)
    assert main(["run"]) == 2
    assert capsys.readouterr().err == (
        f"broadsheet: BROADSHEET_{name}: the path is empty. Pass a folder, or omit the setting.\n"
    )
    assert [entry.name for entry in source.iterdir()] == ["a.md"]


def test_a_first_run_without_seed_files_publishes_nothing(source, warehouse, publish: Publish):
    extensions = "Expected names that end in .markdown, .md, .mdx, .txt."
    remedy = "Check that the disk is mounted, pass another source with --source, or set BROADSHEET_EXTENSIONS."
    with pytest.raises(SourceEmptyError) as empty:
        publish()
    assert str(empty.value) == f"No seed files found in {source}. {extensions} It is empty. {remedy}"
    (source / "images").mkdir()
    for number in range(9):
        (source / f"page{number}.html").touch()
    with pytest.raises(SourceEmptyError) as others:
        publish()
    shown = "It contains images/, page0.html, page1.html, page2.html, page3.html and more."
    assert str(others.value) == f"No seed files found in {source}. {extensions} {shown} {remedy}"
    assert not (warehouse / "current").exists()
    (source / "a.md").write_text(seed_file("A"))
    assert publish().edition.articles == 1
    (source / "a.md").unlink()
    with pytest.raises(WithdrawalsError):
        publish()
    assert publish(allow_withdrawals=True).edition.articles == 0


def test_a_warehouse_inside_the_source_is_skipped(source, publish: Publish):
    (source / "a.md").write_text(seed_file("A"))
    inside = {"warehouse": source / "sub" / "warehouse", "extensions": (".md", ".html", ".json")}
    edition = publish(**inside).folder
    (source / "sub" / "warehouse" / "editions" / "notes.md").write_text(seed_file("B"))
    (source / "sub" / "warehouse-notes.md").write_text(seed_file("C"))
    edition = publish(**inside).folder
    assert query(edition, "SELECT source_path FROM sources ORDER BY 1") == [("a.md",), ("sub/warehouse-notes.md",)]


def test_a_source_inside_the_warehouse_is_refused(warehouse, publish: Publish):
    source = warehouse / "articles"
    source.mkdir(parents=True)
    (warehouse / "editions").mkdir()
    (source / "a.md").write_text(seed_file("A"))
    for inside in (source, warehouse):
        with pytest.raises(ConfigurationError, match=r"^The source .* is inside the warehouse .*--warehouse\.$"):
            publish(source=inside)
    assert not (warehouse / "current").exists()
