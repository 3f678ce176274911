"""Convert tables to Arrow: their schemas and rows."""

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import islice
from operator import itemgetter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.resources import usable_cpus
from flows.schema import Table, columns

pa.set_cpu_count(usable_cpus())  # Arrow's default is the number of cores, which ignores the CPU quota of a container
pa.set_memory_pool(pa.system_memory_pool())  # Arrow's own pool keeps a third of freed memory

CHUNK_ROWS = 10_000  # rows that exist as Python objects at the same time
_TYPES = {
    "string": pa.string(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "double": pa.float64(),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}


@cache
def arrow_schema(table: Table) -> pa.Schema:
    """Return the Arrow schema of a table, with the descriptions of the table and its columns as metadata."""
    fields = [
        pa.field(column.name, _TYPES[column.type], column.nullable, {"description": column.description})
        for column in columns(table)
    ]
    return pa.schema(fields, metadata={"description": table.description})


def to_arrow(table: Table, rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    """Convert rows to an Arrow table; raise ValueError or an Arrow error if a value does not fit its column."""
    schema = arrow_schema(table)
    values = [list(map(itemgetter(index), rows)) for index in range(len(schema))]
    arrays = [pa.array(value, type=field.type) for value, field in zip(values, schema, strict=True)]
    for field, array in zip(schema, arrays, strict=True):
        if array.null_count and not field.nullable:
            raise ValueError(f"null in the column {field.name} of {table.name}")
    return pa.Table.from_arrays(arrays, schema=schema)


def collect(table: Table, rows: Iterable[tuple[Any, ...]]) -> pa.Table:
    """Convert an iterable of rows to an Arrow table, in chunks to save memory."""
    remaining = iter(rows)
    chunks = [arrow_schema(table).empty_table()]
    while chunk := list(islice(remaining, CHUNK_ROWS)):
        chunks.append(to_arrow(table, chunk))
    return pa.concat_tables(chunks)


def select_columns(table: Table, rows: pa.Table) -> pa.Table:
    """Return rows with only the columns of a table, cast to its types."""
    schema = arrow_schema(table)
    return rows.select(schema.names).cast(schema)


def release_memory() -> None:
    """Return freed memory to the system, since large allocations cannot reuse small free blocks."""
    pa.default_memory_pool().release_unused()


def sort_order(table: Table, rows: pa.Table) -> pa.Array:
    """Return the indices that sort rows by the table's sort columns. The sort is stable."""
    return pc.sort_indices(rows, sort_keys=[(column, "ascending") for column in table.sort])


def sort(table: Table, rows: pa.Table) -> pa.Table:
    """Return the rows sorted by the table's sort columns."""
    order = sort_order(table, rows)
    is_sorted = pc.all(pc.greater(order[1:], order[:-1])).as_py() is not False
    return rows if is_sorted else rows.take(order)
