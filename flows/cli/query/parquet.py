"""Write the rows of a query as Parquet, if Parquet supports all of their types and values."""

from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq
from duckdb.sqltypes import DuckDBPyType

from flows.cli.query.formats import Rows, batches
from flows.errors import QueryError
from flows.warehouse.database import ROW_GROUP_SIZE

# Parquet lacks these types, or Arrow changes their values silently.
_UNSUPPORTED_TYPES = {"interval", "union", "time with time zone", "uhugeint", "bit", "bignum", "variant", "geometry"}
_NESTED_TYPES = {"list", "array", "struct", "map", "tuple"}


def write_parquet(rows: Rows, file: BinaryIO) -> None:
    """Write Parquet with row groups as in the database; raise QueryError with the name of an unsupported column."""
    types = dict(zip(rows.columns, rows.types, strict=True))
    for name, type_ in types.items():
        if _UNSUPPORTED_TYPES & set(_type_names(type_)):
            raise _unsupported_error(name, type_)
    found = batches(rows, ROW_GROUP_SIZE)
    first = next(found, None)
    schema = first.schema if first else rows.limit(0).to_arrow_table().schema
    _require_supported(schema.empty_table(), types)
    with pq.ParquetWriter(file, schema, compression="zstd") as writer:
        for batch in chain([first] if first else [], found):
            _write_batch(writer, batch, types)


def _write_batch(writer: pq.ParquetWriter, batch: pa.RecordBatch, types: dict[str, DuckDBPyType]) -> None:
    try:
        batch.validate(full=True)
        writer.write_batch(batch)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        _require_supported(pa.Table.from_batches([batch]), types)
        raise


def _require_supported(table: pa.Table, types: dict[str, DuckDBPyType]) -> None:
    """Raise QueryError for the first column that cannot be written."""
    for name in table.column_names:
        column = table.select([name])
        try:
            column.validate(full=True)
            pq.write_table(column, pa.BufferOutputStream())
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            raise _unsupported_error(name, types[name]) from None


def _type_names(type_: DuckDBPyType) -> Iterator[str]:
    yield type_.id
    if type_.id in _NESTED_TYPES:
        for _, child in type_.children:
            if isinstance(child, DuckDBPyType):  # the children of an array include its length
                yield from _type_names(child)


def _unsupported_error(name: str, type_: DuckDBPyType) -> QueryError:
    quoted = name.replace('"', '""')
    return QueryError(
        f"Parquet cannot hold the column {name} ({type_}), or one of its values."
        f' Cast it in the query, for example CAST("{quoted}" AS VARCHAR), or choose --format csv.'
    )
