"""The source lists regular, unhidden files with the right endings, whatever their names."""

import os

import pytest

from flows.errors import RunError
from flows.source import list_seed_files, printable, read_seed_file
from flows.source_checks import require_folder
from tests.conftest import Publish, query, seed_file

ENDINGS = (".markdown", ".md", ".mdx", ".txt")


def listed(source) -> list[str]:
    return sorted(file.source_path for file in list_seed_files(source, ENDINGS))


def test_endings_in_any_case_and_folders_within_folders(source):
    (source / "2024" / "11").mkdir(parents=True)
    for name in ("a.md", "b.MD", "c.markdown", "d.mdx", "2024/11/e.txt", "f.html", "g", "md"):
        (source / name).touch()
    assert listed(source) == ["2024/11/e.txt", "a.md", "b.MD", "c.markdown", "d.mdx"]


def test_what_is_no_seed_file(source):
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


def test_a_source_that_is_no_folder(tmp_path):
    with pytest.raises(RunError, match=r"Source folder not found: .*nowhere"):
        require_folder(tmp_path / "nowhere")


def test_a_file_that_cannot_be_read_is_a_row(source, publish: Publish, monkeypatch):
    def denied(*_: object, **__: object) -> bytes:
        raise PermissionError(13, "Permission denied")

    (source / "a.md").write_text(seed_file("A"))
    monkeypatch.setattr("flows.source.read_seed_file", denied)
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


def test_a_folder_that_cannot_be_listed_fails_the_run(source, publish: Publish, monkeypatch):
    def denied(_: object) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("flows.source.os.scandir", denied)
    with pytest.raises(RunError, match="cannot be listed"):
        publish()
