"""Whatever reading one file raises rejects that file alone: the run goes on, and says how many there were."""

from collections.abc import Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from flows.articles.article import Reading
from flows.artifacts import read_brief, render_brief
from flows.cli.main import main
from flows.errors import OutOfMemoryError
from flows.pipeline import isolation
from flows.pipeline.run import publish_edition
from flows.pipeline.verify import verify_edition
from flows.settings import Settings
from tests.conftest import Publish, query, seed_file

PANIC = type("PanicException", (BaseException,), {"__module__": "pyo3_runtime"})  # what a library in Rust raises
PROBLEMS = "SELECT source_path, severity, code, line_number, message, article_id FROM problems"
STATUSES = "SELECT source_path, status FROM sources ORDER BY ALL"


@pytest.fixture
def defect(monkeypatch: pytest.MonkeyPatch, source: Path):
    """A function that makes the parser raise an error, or give a title, for one file of three."""
    for name in "abc":
        (source / f"{name}.md").write_text(seed_file(name.upper()))
    read_article = isolation.read_article

    def of_file_b(error: BaseException | None = None, title: object = None) -> None:
        def read(content: bytes, path: str, zone: ZoneInfo, columns: Mapping[str, str]) -> Reading:
            reading = read_article(content, path, zone, columns)
            if path != "b.md":
                return reading
            if error:
                raise error
            return reading._replace(article=reading.article._replace(title=title))

        monkeypatch.setattr(isolation, "read_article", read)

    return of_file_b


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("first line.\nsecond line"), "ValueError, “first line”"),
        (KeyError(), "KeyError"),
        (RecursionError("maximum recursion depth exceeded in comparison"), "RecursionError"),
        (AttributeError("<Node object at 0x7f2a3c4d5e6f> has no value"), "AttributeError, “<Node object at 0x…> has no value”"),
        (RuntimeError("\ud800\x1b[31m" + "x" * 1_000), "RuntimeError, “\\ud800\x1b[31m" + "x" * 138 + "…”"),
        (PANIC("index out of bounds"), "PanicException, “index out of bounds”"),
    ],
)  # fmt: skip
def test_what_the_parser_raises_rejects_one_file(publish: Publish, defect, error, reason):
    defect(error)
    edition = publish().folder
    assert query(edition, STATUSES) == [("a.md", "published"), ("b.md", "rejected"), ("c.md", "published")]
    message = f"Broadsheet failed to read the file because of a bug: {reason}."
    assert query(edition, PROBLEMS) == [("b.md", "rejected", "internal_error", None, message, None)]


@pytest.mark.parametrize("title", ["lone \ud800", 7, None])
def test_rows_that_arrow_cannot_hold_reject_one_file(publish: Publish, defect, title):
    defect(title=title)
    edition = publish().folder
    assert query(edition, STATUSES) == [("a.md", "published"), ("b.md", "rejected"), ("c.md", "published")]
    assert query(edition, "SELECT source_path, code FROM problems") == [("b.md", "internal_error")]


def test_the_edition_after_an_internal_error_equals_a_rebuild(source, warehouse, publish: Publish, defect):
    defect(ValueError("no"))
    publish()
    (source / "d.md").write_text(seed_file("D"))
    edition = publish().folder
    assert query(edition, "SELECT status, count(*) FROM sources GROUP BY ALL ORDER BY ALL") == [
        ("published", 3),
        ("rejected", 1),
    ]
    assert verify_edition(Settings(source=source, warehouse=warehouse)) == []
    assert publish().edition is None


def test_a_lack_of_memory_fails_the_run_instead_of_the_file(publish: Publish, warehouse, defect):
    defect(MemoryError())
    with pytest.raises(OutOfMemoryError):
        publish()
    assert not (warehouse / "current").exists()


def test_the_summary_and_the_brief_count_internal_errors(source, warehouse, defect, capsys):
    settings = Settings(source=source, warehouse=warehouse)
    counted = "Internal errors: 1 of the rejected files. Please report them"
    report = publish_edition(settings)
    assert counted not in render_brief(report.edition, read_brief(report.folder))
    defect(ValueError("no"))
    assert main(["run", "--rebuild", "--source", str(source), "--warehouse", str(warehouse)]) == 0
    shown = capsys.readouterr()
    assert counted in shown.out
    assert "Traceback" not in shown.out + shown.err
    assert counted in render_brief(report.edition, read_brief((warehouse / "current").resolve()))


@pytest.mark.parametrize("given", [{"error": ValueError("no")}, {"title": "lone \ud800"}])
def test_explain_shows_the_row_of_the_run(source, publish: Publish, defect, capsys, given):
    defect(**given)
    [(message, remedy)] = query(publish().folder, "SELECT message, remedy FROM problems")
    assert main(["explain", "--source", str(source), str(source / "b.md")]) == 0
    assert capsys.readouterr().out == f"{source}/b.md: rejected\n\nrejected: {message} {remedy}\n"
