"""Of several files with one article one is published, and the ledger records every change."""

import pytest

from tests.conftest import Publish, query, seed_file


def test_the_ledger_tells_what_changed(source, publish: Publish):
    for code in "ABCD":
        (source / f"{code}.md").write_text(seed_file(code))
    first = publish()
    (source / "A.md").write_text(seed_file("A", title="A better title"))
    (source / "B.md").unlink()
    (source / "C.md").rename(source / "moved.md")
    (source / "E.md").write_text(seed_file("E"))
    second = publish()
    assert first.edition
    assert second.edition
    assert query(second.folder, f"SELECT article_id, change, field, old_value, new_value FROM changes WHERE edition_id = '{second.folder.name}' ORDER BY ALL") == [
        ("A", "corrected", "title", "A title", "A better title"),
        ("B", "withdrawn", "category", "WORLD", None),
        ("B", "withdrawn", "published_on", "2026-10-24", None),
        ("B", "withdrawn", "title", "A title", None),
        ("C", "moved", "source_path", "C.md", "moved.md"),
        ("E", "added", None, None, None),
    ]  # fmt: skip
    edition = second.edition
    assert (edition.added, edition.corrected, edition.withdrawn, edition.restored) == (1, 1, 1, 0)
    (source / "B.md").write_text(seed_file("B"))
    third = publish()
    assert third.edition
    assert (third.edition.added, third.edition.restored) == (0, 1)
    assert query(third.folder, "SELECT edition_id FROM editions") == [(r.folder.name,) for r in (first, second, third)]
    assert query(third.folder, "SELECT count(*) FROM changes") == [(4 + 6 + 1,)]


def test_sources_tell_when_a_file_was_first_seen_and_last_changed(source, publish: Publish):
    (source / "A.md").write_text(seed_file("A"))
    (source / "B.md").write_text(seed_file("B"))
    first = publish().folder.name
    (source / "A.md").write_text(seed_file("A", title="A better title"))
    second = publish().folder
    assert query(second, "SELECT source_path, first_edition, last_changed_edition FROM sources ORDER BY 1") == [
        ("A.md", first, second.name), ("B.md", first, first),
    ]  # fmt: skip


def test_the_later_of_two_versions_wins(source, publish: Publish):
    image = "![Dawn (AFP)](https://images.example.com/{}.jpg)"
    (source / "a.md").write_text(seed_file("X", "Early", "2026-10-24T05:00:00Z", image.format("early")))
    (source / "b.md").write_text(seed_file("X", "Late", "2026-10-24T06:00:00Z", image.format("late")))
    edition = publish().folder
    assert query(edition, "SELECT title, source_path FROM articles") == [("Late", "b.md")]
    assert query(edition, "SELECT url FROM images") == [("https://images.example.com/late.jpg",)]
    assert query(edition, "SELECT count(*) FROM captions") == [(1,)]
    assert query(edition, "SELECT source_path, message FROM problems") == [
        ("a.md", "The article X is published from b.md.")
    ]
    (source / "b.md").unlink()
    assert query(publish().folder, "SELECT title FROM articles") == [("Early",)]


@pytest.mark.parametrize(
    ("dates", "winner"),
    [(("2026-10-24T05:00:00Z", "2026-10-24T05:00:00Z"), "b.md"), (("2026-10-24T05:00:00Z", "never"), "a.md")],
    ids=["equal: the greater path", "undated is earliest"],
)
def test_ties_between_versions(source, publish: Publish, dates, winner):
    for name, date in zip(("a.md", "b.md"), dates, strict=True):
        (source / name).write_text(seed_file("X", date=date))
    assert query(publish().folder, "SELECT source_path FROM articles") == [(winner,)]
