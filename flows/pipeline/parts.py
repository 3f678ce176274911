"""Divide the months to write into parts, each with exactly the files that it reads."""

from collections.abc import Iterable
from pathlib import Path

from flows.pipeline.plan import Part
from flows.schema import CONTENT
from flows.warehouse.manifest import read_manifest
from flows.warehouse.parquet import month_file
from flows.warehouse.staging import BUCKETS, StagedFile, bucket_of, files_of_bucket


def find_parts(
    months: Iterable[str | None],
    staged: tuple[StagedFile, ...],
    excluded: tuple[StagedFile, ...],
    reusable: Path | None,
) -> tuple[Part, ...]:
    """Return a part for each bucket that has months to write.

    `staged` are the files with the new rows, `excluded` the files with the rows to exclude, which every part reads. The
    files of the edition `reusable` come from its manifest, so that a lost file is an error, and not an empty month.
    """
    ordered = sorted(months, key=str)
    parts = ((bucket, tuple(month for month in ordered if bucket_of(month) == bucket)) for bucket in range(BUCKETS))
    known = read_manifest(reusable).by_path if reusable else {}
    return tuple(
        Part(
            part,
            (*files_of_bucket(staged, bucket), *excluded),
            tuple(known[path] for path in _paths(part) if path in known),
        )
        for bucket, part in parts
        if part
    )


def _paths(months: Iterable[str | None]) -> list[str]:
    """Return the paths, below an edition, of the content of some months."""
    return [month_file(Path(), table, month).as_posix() for month in months for table in CONTENT]
