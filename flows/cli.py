"""The command line: `broadsheet run` and `broadsheet explain`."""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from flows.problems import RunError
from flows.settings import Settings

PUBLISHED, FAILED, USAGE = 0, 1, 2
LINE_EVERY = 10  # seconds between two lines of progress, where there is no terminal


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns 0 published or nothing new, 1 failed and nothing changed, 2 usage."""
    given = vars(_parser().parse_args(arguments))
    command, file = given.pop("command"), given.pop("file", None)
    try:
        settings = Settings.given(**given)
        command(settings, file)
    except ValidationError as error:
        for flaw in error.errors():
            name = "_".join(str(part) for part in flaw["loc"][:1])
            print(f"broadsheet: {name}: {flaw['msg'].removeprefix('Value error, ')}.", file=sys.stderr)
        return USAGE
    except RunError as error:
        print(f"broadsheet: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("broadsheet: stopped; nothing was published.", file=sys.stderr)
        return FAILED
    return PUBLISHED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="broadsheet", description="A folder of articles becomes a warehouse.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="read the source and publish an edition", description="Publish an edition.")
    fields = Settings.model_fields
    run.add_argument("--source", metavar="FOLDER", help=fields["source"].description)
    run.add_argument("--warehouse", metavar="FOLDER", help=fields["warehouse"].description)
    run.add_argument("--rebuild", action="store_true", default=None, help=fields["rebuild"].description)
    run.set_defaults(command=run_command)
    about = "show what one seed file gives: fields, images, captions, problems"
    explain = commands.add_parser("explain", help=about, description=f"{about.capitalize()}.")
    explain.add_argument("file", metavar="FILE", type=Path, help="Path of a seed file.")
    explain.set_defaults(command=explain_command)
    return parser


def explain_command(settings: Settings, file: Path) -> None:
    """`broadsheet explain FILE`."""
    from flows.explain import explain  # when it is asked for: other commands need no parser

    print(explain(file, ZoneInfo(settings.time_zone)))


def run_command(settings: Settings, _: None) -> None:
    """`broadsheet run`: the pipeline without an orchestrator, and a summary of what it did."""
    from flows import pipeline  # after the arguments are known to be right: it imports the warehouse

    report = pipeline.publish_edition(settings, pipeline.Steps(each=_with_progress))
    print(_summary(settings, report))


def _with_progress(transform: Any, plan: Any) -> Iterator[int]:
    """Transform the batches in this process, and say how far it is: a bar on a terminal, else lines."""
    from tqdm import tqdm

    from flows.pipeline import one_after_another

    bar = tqdm(total=plan.files, unit=" files", disable=not sys.stderr.isatty(), leave=False)
    done, said = 0, time.monotonic()
    with bar:
        for files in one_after_another(transform, plan):
            bar.update(files)
            done += files
            if bar.disable and time.monotonic() - said > LINE_EVERY:
                said = time.monotonic()
                print(f"read {done:,} of {plan.files:,} files", file=sys.stderr)
            yield files


def _summary(settings: Settings, report: Any) -> str:
    database = settings.warehouse / "current" / "broadsheet.duckdb"
    if report.edition is None:
        return f"Nothing is new: edition {report.folder.name} has all {report.files:,} files ({report.seconds:.1f} s)."
    edition = report.edition
    counted = (
        ("articles", edition.articles), ("images", edition.images), ("captions", edition.captions),
        ("rejected", edition.rejected), ("repaired", edition.repaired), ("duplicates", edition.duplicates),
        ("drafts", edition.drafts),
    )  # fmt: skip
    lines = [f"Published edition {edition.edition_id} in {report.seconds:.1f} s."]
    lines += [f"  {name:<10} {count:>9,}" for name, count in counted]
    if edition.rejected:
        lines.append(f"Why files were rejected: FROM problems; in {database}")
    lines += [
        f"Query it:   duckdb -readonly {database} 'FROM articles_by_category'",
        f"Front page: {settings.warehouse / 'current' / 'front_page.html'}",
    ]
    return "\n".join(lines)
