"""The corpus that is measured: the same bytes everywhere, and a truth that our own reader finds."""

from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import pytest

from benchmarks.corpus import write_corpus
from benchmarks.invented import ExpectedArticle, ExpectedCaption, ExpectedImage, Invented, invent
from flows.articles.article import Reading, read_article


def found(reading: Reading) -> tuple[ExpectedArticle | None, list[ExpectedImage], list[ExpectedCaption]]:
    """What our reader finds, in the shape of the truth."""
    article = reading.article
    if article is None:
        return None, [], []
    return (
        ExpectedArticle(
            article.article_id, article.title, article.category or "", article.language or "", str(article.published_on),
            article.dateline or "", article.image_count, article.caption_count, article.source_path,
        ),
        [ExpectedImage(image.article_id, image.position, image.url) for image in reading.images],
        [
            ExpectedCaption(
                caption.article_id, int(caption.image_id.split("#")[1]), caption.text, caption.credit,
                caption.photographer, caption.agency,
            )
            for caption in reading.captions
        ],
    )  # fmt: skip


def lost_or_broken(file: Invented) -> bool:
    return file.article is None


def test_a_number_determines_the_bytes_of_an_article():
    digest = sha256(b"".join(invent(number, 200).path.encode() + invent(number, 200).content for number in range(200)))
    assert digest.hexdigest()[:16] == "153336d2660145e7"


def test_our_reader_finds_the_truth():
    files = [file for number in range(4000) if not lost_or_broken(file := invent(number, 4000))]
    readings = (found(read_article(file.content, file.path, ZoneInfo("UTC"))) for file in files)
    assert [file.path for file, rows in zip(files, readings, strict=True) if rows != file[2:]] == []


def test_a_hundredth_are_duplicates_and_a_thousandth_broken():
    files = [invent(number, 4000) for number in range(4000)]
    readings = [read_article(file.content, file.path, ZoneInfo("UTC")) for file in files if lost_or_broken(file)]
    assert sorted(reading.status for reading in readings) == ["published"] * 40 + ["rejected"] * 3


def test_the_truth_lies_beside_the_files(tmp_path: Path):
    source = write_corpus(tmp_path / "corpus", 1200)
    truth = pq.read_table(tmp_path / "corpus" / "truth" / "articles.parquet")
    assert len(list(source.rglob("*.md"))) == 1200
    assert truth.num_rows == 1200 - 12 - 2
    assert (source / truth["source_path"][0].as_py()).exists()


def test_no_other_folder_is_overwritten(tmp_path: Path):
    (tmp_path / "thesis.md").write_text("my only copy")
    with pytest.raises(SystemExit, match="contains other files"):
        write_corpus(tmp_path, 10)
    assert (tmp_path / "thesis.md").read_text() == "my only copy"
