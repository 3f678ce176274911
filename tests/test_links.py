"""A symbolic link is read where its target may be read, and is a row that says why where it may not."""

import os
from pathlib import Path

from flows.cli.main import main
from flows.pipeline.plan import MIN_BATCH_FILES
from flows.pipeline.verify import verify_edition
from flows.settings import Settings
from tests.conftest import FOREIGN, Publish, query, seed_file


def problems(edition: Path) -> dict[str, str]:
    """The message of each rejected file, all of which have a row that says that they are rejected."""
    rows = query(edition, "SELECT source_path, status, message FROM sources LEFT JOIN problems USING (source_path)")
    return {path: message for path, status, message in rows if status == "rejected"}


def point(link: Path, target: object) -> None:
    """Let a link lead elsewhere, in one step, as kubelet does it."""
    aside = link.with_name(f".{link.name}.new")
    aside.symlink_to(str(target))
    aside.replace(link)


def mount_config_map(source: Path, folder: str, title: str, mtime: int) -> None:
    """Lay files out as kubelet does: a separate folder, and links of two steps to its files."""
    (source / folder).mkdir()
    (source / folder / "a.md").write_text(seed_file("A", title=title))
    os.utime(source / folder / "a.md", (mtime, mtime))
    point(source / "..data", folder)
    if not (source / "a.md").is_symlink():
        (source / "a.md").symlink_to("..data/a.md")


def test_a_config_map_is_read_and_its_update_is_noticed(source, publish: Publish):
    """The new file has the old one's size, and is older."""
    mount_config_map(source, "..2026_11_25", "Old title", 1_700_000_000)
    first = publish()
    assert query(first.folder, "SELECT source_path, size, mtime_ns, status FROM sources") == [
        ("a.md", (source / "a.md").stat().st_size, 1_700_000_000_000_000_000, "published")
    ]
    mount_config_map(source, "..2026_11_26", "New title", 1_600_000_000)
    second = publish()
    assert second.edition.corrected == 1
    assert query(second.folder, "SELECT article_id, title, source_path FROM articles") == [("A", "New title", "a.md")]
    assert publish().edition is None


def test_files_of_git_annex_are_read(source, publish: Publish):
    content = source / ".git" / "annex" / "objects" / "x1" / "Yz" / "SHA256E-s9--0a.md" / "SHA256E-s9--0a.md"
    content.parent.mkdir(parents=True)
    content.write_text(seed_file("").replace('code: ""\n', ""))
    (source / "2026").mkdir()
    (source / "2026" / "a.md").symlink_to(os.path.relpath(content, source / "2026"))
    content.chmod(0o444)
    edition = publish().folder
    assert query(edition, "SELECT article_id, source_path FROM articles") == [("path:2026/a.md", "2026/a.md")]
    content.unlink()  # git annex drop
    assert problems(publish(allow_withdrawals=True).folder) == {
        "2026/a.md": "The symbolic link points to “../.git/annex/objects/x1/Yz/SHA256E-s9--0a.md/SHA256E-s9--0a.md”,"
        " which does not exist."
    }


def test_a_link_that_is_not_followed_is_a_row_that_says_why(source, outside, publish: Publish):
    (source / "plain.md").write_text(seed_file("A"))
    os.mkfifo(source / ".pipe")
    targets = {
        "outside.md": outside / "secret.md",
        "above.md": "../outside/secret.md",
        "passwd.md": "/etc/passwd",
        "device.md": "/dev/zero",
        "unknown.md": "/etc/no-such-file",
        "dangling.md": "nowhere.md",
        "below_a_file.md": "plain.md/nowhere",
        "loop.md": "loop.md",
        "pipe.md": ".pipe",
        "folder.md": ".",
        "archive": outside,
        "unmounted": "nowhere",
        "caf\udce9.md": "nowhere",
    }
    for name, target in targets.items():
        (source / name).symlink_to(target)
    edition = publish().folder
    out, gone = "The symbolic link points to “{}”, outside of the source.", "“{}”, which does not exist."
    assert problems(edition) == {
        "outside.md": out.format(outside / "secret.md"),
        "above.md": out.format("../outside/secret.md"),
        "passwd.md": out.format("/etc/passwd"),
        "device.md": out.format("/dev/zero"),
        "unknown.md": out.format("/etc/no-such-file"),
        "dangling.md": f"The symbolic link points to {gone.format('nowhere.md')}",
        "below_a_file.md": f"The symbolic link points to {gone.format('plain.md/nowhere')}",
        "loop.md": "The symbolic link points to “loop.md”, and from there back to itself.",
        "pipe.md": "The symbolic link points to “.pipe”, which is not a regular file.",
        "folder.md": "The symbolic link points to “.”, a folder; folders are not read through links.",
        "archive": f"The symbolic link points to “{outside}”, a folder; folders are not read through links.",
        "unmounted": f"The symbolic link points to {gone.format('nowhere')}",
        "caf%E9.md": f"The symbolic link points to {gone.format('nowhere')}",
    }
    assert query(edition, "SELECT rejected FROM editions") == [(len(targets),)]
    assert query(edition, "SELECT size FROM sources WHERE source_path = 'passwd.md'") == [(len("/etc/passwd"),)]
    assert query(edition, "SELECT code, count(*) FROM problems GROUP BY code ORDER BY code") == [
        ("link_dangling", 4), ("link_loop", 1), ("link_outside", 5), ("link_to_folder", 2), ("link_to_special_file", 1),
    ]  # fmt: skip
    assert publish().edition is None


