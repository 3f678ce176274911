"""Workers on other machines that are late, old or blind put no wrong row into an edition."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from flows.errors import RunError, StagedFileError, WorkerBlindError, WorkerVersionError
from flows.object_store import objects, transfers
from flows.object_store.path import ObjectPath
from flows.pipeline import run as steps
from flows.pipeline.code import CODE
from flows.pipeline.run import publish_edition
from flows.pipeline.verify import verify_edition
from flows.settings import Settings
from tests.conftest import query, rows_of, seed_file
from tests.object_store import BUCKET
from tests.runners import Replacing

ARTICLES = 600  # two batches


@pytest.fixture(params=["folder", pytest.param("URL", marks=pytest.mark.slow)])
def settings(request: pytest.FixtureRequest, source: Path, warehouse: Path, tmp_path: Path) -> Settings:
    """The settings of a run from a folder of articles in five months to a warehouse in a folder or below a URL."""
    for number in range(ARTICLES):
        (source / f"{number:03}.md").write_text(seed_file(f"A{number}", date=f"2026-0{1 + number % 5}-01"))
    if request.param == "folder":
        return Settings(source=source, warehouse=warehouse)
    request.getfixturevalue("object_store")
    place = ObjectPath(BUCKET, request.node.name.translate(str.maketrans("[]", "--"))) / "warehouse"
    return Settings(source=source, warehouse=place, data=tmp_path / "data")


def published_bytes(settings: Settings) -> dict[str, bytes]:
    """The bytes of every published file of the current edition."""
    warehouse = settings.warehouse
    if isinstance(warehouse, Path):
        edition = (warehouse / "current").resolve()
        return {str(file): file.read_bytes() for file in edition.rglob("*") if file.is_file()}
    edition_id = objects.read(warehouse / "current").decode()
    place = warehouse / "editions" / edition_id
    return {found.name: objects.read(place / found.name) for found in objects.list_objects(place)}


def correct(settings: Settings, name: str, title: str) -> None:
    path = Path(str(settings.source)) / name
    path.write_text(path.read_text().replace("A title", title))


def test_an_attempt_that_ends_late_is_not_used(settings, tmp_path):
    """The files that it has read changed before the attempt that took its place."""
    older = tmp_path / "older"
    older.mkdir()
    for file in Path(str(settings.source)).iterdir():
        (older / file.name).write_bytes(file.read_bytes())
        os.utime(older / file.name, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns))

    def transform(plan: Any, batch: Any) -> Any:
        correct(settings, "007.md", "Corrected")
        result = steps.transform(plan, batch)
        steps.transform(replace(plan, settings=plan.settings.model_copy(update={"source": older})), batch)
        return result

    edition = publish_edition(settings, Replacing(distributed=True, transform=transform)).folder
    assert query(edition, "SELECT title FROM articles WHERE article_id = 'A7'") == [("Corrected",)]
    assert verify_edition(settings) == []


@pytest.mark.parametrize("step", ["transform", "write_partitions"])
def test_a_part_that_is_done_again_after_its_run_changes_no_edition(settings, step):
    """A worker was suspended, its part was done by another one, and it wakes up after the edition was published."""
    publish_edition(settings)
    correct(settings, "007.md", "Corrected")
    late: list[Callable[[], object]] = []

    def do(plan: Any, part: Any) -> Any:
        late.append(lambda: getattr(steps, step)(plan, part))
        return late[-1]()

    published = publish_edition(settings, Replacing(distributed=True, **{step: do}))
    before, rows = published_bytes(settings), rows_of(published.folder)
    for again in late:
        with pytest.raises(RunError, match=r"cannot access .*\.staging|is missing or was changed"):
            again()
    assert published_bytes(settings) == before
    assert verify_edition(settings) == []
    rebuilt = publish_edition(settings.model_copy(update={"rebuild": True})).folder
    assert rows_of(rebuilt) == rows


@pytest.mark.parametrize("step", ["reconcile", "write_partitions", "load"])
def test_staged_rows_that_are_lost_are_not_taken_for_no_rows(settings, step):
    """Or Parquet that a worker has written."""
    publish_edition(settings)
    before = published_bytes(settings)
    correct(settings, "007.md", "Corrected")

    def lose(plan: Any, *arguments: Any) -> Any:
        if isinstance(settings.warehouse, ObjectPath):
            transfers.remove_all(settings.warehouse / ".staging")
        for file in plan.work.rglob("*"):
            if file.is_file() and plan.listing[0].attempt not in file.parts:
                file.unlink()
        return getattr(steps, step)(plan, *arguments)

    with pytest.raises(StagedFileError, match=r"is missing or was changed, so nothing was published"):
        publish_edition(settings, Replacing(distributed=True, **{step: lose}))
    assert published_bytes(settings) == before
    assert publish_edition(settings).edition.corrected == 1


def test_a_worker_with_another_parser_is_refused(settings, monkeypatch):
    older = CODE._replace(parser=CODE.parser - 1)

    def transform(plan: Any, batch: Any) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr("flows.pipeline.worker.CODE", older)
            return steps.transform(plan, batch)

    expected = (
        rf"runs different code than the flow: its parser is {older.parser} instead of {CODE.parser}\. Nothing was"
    )
    with pytest.raises(WorkerVersionError, match=expected):
        publish_edition(settings, Replacing(distributed=True, transform=transform))


@pytest.mark.parametrize("field", CODE._fields)
def test_every_difference_of_code_is_named(field):
    other = CODE._replace(**{field: ("pyarrow 1.0",) if field == "libraries" else "other"})
    assert CODE.difference(other).startswith(f"its {field} is {'pyarrow 1.0' if field == 'libraries' else 'other'}")
    assert CODE.difference(CODE) is None


@pytest.mark.parametrize("step", ["transform", "write_partitions"])
def test_what_an_older_release_returns_is_refused(settings, step):
    """It returned the number of files or months."""
    with pytest.raises(WorkerVersionError, match=r"runs different code than the flow: it is an older release\."):
        publish_edition(settings, Replacing(distributed=True, **{step: lambda plan, part: part.size}))


def seen_from(settings: Settings, there: Path) -> Replacing:
    """A runner whose workers see another source."""

    def transform(plan: Any, batch: Any) -> Any:
        elsewhere = replace(plan, settings=plan.settings.model_copy(update={"source": there}))
        return steps.transform(elsewhere, batch)

    return Replacing(distributed=True, transform=transform)


@pytest.mark.parametrize("missing", [ARTICLES, 1])
def test_a_worker_that_lacks_files_of_the_source_fails_the_run(settings, tmp_path, missing):
    """As under a mount point on which nothing is mounted."""
    there = tmp_path / "there"
    there.mkdir()
    for number, file in enumerate(sorted(Path(str(settings.source)).iterdir())):
        if number >= missing:
            (there / file.name).hardlink_to(file)
    expected = r"sees a different source: 000\.md is missing there, cannot be read, or has another"
    with pytest.raises(WorkerBlindError, match=expected):
        publish_edition(settings, seen_from(settings, there))


def test_a_worker_that_sees_an_older_copy_of_a_file_fails_the_run(settings, tmp_path):
    there = tmp_path / "there"
    there.mkdir()
    for file in Path(str(settings.source)).iterdir():
        (there / file.name).hardlink_to(file)
    (there / "007.md").unlink()
    (there / "007.md").write_text(seed_file("A7", "An older text"))
    with pytest.raises(WorkerBlindError, match=r"sees a different source: 007\.md is missing"):
        publish_edition(settings, seen_from(settings, there))


def test_files_that_change_after_they_were_listed_fail_no_run(settings):
    """One is deleted, one is changed, and one can no longer be read by anybody."""
    source = Path(str(settings.source))

    def extract(*arguments: Any) -> Any:
        plan = steps.extract(*arguments)
        (source / "000.md").unlink()
        correct(settings, "001.md", "Corrected")
        (source / "002.md").unlink()
        (source / "002.md").mkdir()
        return plan

    report = publish_edition(settings, Replacing(distributed=True, extract=extract))
    assert (report.edition.articles, report.edition.rejected) == (ARTICLES - 2, 2)
    assert query(report.folder, "SELECT title FROM articles WHERE article_id = 'A1'") == [("Corrected",)]
