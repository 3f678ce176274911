"""After any changes between runs, an incremental edition equals a rebuild."""

import multiprocessing
import os
import shutil
import tempfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from flows.pipeline.run import publish_edition
from flows.pipeline.verify import verify_edition
from flows.settings import Settings
from flows.warehouse.editions import current_edition, list_editions, roll_back
from flows.warehouse.lock import writer_lock
from tests.conftest import query, rows_of
from tests.dying import POINTS, run_until

# Runs that are killed are forked from a server process that has imported the modules.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.dying"])

NAMES = st.sampled_from(["a.md", "b.md", "c.md", "deep/d.md", "deep/e.md"])
CODES = st.sampled_from(["", "X", "Y", "Z"])
TITLES = st.sampled_from(["One", "Two", ""])
DATES = st.sampled_from(["2026-09-30T23:59:00Z", "2026-10-01T00:00:00Z", "2026-11-05T12:00:00Z", "never", ""])
KINDS = st.sampled_from(["plain", "plain", "images", "draft", "broken", "empty"])


def content_of(code: str, title: str, date: str, kind: str) -> str:
    """Return a seed file: an article with or without images, a draft, or a file that is rejected."""
    if kind in ("broken", "empty"):
        return "" if kind == "empty" else f"---\ntitle: {title}: {code}: {date}\n---\n"
    lines = [f'{key}: "{value}"' for key, value in (("code", code), ("title", title), ("date", date)) if value]
    lines += ["draft: true"] if kind == "draft" else ["image: h.jpg"] if kind == "images" else ["category: WORLD"]
    image = "![A bridge (AFP)](b.jpg)\n\nA bridge (AFP)\n\n" if kind == "images" else ""
    return "---\n" + "\n".join(lines) + f"\n---\n\n{image}PARIS - Text of {title}.\n"


class Newsroom(RuleBasedStateMachine):
    """A source that changes at random, and a warehouse that is published from it."""

    @initialize()
    def open(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.source, self.warehouse = self.folder / "source", self.folder / "warehouse"
        (self.source / "deep").mkdir(parents=True)
        # The first run needs a seed file.
        (self.source / "draft.md").write_text(content_of("", "A draft", "", "draft"))
        self.clock = 1_000_000_000
        self.checked = True

    def settings(self, **values: object) -> Settings:
        return Settings(source=self.source, warehouse=self.warehouse, allow_withdrawals=True, **values)

    def stamp(self, file: Path) -> None:
        """Give a file a new modification time, long ago."""
        self.clock += 1_000
        os.utime(file, ns=(self.clock, self.clock))

    @rule(name=NAMES, code=CODES, title=TITLES, date=DATES, kind=KINDS)
    def write(self, name: str, code: str, title: str, date: str, kind: str) -> None:
        (self.source / name).write_text(content_of(code, title, date, kind))
        self.stamp(self.source / name)

    @rule(name=NAMES)
    def delete(self, name: str) -> None:
        (self.source / name).unlink(missing_ok=True)

    @rule(name=NAMES, to=NAMES)
    def rename(self, name: str, to: str) -> None:
        if (self.source / name).exists():
            (self.source / name).rename(self.source / to)

    @rule(name=NAMES)
    def touch(self, name: str) -> None:
        if (self.source / name).exists():
            self.stamp(self.source / name)

    @rule()
    def publish(self) -> None:
        publish_edition(self.settings())
        self.checked = False

    @rule()
    def rebuild(self) -> None:
        publish_edition(self.settings(rebuild=True))
        self.checked = False

    @precondition(lambda self: self.warehouse.exists())
    @rule(choice=st.integers(0, 4))
    def go_back(self, choice: int) -> None:
        with writer_lock(self.warehouse):
            if kept := list_editions(self.warehouse):
                roll_back(self.warehouse, kept[choice % len(kept)].name)

    @rule(point=st.sampled_from(POINTS))
    def die(self, point: str) -> None:
        previous = current_edition(self.warehouse) if self.warehouse.exists() else None
        run = FORKS.Process(target=run_until, args=(point, self.settings()))
        run.start()
        run.join()
        after = current_edition(self.warehouse)
        if run.exitcode == -9:  # otherwise the run had no changes, and ended before this point
            assert after == previous

    @invariant()
    def equals_a_rebuild(self) -> None:
        if getattr(self, "checked", True):
            return
        self.checked = True
        edition = current_edition(self.warehouse)
        assert edition
        assert list(self.warehouse.rglob(".staging")) == []
        rebuilt = publish_edition(self.settings().model_copy(update={"warehouse": self.folder / "rebuilt"})).folder
        assert rows_of(edition) == rows_of(rebuilt)
        sources = (
            "SELECT source_path, size, content_hash, status, article_id, published_month FROM sources ORDER BY ALL"
        )
        assert query(edition, sources) == query(rebuilt, sources)
        assert parquet_of(edition) == parquet_of(rebuilt)
        assert verify_edition(self.settings()) == []
        published = (
            "SELECT article_id FROM changes GROUP BY article_id HAVING max_by(change, edition_id) <> 'withdrawn'"
        )
        assert set(query(edition, published)) == set(query(edition, "SELECT article_id FROM articles"))
        shutil.rmtree(self.folder / "rebuilt")

    def teardown(self) -> None:
        shutil.rmtree(self.folder)


def parquet_of(edition: Path) -> dict[str, bytes]:
    """Return the contents of the Parquet files of the content tables, by path."""
    files = [file for table in ("articles", "images", "captions") for file in (edition / table).rglob("*.parquet")]
    return {str(file.relative_to(edition)): file.read_bytes() for file in files if pq.read_metadata(file).num_rows}


TestNewsroom = pytest.mark.slow(Newsroom.TestCase)
TestNewsroom.settings = settings(
    max_examples={"ci": 12, "soak": 500}.get(os.environ.get("HYPOTHESIS_PROFILE", "ci"), 100),
    stateful_step_count=25,
    phases=[Phase.generate],  # shrinking a failing sequence takes longer than reading it
    deadline=None,
)