def test_links_into_an_allowed_root_are_read(source, outside, publish: Publish, tmp_path):
    (tmp_path / "outside-too").mkdir()  # whose name begins as that of the root does
    (tmp_path / "outside-too" / "b.md").write_text(seed_file("B"))
    (tmp_path / "roots").symlink_to(outside)
    (source / "a.md").symlink_to(outside / "secret.md")
    (source / "b.md").symlink_to(tmp_path / "outside-too" / "b.md")
    edition = publish().folder
    assert set(problems(edition)) == {"a.md", "b.md"}
    settings = {"link_roots": (tmp_path / "roots",)}
    edition = publish(**settings).folder
    assert query(edition, "SELECT article_id, source_path FROM articles") == [("S", "a.md")]
    assert set(problems(edition)) == {"b.md"}
    assert publish(**settings).edition is None
    assert publish(allow_withdrawals=True).edition.withdrawn == 1


def test_worker_processes_follow_the_same_links(source, outside, publish: Publish, monkeypatch):
    monkeypatch.setattr("flows.pipeline.process_pool.MIN_WORKER_FILES", 100)
    for number in range(2 * MIN_BATCH_FILES):
        (source / f"{number}.md").symlink_to(outside / "secret.md" if number % 2 else "/etc/passwd")
    edition = publish(processes=2, link_roots=(outside,)).folder
    assert query(edition, "SELECT status, count(*) FROM sources GROUP BY status ORDER BY status") == [
        ("duplicate", MIN_BATCH_FILES - 1), ("published", 1), ("rejected", MIN_BATCH_FILES),
    ]  # fmt: skip


def test_allowed_roots_come_from_the_environment(source, outside, warehouse, monkeypatch, capsys):
    (source / "a.md").symlink_to(outside / "secret.md")

    def run(roots: str) -> tuple[int, str]:
        monkeypatch.setenv("BROADSHEET_LINK_ROOTS", roots)
        return main(["run", "--source", str(source), "--warehouse", str(warehouse)]), capsys.readouterr().err

    absolute = "broadsheet: BROADSHEET_LINK_ROOTS: annex is not an absolute path. Write it as /srv/annex.\n"
    assert run("annex") == (2, absolute)
    missing = f"Link root not found: {outside}/nowhere. Mount it, or correct BROADSHEET_LINK_ROOTS."
    assert run(f"{outside}:{outside}/nowhere") == (1, f"broadsheet: {missing}\n")
    assert run(f"/usr:{outside}")[0] == 0
    assert query(warehouse / "current", "SELECT title FROM articles") == [(FOREIGN,)]


def test_verify_and_a_changed_reason(source, warehouse, outside, publish: Publish):
    """A link's own size and time are the same, and what it leads to is not."""
    (source / "a.md").symlink_to("b")
    (source / "plain.md").write_text(seed_file("P"))
    settings = Settings(source=source, warehouse=warehouse)
    assert "does not exist" in problems(publish().folder)["a.md"]
    (source / "b").mkdir()
    assert "a folder" in problems(publish().folder)["a.md"]
    assert verify_edition(settings) == []
    (source / "b").rmdir()
    (source / "b").write_text(seed_file("B"))
    assert query(publish().folder, "SELECT article_id FROM articles ORDER BY 1") == [("B",), ("P",)]
    assert verify_edition(settings) == []


def test_explain_treats_links_as_run_does(source, outside, monkeypatch, capsys):
    mount_config_map(source, "..2026_11_25", "A title", 1_700_000_000)
    (source / "sub").mkdir()
    (source / "sub" / "b.md").symlink_to("../..data/a.md")
    (source / "sub" / "c.md").symlink_to(outside / "secret.md")
    (source / "sub" / "d.md").symlink_to("nowhere")

    def explain(name: str, *flags: object) -> str:
        assert main(["explain", f"{source}/{name}", *map(str, flags)]) == 0
        return capsys.readouterr().out

    for name in ("a.md", "sub/b.md"):
        told = explain(name, "--source", source)
        assert told.startswith(f"{source}/{name}: published\n")
        assert f"source_path          {name}\n" in told
    assert f"rejected: The symbolic link points to “{outside}/secret.md”, outside of the source." in explain("sub/c.md")
    assert "rejected: The symbolic link points to “nowhere”, which does not exist." in explain("sub/d.md")
    monkeypatch.setenv("BROADSHEET_LINK_ROOTS", str(outside))
    assert FOREIGN in explain("sub/c.md")
