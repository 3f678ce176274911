"""Parse the command line and run a command: a function of the settings and its arguments, named as the command."""

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, cast

from flows.cli.interrupt import INTERRUPTED, exit_code
from flows.cli.output import flush_output, prepare_streams, write_line
from flows.display import visible
from flows.errors import ConfigurationError, InvalidSettingError, RunError, no_edition, out_of_memory
from flows.settings import Settings, flag

Command = Callable[..., int]  # of the settings and its arguments; returns an exit code

DONE, FAILED, USAGE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return 0 for success (also without changes), 1 for failure, 2 for usage, 130 if interrupted."""
    prepare_streams()
    try:
        given = vars(_parser().parse_args(arguments))
        return _call(given.pop("command"), given)
    finally:
        flush_output()


def _call(command: Command, given: dict[str, Any]) -> int:
    values = {name: given.pop(name) for name in list(given) if name in Settings.model_fields}
    try:
        return command(Settings.given(**values), **given)
    except RunError as error:
        write_line(f"broadsheet: {visible(str(error))}", sys.stderr)
        return USAGE if isinstance(error, InvalidSettingError) else FAILED
    except MemoryError as error:  # possible in every command, even during imports
        write_line(f"broadsheet: {visible(str(out_of_memory(error)))}", sys.stderr)
        return FAILED
    except KeyboardInterrupt as stopped:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C would only add a traceback
        advice = " See what is published with broadsheet editions." if command in (run, rollback) else ""
        write_line(f"broadsheet: {INTERRUPTED}{advice}", sys.stderr)
        return exit_code(stopped)


class _Parser(argparse.ArgumentParser):
    """A parser that prints control characters of arguments as escapes."""

    def error(self, message: str) -> NoReturn:
        super().error(visible(message))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="broadsheet", description="Turn a folder of articles into a warehouse.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_run(commands)
    _add_up(commands)
    _add_command(commands, verify, "rebuild the current edition from the source and compare", "source", "warehouse")
    _add_command(commands, editions, "list the editions that are kept", "warehouse")
    back = _add_command(commands, rollback, "make an earlier edition the current one", "warehouse")
    back.add_argument("edition", metavar="EDITION", help="ID of an edition, from broadsheet editions.")
    _add_query(commands)
    one = _add_command(
        commands, explain, "show how one seed file is read: fields, images, captions, problems", "source"
    )
    one.add_argument("file", metavar="FILE", type=Path, help="A seed file.")
    return parser


def _add_run(commands: Any) -> None:
    command = _add_command(commands, run, "read the source and publish an edition", "source", "warehouse")
    for name in ("rebuild", "verify_content", "allow_withdrawals"):
        _add_setting(command, name, action="store_true", default=None)


def _add_up(commands: Any) -> None:
    about = "run a Prefect server and a worker that publish every hour"
    command = _add_command(commands, up, about, "source", "warehouse", "data")
    for name in ("port", "cron", "time_zone"):
        _add_setting(command, name, metavar=name.upper())


def _add_query(commands: Any) -> None:
    command = _add_command(commands, query, "run an SQL query on the current edition", "warehouse")
    command.add_argument("sql", metavar="SQL", help="One query, such as 'FROM articles_by_category'.")
    formats = ("table", "csv", "json", "parquet")
    about = "Format of the result; table by default."
    command.add_argument("--format", dest="output_format", choices=formats, default="table", help=about)
    about = "With --format csv: write an apostrophe before text that a spreadsheet would run as a formula."
    command.add_argument("--safe-csv", action="store_true", help=about)
    command.add_argument("--output", metavar="FILE", type=Path, help="File for the result; required for Parquet.")
    _add_setting(command, "timeout", metavar="SECONDS")


def _add_command(commands: Any, function: Command, about: str, *folders: str) -> argparse.ArgumentParser:
    """Add the command that a function runs, with a flag for each of its folders."""
    description = f"{about[:1].upper()}{about[1:]}."
    command = cast(argparse.ArgumentParser, commands.add_parser(function.__name__, help=about, description=description))
    for folder in folders:
        _add_setting(command, folder, metavar="FOLDER")
    if "source" in folders:
        _add_setting(command, "config", metavar="FILE")
    command.set_defaults(command=function)
    return command


def _add_setting(command: argparse.ArgumentParser, name: str, **options: Any) -> None:
    """Add the flag of a setting, with its description as help."""
    command.add_argument(flag(name), help=Settings.model_fields[name].description, **options)


def run(settings: Settings) -> int:
    """Publish an edition without an orchestrator, and print a summary."""
    if settings.runner == "dask":
        raise ConfigurationError(
            "The dask runner works only in the flow. Run python -m flows.etl, or set BROADSHEET_RUNNER=local."
        )
    from flows.cli.summary import ProgressRunner, summary
    from flows.pipeline.run import publish_edition

    report = publish_edition(settings, ProgressRunner())
    _warn(report.warnings)
    write_line(summary(settings, report))
    return DONE


def _warn(warnings: Sequence[str]) -> None:
    for warning in warnings:
        write_line(f"broadsheet: Warning: {visible(warning)}", sys.stderr)


def up(settings: Settings) -> int:
    """Run the schedule on this machine, until Ctrl-C, SIGTERM or the end of its terminal."""
    from flows.cli.up.serve import serve

    try:
        serve(settings)
    except KeyboardInterrupt:
        write_line("Stopped. Start it again with broadsheet up.")
    return DONE


def verify(settings: Settings) -> int:
    """Print the differences between the current edition and the source; return 0 if there are none, else 1."""
    from flows.pipeline.verify import verify_edition

    differences = verify_edition(settings)
    write_line("\n".join(map(visible, differences)) or "The current edition matches the source.")
    return FAILED if differences else DONE


def editions(settings: Settings) -> int:
    """Print the editions that are kept, newest first."""
    from flows.cli.summary import format_editions

    write_line(format_editions(settings))
    return DONE


def rollback(settings: Settings, edition: str) -> int:
    """Make an earlier edition the current one."""
    from flows.pipeline import run as pipeline

    _warn(pipeline.roll_back(settings, edition))
    write_line(f"The current edition is {edition}.")
    write_line("The next run compares the source with it: pause the schedule until the source is fixed.")
    return DONE


def query(settings: Settings, sql: str, output_format: str, safe_csv: bool, output: Path | None) -> int:
    """Run an SQL query on the current edition, and write its result."""
    from flows.cli.query.execute import execute
    from flows.pipeline.memory import translate_memory_errors
    from flows.warehouse.storage import open_storage

    if output_format == "parquet" and output is None:
        write_line("broadsheet: Parquet needs a file. Pass one with --output.", sys.stderr)
        return USAGE
    if safe_csv and output_format != "csv":
        write_line("broadsheet: --safe-csv needs --format csv. Add it, or omit --safe-csv.", sys.stderr)
        return USAGE
    with translate_memory_errors(), open_storage(settings).open_current() as edition:
        if edition is None:
            raise no_edition(settings.warehouse)
        execute(settings, edition, sql, "safe csv" if safe_csv else output_format, output)
    return DONE


def explain(settings: Settings, file: Path) -> int:
    """Print how one seed file is read."""
    from flows.cli.explain import explain

    write_line(explain(file, settings))
    return DONE
