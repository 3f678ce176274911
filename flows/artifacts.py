"""Write the brief of an edition in Markdown: what it published, corrected, withdrew and rejected."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flows.display import shortened
from flows.schema import Edition
from flows.warehouse.database import fetch_dicts, open_database
from flows.warehouse.ddl import SQL

# Addresses become links by themselves, also where a backslash is before one of their characters: `://` in a code span
# does not.
_ADDRESS = r"(:(?=//)|(?<=www)\.|(?<=[\w.+-])@(?=\w))"
# What Markdown or HTML would read as more than text.
_MARKUP = re.compile(_ADDRESS + r"|[\\`*_{}\[\]()<>#+!|~&.-]", re.IGNORECASE)
# The same in a cell of a table, only where it has an effect: one of Prefect's two user interfaces renders cells as
# Markdown, and the other shows them unrendered.
_MARKUP_OF_CELL = re.compile(
    _ADDRESS + r"|\\(?=[!-/:-@\[-`{-~])|[`*\[\]<~]|(?<![^\W_])_|_(?![^\W_])|^[#>+=|-]|&(?=#?\w+;)",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"^(\d{1,9})([.)])")  # the start of a list
MAX_TEXT_LENGTH = 200  # characters of a text
MAX_REASON_LENGTH = 2_000  # characters of a failure's sentences


def read_brief(edition: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the results of sql/brief for an edition, by the name of the query."""
    answers = {}
    with open_database(edition) as connection:
        for file in sorted((SQL / "brief").glob("*.sql")):
            sql = file.read_text()
            found = connection.execute(sql, {"edition_id": edition.name} if "$edition_id" in sql else {})
            answers[file.stem] = fetch_dicts(found)
    return answers


def brief(row: Edition, answers: dict[str, list[dict[str, Any]]], warnings: Sequence[str] = ()) -> str:
    """Return the brief in Markdown; text of seed files is escaped. `warnings` are about failures after publishing."""
    sections = (
        ("Published", row.added + row.restored, [_article(found) for found in answers["added"]]),
        ("Corrected", row.corrected, [f"{_text(f['title'])} ({_text(f['fields'])})" for f in answers["corrected"]]),
        ("Withdrawn", row.withdrawn, [_article(found) for found in answers["withdrawn"]]),
        ("Rejected", row.rejected, [_rejection(found) for found in answers["rejected"]]),
    )
    lines = [
        f"# Edition {row.edition_id}",
        "",
        f"{row.articles:,} articles, {row.images:,} images, {row.captions:,} captions.",
    ]
    for found in answers["internal_errors"]:
        if found["files"]:
            failed = f"{found['files']:,} of the rejected; report them, since they are defects of Broadsheet."
            lines += ["", f"Internal errors: {failed}"]
    for title, count, items in sections:
        lines += ["", f"## {title}: {count:,}", "", *(f"* {item}" for item in items)]
        if count > len(items):
            lines.append(f"* … and {count - len(items):,} more")
    if warnings:
        lines += ["", "## Warnings", "", *(f"* {_text(warning, MAX_REASON_LENGTH)}" for warning in warnings)]
    return "\n".join(lines)


def failure(reason: str) -> str:
    """Return the brief of a run that failed or crashed; a crash may have come after its edition was published."""
    state = "What was published before is complete and unchanged; the next run builds on it."
    return f"# The run failed\n\n{_text(reason, MAX_REASON_LENGTH)}\n\n{state}"


def table(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows for a table of the orchestrator: numbers stay, everything else is text without markup."""
    return [
        {name: value if isinstance(value, int) else _cell(str(value or "")) for name, value in row.items()}
        for row in rows
    ]


def _cell(value: str) -> str:
    text = _short(value, MAX_TEXT_LENGTH)
    return _NUMBERED.sub(r"\1\\\2", _MARKUP_OF_CELL.sub(_plain, text))


def _plain(found: re.Match[str]) -> str:
    """Return a Markdown character as text."""
    return f"`{found[0]}`" if found[1] else f"\\{found[0]}"


def _article(found: dict[str, Any]) -> str:
    about = ", ".join(str(part) for part in (found["category"], found["published_on"]) if part)
    return _text(found["title"]) + (f" ({_text(about)})" if about else "")


def _rejection(found: dict[str, Any]) -> str:
    line = f" line {found['line_number']}" if found["line_number"] else ""
    return f"{_text(found['source_path'])}{line}: {_text(found['message'])} {_text(found['remedy'])}"


def _text(value: object, longest: int = MAX_TEXT_LENGTH) -> str:
    return _MARKUP.sub(_plain, _short(str(value), longest))


def _short(text: str, longest: int) -> str:
    return shortened(" ".join(text.split()), longest)
