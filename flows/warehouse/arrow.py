"""Tables in Arrow: their schemas, and rows as columns."""

from collections.abc import Iterable, Sequence
from functools import cache
from itertools import islice
from operator import itemgetter
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from flows.resources import usable_cpus
from flows.schema import Table, columns

pa.set_cpu_count(usable_cpus())  # Arrow's own count is of the cores, whatever the container's quota of their time
pa.set_memory_pool(pa.system_memory_pool())  # it gives back what was freed: Arrow's own keeps a third for the next time

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
def schema(table: Table) -> pa.Schema:
    """Return the Arrow schema of a table; the table and each field carry their description."""
    fields = [
        pa.field(column.name, _TYPES[column.type], column.nullable, {"description": column.description})
        for column in columns(table)
    ]
    return pa.schema(fields, metadata={"description": table.description})


def to_arrow(table: Table, rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    """Return rows as Arrow columns; raise ValueError or an Arrow error if a column cannot hold a value."""
    shape = schema(table)
    values = [list(map(itemgetter(place), rows)) for place in range(len(shape))]
    arrays = [pa.array(value, type=field.type) for value, field in zip(values, shape, strict=True)]
    for field, array in zip(shape, arrays, strict=True):
        if array.null_count and not field.nullable:
            raise ValueError(f"null in the column {field.name} of {table.name}")
    return pa.Table.from_arrays(arrays, schema=shape)


CHUNK = 10_000  # rows that are Python objects at once


def collect(table: Table, rows: Iterable[tuple[Any, ...]]) -> pa.Table:
    """Return an iterator's rows as Arrow columns, in batches: a million rows are never Python objects at once."""
    waiting = iter(rows)
    parts = [schema(table).empty_table()]
    while part := list(islice(waiting, CHUNK)):
        parts.append(to_arrow(table, part))
    return pa.concat_tables(parts)


def release_memory() -> None:
    """Return memory that was freed in small pieces to the system; large allocations would not reuse it."""
    pa.default_memory_pool().release_unused()


def in_order(table: Table, rows: pa.Table) -> pa.Array:
    """Return the indices that sort rows in the table's order; rows of equal keys keep their order."""
    return pc.sort_indices(rows, sort_keys=[(column, "ascending") for column in table.sort])


def sort(table: Table, rows: pa.Table) -> pa.Table:
    """Return the rows in the table's order."""
    order = in_order(table, rows)
    is_sorted = pc.all(pc.greater(order[1:], order[:-1])).as_py() is not False
    return rows if is_sorted else rows.take(order)
