"""Render the brief of an edition in Markdown: the articles published, corrected, withdrawn and rejected."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flows.display import shortened
from flows.schema import Edition
from flows.warehouse.database import fetch_dicts, open_database
from flows.warehouse.ddl import SQL

# Renderers turn URLs into links even after a backslash, but not in a code span such as `://`.
_ADDRESS = r"(:(?=//)|(?<=www)\.|(?<=[\w.+-])@(?=\w))"
# Characters that Markdown or HTML would interpret.
_MARKUP = re.compile(_ADDRESS + r"|[\\`*_{}\[\]()<>#+!|~&.-]", re.IGNORECASE)
# The same for table cells, but only where a character has an effect: one of Prefect's two user interfaces renders cells
# as Markdown, and the other one shows them unchanged.
_MARKUP_OF_CELL = re.compile(
    _ADDRESS + r"|\\(?=[!-/:-@\[-`{-~])|[`*\[\]<~]|(?<![^\W_])_|_(?![^\W_])|^[#>+=|-]|&(?=#?\w+;)",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"^(\d{1,9})([.)])")  # the start of a list
MAX_TEXT_LENGTH = 200  # characters of a text
MAX_REASON_LENGTH = 2_000  # characters of the reason of a failure


def read_brief(edition: Path) -> dict[str, list[dict[str, Any]]]:
    """Run the queries of sql/brief on an edition, and return their results by query name."""
    answers = {}
    with open_database(edition) as connection:
        for file in sorted((SQL / "brief").glob("*.sql")):
            sql = file.read_text()
            found = connection.execute(sql, {"edition_id": edition.name} if "$edition_id" in sql else {})
            answers[file.stem] = fetch_dicts(found)
    return answers


def render_brief(row: Edition, answers: dict[str, list[dict[str, Any]]], warnings: Sequence[str] = ()) -> str:
    """Render the brief in Markdown, with text from seed files escaped. `warnings` are those of the run."""
    sections = (
        ("Published", row.added + row.restored, [_format_article(found) for found in answers["added"]]),
        ("Corrected", row.corrected, [f"{_text(f['title'])} ({_text(f['fields'])})" for f in answers["corrected"]]),
        ("Withdrawn", row.withdrawn, [_format_article(found) for found in answers["withdrawn"]]),
        ("Rejected", row.rejected, [_format_rejection(found) for found in answers["rejected"]]),
    )
    lines = [
        f"# Edition {row.edition_id}",
        "",
        f"{row.articles:,} articles, {row.images:,} images, {row.captions:,} captions.",
    ]
    for found in answers["internal_errors"]:
        if found["files"]:
            failed = f"{found['files']:,} of the rejected files. Please report them as bugs of Broadsheet."
            lines += ["", f"Internal errors: {failed}"]
    for title, count, items in sections:
        lines += ["", f"## {title}: {count:,}", "", *(f"* {item}" for item in items)]
        if count > len(items):
            lines.append(f"* … and {count - len(items):,} more")
    if warnings:
        lines += ["", "## Warnings", "", *(f"* {_text(warning, MAX_REASON_LENGTH)}" for warning in warnings)]
    return "\n".join(lines)


def render_failure(reason: str) -> str:
    """Render the brief of a run that failed or crashed. A crashed run may have published its edition."""
    state = "Published editions are complete and unchanged; the next run continues from the current one."
    return f"# The run failed\n\n{_text(reason, MAX_REASON_LENGTH)}\n\n{state}"


def table_rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows for a table artifact. Integers are unchanged; all other values become escaped text."""
    return [
        {name: value if isinstance(value, int) else _cell(str(value or "")) for name, value in row.items()}
        for row in rows
    ]


def _cell(value: str) -> str:
    text = _shorten(value, MAX_TEXT_LENGTH)
    return _NUMBERED.sub(r"\1\\\2", _MARKUP_OF_CELL.sub(_escape, text))


def _escape(found: re.Match[str]) -> str:
    """Escape a Markdown character."""
    return f"`{found[0]}`" if found[1] else f"\\{found[0]}"


def _format_article(found: dict[str, Any]) -> str:
    about = ", ".join(str(part) for part in (found["category"], found["published_on"]) if part)
    return _text(found["title"]) + (f" ({_text(about)})" if about else "")


def _format_rejection(found: dict[str, Any]) -> str:
    line = f" line {found['line_number']}" if found["line_number"] else ""
    return f"{_text(found['source_path'])}{line}: {_text(found['message'])} {_text(found['remedy'])}"


def _text(value: object, max_length: int = MAX_TEXT_LENGTH) -> str:
    return _MARKUP.sub(_escape, _shorten(str(value), max_length))


def _shorten(text: str, max_length: int) -> str:
    return shortened(" ".join(text.split()), max_length)
