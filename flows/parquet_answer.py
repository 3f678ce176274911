"""The rows of an answer as Parquet, where each of its types and values has a form there."""

from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
from duckdb.sqltypes import DuckDBPyType

from flows.errors import QueryError
from flows.formats import Rows, batches
from flows.warehouse.database import ROW_GROUP

# Arrow has them as other values, and does not say so.
_CHANGED = {"time with time zone", "uhugeint", "bit", "bignum", "variant", "geometry"}
_NESTED = {"list", "array", "struct", "map", "tuple", "union"}


def write_parquet(rows: Rows, file: BinaryIO) -> None:
    """Write Parquet with row groups as in the database; raises QueryError, which names a column that has no form."""
    for name, type_ in zip(rows.columns, rows.types, strict=True):
        if _CHANGED & set(_types(type_)):
            raise _unfit(name, str(type_))
    found = batches(rows, ROW_GROUP)
    first = next(found, None)
    schema = first.schema if first else rows.limit(0).to_arrow_table().schema
    _require_forms(schema.empty_table())
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        while first:
            _write_batch(writer, first)
            first = next(found, None)


def _write_batch(writer: pq.ParquetWriter, batch: pa.RecordBatch) -> None:
    try:
        batch.validate(full=True)
        writer.write_batch(batch)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        _require_forms(pa.Table.from_batches([batch]))
        raise


def _require_forms(table: pa.Table) -> None:
    """Raise QueryError for the first column that cannot be written."""
    for name in table.column_names:
        column = table.select([name])
        try:
            column.validate(full=True)
            pq.write_table(column, pa.BufferOutputStream())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            raise _unfit(name, str(column.schema.field(0).type)) from None


def _types(type_: DuckDBPyType) -> Iterator[str]:
    yield type_.id
    if type_.id in _NESTED:
        for _, child in type_.children:
            if isinstance(child, DuckDBPyType):
                yield from _types(child)


def _unfit(name: str, type_: str) -> QueryError:
    return QueryError(
        f"Parquet cannot hold the column {name} of the type {type_}, or a value in it."
        f' Cast it, such as "{name}"::VARCHAR, or choose --format csv.'
    )
