"""The command line: a command is a function of the settings and its arguments, and returns an exit code."""

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn, cast

from flows.cli.interrupt import INTERRUPTED, exit_code
from flows.cli.output import flush_output, prepare_streams, write_line
from flows.display import visible
from flows.errors import ConfigurationError, InvalidSettingError, RunError, no_edition, out_of_memory
from flows.settings import Settings

DONE, FAILED, USAGE = 0, 1, 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return 0 for success (also without changes), 1 for failure, 2 for usage, 130 if interrupted."""
    prepare_streams()
    try:
        given = vars(_parser().parse_args(arguments))
        return _call(given.pop("command"), given)
    finally:
        flush_output()


def _call(command: Any, given: dict[str, Any]) -> int:
    values = {name: given.pop(name) for name in list(given) if name in Settings.model_fields}
    try:
        return int(command(Settings.given(**values), **given))
    except RunError as error:
        write_line(f"broadsheet: {visible(str(error))}", sys.stderr)
        return USAGE if isinstance(error, InvalidSettingError) else FAILED
    except MemoryError as error:  # of any command, also while it is imported
        write_line(f"broadsheet: {visible(str(out_of_memory(error)))}", sys.stderr)
        return FAILED
    except KeyboardInterrupt as stopped:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second one would only add a traceback
        advice = " See what is published with broadsheet editions." if command in (run, roll_back) else ""
        write_line(f"broadsheet: {INTERRUPTED}{advice}", sys.stderr)
        return exit_code(stopped)


class _Parser(argparse.ArgumentParser):
    """A parser that prints control characters of arguments as escapes."""

    def error(self, message: str) -> NoReturn:
        super().error(visible(message))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="broadsheet", description="A folder of articles becomes a warehouse.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _command(commands, "run", run, "read the source and publish an edition", "source", "warehouse")
    for name in ("rebuild", "verify_content", "allow_withdrawals"):
        flag = "--" + name.replace("_", "-")
        about = Settings.model_fields[name].description
        commands.choices["run"].add_argument(flag, action="store_true", default=None, help=about)
    up = _command(
        commands, "up", serve, "publish every hour: a Prefect server and a worker", "source", "warehouse", "data"
    )
    for name in ("port", "cron", "time_zone"):
        about = Settings.model_fields[name].description
        up.add_argument("--" + name.replace("_", "-"), metavar=name.upper(), help=about)
    about = "build the edition once more from the source, aside, and compare"
    _command(commands, "verify", verify, about, "source", "warehouse")
    _command(commands, "editions", editions, "list the editions that are kept", "warehouse")
    rollback = _command(commands, "rollback", roll_back, "go back to an edition that is kept", "warehouse")
    rollback.add_argument("edition", metavar="EDITION", help="Its id, as broadsheet editions lists it.")
    query = _command(commands, "query", ask, "answer a question in SQL from the current edition", "warehouse")
    query.add_argument("sql", metavar="SQL", help="One query, such as 'FROM articles_by_category'.")
    forms = ("table", "csv", "json", "parquet")
    about = "Form of the answer; table where not given."
    query.add_argument("--format", dest="form", choices=forms, default="table", help=about)
    about = "With --format csv: write an apostrophe before text that a spreadsheet would run as a formula."
    query.add_argument("--safe-csv", action="store_true", help=about)
    query.add_argument("--output", metavar="FILE", type=Path, help="File for the answer; Parquet needs one.")
    query.add_argument("--timeout", metavar="SECONDS", help=Settings.model_fields["timeout"].description)
    about = "show what one seed file gives: fields, images, captions, problems"
    _command(commands, "explain", explain, about, "source").add_argument(
        "file", metavar="FILE", type=Path, help="A seed file."
    )
    return parser


def _command(commands: Any, name: str, function: object, about: str, *folders: str) -> argparse.ArgumentParser:
    """Add a command with a flag for each of the settings that are its folders."""
    command = commands.add_parser(name, help=about, description=f"{about[:1].upper()}{about[1:]}.")
    for folder in folders:
        command.add_argument(f"--{folder}", metavar="FOLDER", help=Settings.model_fields[folder].description)
    command.set_defaults(command=function)
    return cast(argparse.ArgumentParser, command)


# Each command imports what it needs when it is called: the others, and a usage error, do not wait for it.


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


def serve(settings: Settings) -> int:
    """Run the schedule on this machine, until Ctrl-C, SIGTERM or the end of its terminal."""
    from flows.cli.up.serve import up

    try:
        up(settings)
    except KeyboardInterrupt:
        write_line("Stopped. Start it again with broadsheet up.")
    return DONE


def verify(settings: Settings) -> int:
    """Print the differences between the current edition and the source; return 0 if there are none, else 1."""
    from flows.pipeline.verify import verify

    differences = verify(settings)
    write_line("\n".join(map(visible, differences)) or "The current edition matches the source.")
    return FAILED if differences else DONE


def editions(settings: Settings) -> int:
    """Print the editions that are kept, newest first."""
    from flows.cli.summary import list_of_editions

    write_line(list_of_editions(settings))
    return DONE


def roll_back(settings: Settings, edition: str) -> int:
    """Make an edition that is kept the current one."""
    from flows.pipeline import run as pipeline

    _warn(pipeline.roll_back(settings, edition))
    write_line(f"The current edition is {edition}.")
    write_line("The next run compares the source with it: pause the schedule until the source is fixed.")
    return DONE


def ask(settings: Settings, sql: str, form: str, safe_csv: bool, output: Path | None) -> int:
    """Answer an SQL query."""
    from flows.cli.query.answer import answer
    from flows.pipeline.memory import translate_memory_errors
    from flows.warehouse.storage import open_storage

    if form == "parquet" and output is None:
        write_line("broadsheet: Parquet needs a file. Pass one with --output.", sys.stderr)
        return USAGE
    if safe_csv and form != "csv":
        write_line("broadsheet: --safe-csv needs --format csv. Add it, or leave out --safe-csv.", sys.stderr)
        return USAGE
    with translate_memory_errors(), open_storage(settings).open_current() as edition:
        if edition is None:
            raise no_edition(settings.warehouse)
        answer(settings, edition, sql, "safe csv" if safe_csv else form, output)
    return DONE


def explain(settings: Settings, file: Path) -> int:
    """Print how one seed file is read."""
    from flows.cli.explain import explain

    write_line(explain(file, settings))
    return DONE
