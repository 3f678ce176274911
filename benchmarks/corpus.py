"""A corpus of invented seed files, the same bytes for the same count everywhere, and the truth about it.

    python -m benchmarks.corpus FOLDER COUNT

FOLDER/source gets the files, FOLDER/truth the rows that a reader should find in them, as Parquet.
"""

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from types import NoneType
from typing import Any, get_args, get_type_hints

import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.invented import FOLDER, ExpectedArticle, ExpectedCaption, ExpectedImage, Invented, invent, path_of

TRUTH: dict[str, type[Any]] = {"articles": ExpectedArticle, "images": ExpectedImage, "captions": ExpectedCaption}
STAMP = "corpus.txt"  # says of which count and which generator a corpus is


def write_corpus(folder: Path, count: int) -> Path:
    """Write a corpus of a number of files, if it does not exist yet, and return its folder."""
    source, stamp = folder / "source", f"{count} files by generator {_generator()}\n"
    if folder.exists() and any(folder.iterdir()):
        if not (folder / STAMP).exists():
            sys.exit(f"corpus: {folder} holds something else; name a folder that is new or empty.")
        if (folder / STAMP).read_text() == stamp:
            return source
        rmtree(source, ignore_errors=True)
    (folder / "truth").mkdir(parents=True, exist_ok=True)
    (folder / STAMP).write_text("unfinished\n")
    _write_files(folder, count)
    os.sync()  # so that it burdens no measurement
    (folder / STAMP).write_text(stamp)
    return source


def _write_files(folder: Path, count: int) -> None:
    schemas = {name: _schema(row) for name, row in TRUTH.items()}
    writers = {name: pq.ParquetWriter(folder / "truth" / f"{name}.parquet", schema) for name, schema in schemas.items()}
    with ProcessPoolExecutor() as pool:
        for truth in pool.map(partial(_write_folder, folder / "source", count), range(0, count, FOLDER)):
            for name, rows in truth.items():
                writers[name].write_table(rows)
    for writer in writers.values():
        writer.close()


def _write_folder(source: Path, count: int, first: int) -> dict[str, pa.Table]:
    """Write the files of one folder; returns the truth about them."""
    (source / path_of(first)).parent.mkdir(parents=True)
    files = [invent(number, count) for number in range(first, min(first + FOLDER, count))]
    for file in files:
        descriptor = os.open(source / file.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        os.write(descriptor, file.content)
        os.close(descriptor)
    return {name: _table(name, rows) for name, rows in _truth(files).items()}


def _truth(files: list[Invented]) -> dict[str, list[Any]]:
    return {
        "articles": [file.article for file in files if file.article],
        "images": [image for file in files for image in file.images],
        "captions": [caption for file in files for caption in file.captions],
    }


def _table(name: str, rows: list[Any]) -> pa.Table:
    schema = _schema(TRUTH[name])
    columns = zip(*rows, strict=True) if rows else ([] for _ in schema)
    return pa.Table.from_arrays([pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)], schema=schema)


def _schema(row: type[Any]) -> pa.Schema:
    hints = get_type_hints(row)
    plain = {name: next((t for t in get_args(hint) if t is not NoneType), hint) for name, hint in hints.items()}
    return pa.schema([(name, pa.int32() if type_ is int else pa.string()) for name, type_ in plain.items()])


def _generator() -> str:
    """A hash of what shapes the files."""
    here = Path(__file__).parent
    return sha256(b"".join((here / name).read_bytes() for name in ("invented.py", "words.py"))).hexdigest()[:16]


if __name__ == "__main__":
    write_corpus(Path(sys.argv[1]), int(sys.argv[2]))
