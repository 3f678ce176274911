"""Report the progress and the result of a run, and list the editions."""

import shlex
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from tqdm import tqdm

from flows.cli.output import write_line
from flows.display import visible
from flows.errors import RunError, WarehouseError, no_edition
from flows.pipeline.plan import Batch, Plan
from flows.pipeline.process_pool import ProcessRunner
from flows.pipeline.run import Report
from flows.schema import Edition
from flows.settings import Settings
from flows.warehouse.parquet import count_internal_errors
from flows.warehouse.storage import Storage, open_storage

R = TypeVar("R")
REPORT_INTERVAL = 10  # seconds between lines of progress without a terminal


class ProgressRunner(ProcessRunner):
    """Run steps in processes and report their progress: as a bar on a terminal, otherwise as lines."""

    def map(self, step: Callable[..., R], plan: Plan, parts: Sequence[Any]) -> Iterator[R]:
        """Run a step for each part, and report its progress on standard error."""
        reads = isinstance(parts[0], Batch) if parts else False
        total, unit = sum(part.size for part in parts), "files read" if reads else "months written"
        bar = tqdm(total=total, unit=f" {unit}", disable=not sys.stderr.isatty(), leave=False)
        done, reported = 0, time.monotonic()
        with bar:
            for part, result in zip(parts, super().map(step, plan, parts), strict=True):
                bar.update(part.size)
                done += part.size
                if bar.disable and time.monotonic() - reported > REPORT_INTERVAL:
                    reported = time.monotonic()
                    write_line(f"{done:,} of {total:,} {unit}", sys.stderr)
                yield result


def summary(settings: Settings, report: Report) -> str:
    """Return the counts of a run, and commands to continue with."""
    if report.edition is None:
        return f"No changes since edition {report.folder.name} ({report.files:,} files, {report.seconds:.1f} s)."
    edition = report.edition
    counts = (
        *("articles", "images", "captions", "added", "corrected", "withdrawn", "restored"),
        *("rejected", "repaired", "duplicates", "drafts"),
    )
    lines = [f"Published edition {edition.edition_id} in {report.seconds:.1f} s."]
    lines += [f"  {name:<10} {getattr(edition, name):>9,}" for name in counts]
    with suppress(RunError, OSError):  # the working copy was not updated, as a warning says
        lines += _internal_errors(report.folder)
    return "\n".join([*lines, *_next_commands(open_storage(settings), edition)])


def _internal_errors(edition: Path) -> list[str]:
    if failed := count_internal_errors(edition):
        return [f"Internal errors: {failed:,} of the rejected files. Please report them as bugs of Broadsheet."]
    return []


def _next_commands(storage: Storage, edition: Edition) -> list[str]:
    current = storage.current_location(edition.edition_id)
    before, after = f"duckdb -readonly {_shell_quote(current / 'broadsheet.duckdb')} ", ""
    if not storage.opens_in_place:
        before, after = "broadsheet query ", f" --warehouse {_shell_quote(storage.location)}"
    lines = [f"Rejected:   {before}'FROM problems'{after}"] if edition.rejected else []
    lines += [
        f"Query it:   {before}'FROM articles_by_category'{after}",
        f"Front page: {visible(str(current / 'front_page.html'))}",
    ]
    return lines


def _shell_quote(place: object) -> str:
    """Return a path as an argument of a shell command."""
    text = f"./{place}" if str(place).startswith("-") else str(place)
    if visible(text) == text:
        return shlex.quote(text)
    return "$'" + visible(text.replace("\\", "\\\\").replace("'", "\\'")) + "'"  # Bash and Zsh read the escapes


def format_editions(settings: Settings) -> str:
    """Return a table of the editions that are kept, newest first, with a mark at the current one."""
    storage = open_storage(settings)
    kept = storage.manifests()
    try:
        current, reason = storage.current_id(), ""
    except WarehouseError as error:
        if not kept:
            raise
        current, reason = None, f"\n{visible(str(error))}"
    shown = ("articles", "added", "corrected", "withdrawn", "restored", "rejected")
    lines = [f"  {'edition':<16}" + "".join(f"{name:>11}" for name in shown)]
    for facts in reversed(kept):
        mark = "*" if facts.edition_id == current else " "
        lines.append(f"{mark} {facts.edition_id}" + "".join(f"{getattr(facts, name):>11,}" for name in shown))
    return "\n".join(lines) + reason if len(lines) > 1 else visible(str(no_edition(settings.warehouse)))
