"""A link or a folder that is swapped while the source is read publishes nothing from outside."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.pipeline import run
from flows.pipeline.run import publish_edition
from flows.problems import RejectedError
from flows.settings import Settings
from flows.source.listing import read_seed_file, read_seed_files
from tests.conftest import FOREIGN, query, seed_file
from tests.runners import Replacing
from tests.test_links import point, problems

FLIP = """
import os, sys
link, *targets = sys.argv[1:]
print("ready", flush=True)
while True:
    for target in targets:
        os.symlink(target, link + ".new")
        os.replace(link + ".new", link)
"""


def swap_file(source: Path, outside: Path) -> None:
    (source / "sub" / "secret.md").unlink()
    (source / "sub" / "secret.md").symlink_to(outside / "secret.md")


def swap_link(source: Path, outside: Path) -> None:
    point(source / "sub" / "link.md", outside / "secret.md")


def swap_folder(source: Path, outside: Path) -> None:
    (source / "sub").rename(source / ".sub")
    (source / "sub").symlink_to(outside)


def swap_folder_of_a_target(source: Path, outside: Path) -> None:
    (source / ".git").rename(source / ".hg")
    (source / ".git").symlink_to(outside)


def swap_for_a_pipe(source: Path, outside: Path) -> None:
    (source / ".git" / "secret.md").unlink()
    os.mkfifo(source / ".git" / "secret.md")


@pytest.mark.parametrize(
    "swap",
    [swap_file, swap_link, swap_folder, swap_folder_of_a_target, swap_for_a_pipe],
    ids=lambda swap: swap.__name__,
)
def test_what_is_swapped_after_the_listing_is_not_published(source, warehouse, outside, swap: Callable[..., None]):
    for folder in ("sub", ".git"):
        (source / folder).mkdir()
        (source / folder / "secret.md").write_text(seed_file(folder))
    (source / "sub" / "link.md").symlink_to("../.git/secret.md")

    def transform(plan, batch):
        swap(source, outside)
        return run.transform(plan, batch)

    report = publish_edition(Settings(source=source, warehouse=warehouse), Replacing(transform=transform))
    assert 1 <= len(problems(report.folder)) == report.edition.rejected
    assert query(report.folder, "SELECT count(*) FROM sources") == [(2,)]
    assert not [row for row in query(report.folder, "SELECT title FROM articles") if row == (FOREIGN,)]


def test_a_link_that_is_swapped_all_the_time_never_leads_outside(source, outside):
    (source / "inside.txt").write_text("inside")
    (source / "a.md").symlink_to("inside.txt")
    command = [sys.executable, "-c", FLIP, source / "a.md", outside / "secret.md", source / "inside.txt"]
    found = {"inside": 0, "refused": 0}
    with subprocess.Popen(command, stdout=subprocess.PIPE) as flipping:
        try:
            flipping.stdout.readline()
            while min(found.values()) < 300:
                try:
                    assert read_seed_file(source, "a.md") == b"inside"
                    found["inside"] += 1
                except (RejectedError, OSError):
                    found["refused"] += 1
        finally:
            flipping.kill()


def test_a_source_that_is_a_link_may_move_while_it_is_read(tmp_path):
    """As to the next release of the articles: what is read then is below the source."""
    for release in ("1", "2"):
        for folder in ("a", "b"):
            (tmp_path / release / folder).mkdir(parents=True)
            (tmp_path / release / folder / "x.md").write_text(release)
    source = tmp_path / "source"
    source.symlink_to("1")
    contents = read_seed_files(source, ["a/x.md", "b/x.md"])
    assert next(contents) == b"1"
    point(source, "2")
    assert next(contents) == b"2"
