"""Count the requests and bytes that a run exchanges with an object store, and print a table in Markdown.

    make transfers COUNTS="2000 10000 20000"

Source and warehouse are below s3:// URLs on moto's server. A run "with workers" exchanges staged files as on a Dask
cluster: each part works in its own folder, downloads what it reads and uploads what it writes. An exponent is the slope
of the least-squares line through the logarithms.
"""

import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.growth import exponent
from benchmarks.invented import invent
from flows.object_store import objects, transfers
from flows.object_store.path import ObjectPath
from flows.pipeline.process_pool import ProcessRunner
from flows.pipeline.run import publish_edition
from flows.settings import Settings
from tests.object_store import BUCKET, running_store

WRITES = ("PUT", "POST")


class Distributed(ProcessRunner):
    """A runner whose parts exchange staged files, as on several machines."""

    distributed = True


class Traffic(NamedTuple):
    """The requests of a run, by class of price, and the bytes of their bodies."""

    writes: int  # PUT, POST (copies, lists of some stores): the dearer class
    lists: int
    reads: int
    up: int
    down: int
    source: int  # requests for seed files


class Counter(list[tuple[str, str, int, int]]):
    """The requests so far: method, path with query, bytes received and sent."""

    def traffic(self) -> Traffic:
        """Return the sums, and start again."""
        lists = [request for request in self if request[0] == "GET" and "/" not in request[1].split("?")[0].strip("/")]
        seeds = [request for request in self if request[0] in ("GET", "HEAD") and "/source/" in request[1]]
        found = Traffic(
            writes=sum(method in WRITES for method, *_ in self),
            lists=len(lists),
            reads=sum(method in ("GET", "HEAD") for method, *_ in self) - len(lists),
            up=sum(received for *_, received, _ in self),
            down=sum(sent for *_, sent in self),
            source=len(seeds),
        )
        self.clear()
        return found


def counted(application: Callable[..., Iterable[bytes]], counter: Counter) -> Callable[..., Iterable[bytes]]:
    """Return a WSGI application that counts its requests."""

    def run(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        received = int(environ.get("CONTENT_LENGTH") or 0)
        content = list(application(environ, start_response))
        path = f"{environ['PATH_INFO']}?{environ['QUERY_STRING']}"
        counter.append((environ["REQUEST_METHOD"], path, received, sum(map(len, content))))
        return content

    return run


@contextmanager
def counting_store() -> Iterator[Counter]:
    """Yield the requests to a store with an empty bucket."""
    counter = Counter()
    with running_store(lambda application: counted(application, counter)):
        counter.clear()
        yield counter


def measure(counter: Counter, count: int, runner: ProcessRunner) -> dict[str, Traffic]:
    """Return the traffic of a full run, one without changes and one with a changed article."""
    with tempfile.TemporaryDirectory() as folder:
        place = ObjectPath(BUCKET, f"{type(runner).__name__}-{count}")
        settings = Settings(source=place / "source", warehouse=place / "warehouse", data=Path(folder))
        transfers.run_concurrently(
            lambda number: _put(settings.source, invent(number, count)),
            range(count),
        )
        counter.clear()
        found = {}
        for name in ("full", "no change", "one changed"):
            if name == "one changed":
                article = invent(count // 2, count)
                objects.write(settings.source / article.path, article.content + b"\n\nOne more sentence.\n")
                counter.clear()
            publish_edition(settings, runner)
            found[name] = counter.traffic()
        edition = settings.warehouse / "editions" / objects.read(settings.warehouse / "current").decode()
        size = sum(listed.size for listed in objects.list_objects(edition))
        print(f"{count:,} files, {type(runner).__name__}: edition of {size:,} bytes, {found}", file=sys.stderr)
        return found


def _put(source: object, article: Any) -> None:
    objects.write(source / article.path, article.content)  # type: ignore[operator]


def table(counts: Sequence[int], runs: dict[str, list[dict[str, Traffic]]]) -> str:
    """Return a table of all runs and sizes, with exponents."""
    lines = [
        "| run | files | writes | lists | reads | of these seed files | MB up | MB down |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for where, found in runs.items():
        for kind in found[0]:
            traffic = [run[kind] for run in found]
            for count, sums in zip(counts, traffic, strict=True):
                lines.append(
                    f"| {kind}, {where} | {count:,} | {sums.writes:,} | {sums.lists:,} | {sums.reads:,} |"
                    f" {sums.source:,} | {sums.up / 1e6:.2f} | {sums.down / 1e6:.2f} |"
                )
            slopes = [_slope(counts, [getattr(sums, name) for sums in traffic]) for name in Traffic._fields]
            writes, lists, reads, up, down, source = slopes
            lines.append(f"| exponent | | {writes} | {lists} | {reads} | {source} | {up} | {down} |")
    return "\n".join(lines)


def _slope(counts: Sequence[int], figures: Sequence[int]) -> str:
    return f"{exponent(counts, figures):.2f}" if len(counts) > 1 and all(figures) else ""


if __name__ == "__main__":
    sizes = [int(count) for count in sys.argv[1:]] or [2_000, 10_000, 20_000]
    runners = {"local": ProcessRunner(), "with workers": Distributed()}
    with counting_store() as requests:
        print(table(sizes, {where: [measure(requests, count, by) for count in sizes] for where, by in runners.items()}))
