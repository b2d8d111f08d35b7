"""Delta tables: made with their version, read, appended to, replaced, merged into; names no column of any table."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from election_assets.schemas import Table

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

VERSION_PROPERTY = "election_assets.table_version"
COMMIT_ATTEMPTS = 5
KEPT_HOURS = 7 * 24
_LOST_RACE = (
    "Failed to commit transaction",
    "ConcurrentAppend",
    "ConcurrentDelete",
    "ConcurrentModification",
    "already exists",
)


class TableVersionError(ValueError):
    """A table was written by a newer release, or by an older one that lacked a column."""


def exists(path: str) -> bool:
    """Whether a Delta table stands at this path."""
    from deltalake import DeltaTable

    return DeltaTable.is_deltatable(path)


def ensure(table: Table, path: str) -> None:
    """Makes an empty table with its version unless one is there.

    Raises:
        TableVersionError: If the one that is there is of a newer version than this release reads.
    """
    import pyarrow as pa
    from deltalake import DeltaTable

    if not exists(path):
        fields = [pa.field(column.name, _arrow_type(column.type)) for column in table.columns]
        DeltaTable.create(
            path,
            schema=pa.schema(fields),
            mode="ignore",
            partition_by=list(table.partition_by),
            configuration={VERSION_PROPERTY: str(table.version)},
            raise_if_key_not_exists=False,
        )
    check_version(table, path)


def check_version(table: Table, path: str) -> None:
    """Refuses a table of a newer version than this release reads.

    Raises:
        TableVersionError: In that case.
    """
    found = _version(path)
    if found > table.version:
        raise TableVersionError(
            f"{path}: the table has version {found} and this release reads {table.name} up to {table.version};"
            " use the release that wrote it or a newer one."
        )


def read(spark: SparkSession, table: Table, path: str) -> DataFrame:
    """The rows of a table, with its columns in the schema's order; an empty frame if there is no table yet.

    Raises:
        TableVersionError: If the table is of a newer version than this release reads, or of an older one that lacks a
            column.
    """
    if not exists(path):
        return spark.createDataFrame([], schema=table.ddl)
    check_version(table, path)
    frame = spark.read.format("delta").load(path)
    missing = [name for name in table.names if name not in frame.columns]
    if missing:
        raise TableVersionError(
            f"{path}: an older release wrote the table, without {', '.join(missing)}; materialise {table.name} again,"
            " and what follows it."
        )
    return frame.select(*table.names)


def append(frame: DataFrame, table: Table, path: str) -> None:
    """Adds rows."""
    ensure(table, path)
    _commit(lambda: frame.select(*table.names).write.format("delta").mode("append").save(path))


def replace(frame: DataFrame, table: Table, path: str) -> None:
    """Replaces all rows in one commit; the frame may read the table itself. A table of an older version becomes new."""
    from deltalake import DeltaTable

    ensure(table, path)
    older = _version(path) < table.version
    writer = frame.select(*table.names).write.format("delta").mode("overwrite")
    if older:
        writer = writer.option("overwriteSchema", "true")
    _commit(lambda: writer.save(path))
    if older:
        DeltaTable(path).alter.set_table_properties({VERSION_PROPERTY: str(table.version)}, raise_if_not_exists=False)


def merge(
    spark: SparkSession, frame: DataFrame, table: Table, path: str, *, on: str, update_if: str, update: Iterable[str]
) -> None:
    """MERGEs rows: a matching row has the columns of `update` set if `update_if` holds, others are inserted.

    Args:
        spark: The session that the frame belongs to.
        frame: At most one row a match, with the table's columns.
        table: The table's schema.
        path: Where it stands.
        on: Condition between `t` (the table) and `s` (the frame); name the partition in it, or all files are read.
        update_if: Condition between `t` and `s` under which a match is updated.
        update: Columns to set.
    """
    ensure(table, path)
    view = f"merge_source_{time.monotonic_ns()}"
    frame.select(*table.names).createOrReplaceTempView(view)
    columns = ", ".join(f"`{name}`" for name in table.names)
    statement = (
        f"MERGE INTO delta.`{path}` AS t USING {view} AS s ON {on}"
        f" WHEN MATCHED AND {update_if} THEN UPDATE SET {', '.join(f't.`{name}` = s.`{name}`' for name in update)}"
        f" WHEN NOT MATCHED THEN INSERT ({columns}) VALUES ({', '.join(f's.`{name}`' for name in table.names)})"
    )
    try:
        _commit(lambda: spark.sql(statement).collect())
    finally:
        spark.catalog.dropTempView(view)


def delete(spark: SparkSession, path: str, where: str) -> None:
    """Deletes the rows for which the SQL condition holds."""
    _commit(lambda: spark.sql(f"DELETE FROM delta.`{path}` WHERE {where}").collect())


def vacuum(path: str, kept_hours: int = KEPT_HOURS) -> None:
    """Removes the files that no version of the last hours needs; what was deleted or replaced ends with them."""
    from deltalake import DeltaTable

    if exists(path):
        DeltaTable(path).vacuum(retention_hours=kept_hours, dry_run=False, enforce_retention_duration=False)


def row_count(path: str) -> int:
    """The number of rows, from the table's log; 0 if there is no table."""
    from deltalake import DeltaTable

    return DeltaTable(path).count() if exists(path) else 0


def partition_files(path: str, column: str) -> dict[str, list[str]]:
    """The names of a table's files by the value of a partition column, sorted; empty if there is no table."""
    from deltalake import DeltaTable

    if not exists(path):
        return {}
    actions = DeltaTable(path).get_add_actions(flatten=True)
    files: dict[str, list[str]] = {}
    for name, value in zip(
        actions.column("path").to_pylist(), actions.column(f"partition.{column}").to_pylist(), strict=True
    ):
        files.setdefault(str(value), []).append(name)
    return {value: sorted(names) for value, names in files.items()}


def _version(path: str) -> int:
    from deltalake import DeltaTable

    return int(DeltaTable(path).metadata().configuration.get(VERSION_PROPERTY, "1"))


def _commit(write: Callable[[], object]) -> None:
    """Runs a commit again, a bounded number of times, when another writer was first."""
    for attempt in range(1, COMMIT_ATTEMPTS + 1):
        try:
            write()
            return
        except Exception as error:
            if attempt == COMMIT_ATTEMPTS or not any(sign in str(error) for sign in _LOST_RACE):
                raise
            time.sleep(0.2 * attempt)


def _arrow_type(spark_type: str) -> pa.DataType:
    import pyarrow as pa

    simple = {
        "string": pa.string(),
        "timestamp": pa.timestamp("us", tz="UTC"),
        "date": pa.date32(),
        "int": pa.int32(),
        "bigint": pa.int64(),
        "double": pa.float64(),
        "boolean": pa.bool_(),
        "binary": pa.binary(),
    }
    if spark_type in simple:
        return simple[spark_type]
    if spark_type.startswith("array<"):
        return pa.list_(_arrow_type(spark_type[len("array<") : -1]))
    fields = spark_type.removeprefix("struct<").removesuffix(">").split(",")
    return pa.struct([(name, _arrow_type(kind)) for name, kind in (field.split(":") for field in fields)])
