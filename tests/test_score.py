"""Contenders are judged by the truth: a right database has no errors, and each fault is counted once, as what it is."""

import shutil
from pathlib import Path

import duckdb
import pytest

from benchmarks.corpus import write_corpus
from benchmarks.expert import main as run_expert
from benchmarks.score import score
from flows.pipeline.run import publish_edition
from flows.settings import Settings


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("score") / "corpus"
    write_corpus(folder, 600)
    return folder


@pytest.fixture(scope="module")
def ours(corpus: Path) -> Path:
    """The database of our edition of the corpus."""
    settings = Settings(source=corpus / "source", warehouse=corpus / "warehouse")
    return publish_edition(settings).folder / "broadsheet.duckdb"


def errors(database: Path, corpus: Path) -> dict[str, int]:
    return {name: count for name, count in score(database, corpus / "truth").items() if count}


def test_our_edition_has_no_errors(ours: Path, corpus: Path):
    assert errors(ours, corpus) == {}


def test_the_expert_finds_the_same_articles_and_images(corpus: Path, tmp_path: Path):
    run_expert(corpus / "source", tmp_path / "expert", 2)
    found = score(tmp_path / "expert" / "expert.duckdb", corpus / "truth")
    assert (found["articles"], found["images"], found["captions"]) == (0, 0, 0)


@pytest.mark.parametrize(
    ("fault", "counted"),
    [
        ("DELETE FROM captions WHERE caption_id IN (SELECT caption_id FROM captions LIMIT 7)", {"captions": 7}),
        ("INSERT INTO articles FROM articles LIMIT 6", {"articles": 6}),
        ("INSERT INTO images FROM images LIMIT 2", {"images": 2}),
        ("INSERT INTO captions FROM captions LIMIT 2", {"captions": 2}),
        ("UPDATE articles SET title = 'x' WHERE rowid < 3", {"titles": 3}),
        ("UPDATE images SET url = 'x' WHERE rowid < 8", {"urls": 8}),
        ("UPDATE captions SET agency = 'x' WHERE rowid < 5", {"agencies": 5}),
        ("UPDATE captions SET photographer = 'x' WHERE rowid < 4", {"photographers": 4}),
    ],
)
def test_a_fault_is_counted_once(fault: str, counted: dict[str, int], ours: Path, corpus: Path, tmp_path: Path):
    copy = Path(shutil.copy(ours, tmp_path / "copy.duckdb"))
    copy.chmod(0o644)
    with duckdb.connect(copy) as connection:
        connection.execute(fault)
    assert errors(copy, corpus) == counted
