"""Every failure that ends a run or a command: how it comes about for real, and the sentence that reports it.

A case is a context manager: within its block the failure is there, after it the next run publishes.
"""

from typing import NamedTuple

from flows import errors
from tests.failing_disks import (
    a_check_fails,
    a_file_is_missing,
    a_month_and_the_database_are_damaged,
    a_month_is_damaged,
    an_edition_is_from_the_future,
    another_run_holds_the_lock,
    current_dangles,
    current_is_lost,
    disk_is_full_while_loading,
    disk_is_full_while_reading,
    disk_is_too_small,
    disk_refuses,
    edition_has_a_foreign_log,
    folder_cannot_be_listed,
    manifest_is_broken,
    most_articles_are_gone,
    source_is_empty,
    source_is_gone,
    warehouse_is_something_else,
)
from tests.failing_newsroom import Happens
from tests.failing_services import (
    another_run_publishes_first,
    bucket_is_missing,
    cluster_is_not_there,
    dask_on_the_command_line,
    database_gets_no_memory,
    path_has_a_question_mark,
    pointer_is_forbidden,
    profile_is_unknown,
    setting_is_wrong,
    store_has_no_etags,
    store_is_down,
    workers_are_blind,
    workers_are_killed,
)


class Failure(NamedTuple):
    """A way in which a run fails: `message` is a regular expression of the whole sentence.

    `step` is the step of the pipeline that raises it, where one does. `runs` names the runs that meet it: the command
    line, the flow on this machine and on Dask (cli, flow, dask), with the warehouse in a folder or in a store.
    """

    kind: type[errors.RunError]
    message: str
    happens: Happens
    step: str | None = None
    runs: tuple[str, ...] = ("cli folder", "flow folder", "dask folder", "flow store")
    after: bool = True  # whether an edition is published before


FOLDER = ("cli folder", "flow folder", "dask folder")
STORE = ("cli store", "flow store")
EVERYWHERE = (*FOLDER, *STORE)


FAILURES = (
    Failure(errors.InvalidSettingError, r"BROADSHEET_TIME_ZONE: Mars/Olympus .*", setting_is_wrong, after=False),
    Failure(errors.ConfigurationError, r"The dask runner works only in the flow. .*", dask_on_the_command_line, None, ("cli folder",)),
    Failure(errors.ConfigurationError, r"AWS settings cannot be used: .*nobody.*", profile_is_unknown, "extract", STORE),
    Failure(errors.SourceNotFoundError, r"Source folder not found: .*/source\. .*", source_is_gone),
    Failure(errors.SourceUnreadableError, r"The folder .* cannot be listed \(File name too long\); .*", folder_cannot_be_listed, "extract"),
    Failure(errors.WithdrawalsError, r"3 of 4 published articles would be withdrawn, .*", most_articles_are_gone, "reconcile"),
    Failure(errors.WarehouseForeignError, r"The folder .* is not a Broadsheet warehouse \(it contains thesis.txt\)\. .*", warehouse_is_something_else),
    Failure(errors.WarehouseLockedError, r"Another run is publishing into .*: process \d+ on .* since .*", another_run_holds_the_lock),
    Failure(errors.WarehouseUnwritableError, r"The warehouse /proc/broadsheet.* cannot be written \(.*", disk_refuses),
    Failure(errors.WarehouseUnwritableError, r"The warehouse .* cannot be written \(.*", disk_is_full_while_reading, "transform", ("cli folder", "flow folder", "cli store", "flow store")),
    Failure(errors.NoSpaceError, r"The disk of .* has .* MB free, and an edition may need 1,000,000,000 MB\. .*", disk_is_too_small, "extract"),
    Failure(errors.BuildError, r"The database of .* cannot be built \(.*", disk_is_full_while_loading, "load", EVERYWHERE),
    Failure(errors.EditionNotFoundError, r"The edition 20\w+ is missing from .*", current_dangles, "extract", EVERYWHERE),
    Failure(errors.EditionDamagedError, r".*/edition.json cannot be read \(.*", manifest_is_broken, "extract", EVERYWHERE),
    Failure(errors.EditionDamagedError, r".*/articles\.parquet cannot be read \(.*", a_month_is_damaged, "write_partitions", FOLDER),
    Failure(errors.EditionDamagedError, r"The file .*/articles\.parquet has a different hash than .*", a_month_and_the_database_are_damaged, "reconcile", FOLDER),
    Failure(errors.EditionDamagedError, r".*broadsheet.duckdb.wal is not in edition.json\. .*", edition_has_a_foreign_log, "extract", ("cli folder", "cli store", "flow folder")),
    Failure(errors.EditionDamagedError, r"The file .*/changes\.parquet is missing\. .*", a_file_is_missing, "extract", FOLDER),
    Failure(errors.CheckError, r"The check never failed; its first row is \('broken',\)\. Nothing was published\. .*", a_check_fails, "check", EVERYWHERE),
    Failure(errors.PublishConflictError, r"Another run has published into .*", another_run_publishes_first, "publish", (*STORE, "dask store")),
    Failure(errors.SourceEmptyError, r"No seed files .*", source_is_empty, "extract", after=False),
    Failure(errors.EditionNotChosenError, r".*current is missing, though .* has editions, such as .*", current_is_lost, "extract", EVERYWHERE),
    Failure(errors.ClockError, r"The clock of this machine says .*", an_edition_is_from_the_future, "extract", EVERYWHERE),
    Failure(errors.WarehousePathError, r"The path of the warehouse, .*why\?.*, has the character \? .*", path_has_a_question_mark),
    Failure(errors.OutOfMemoryError, r"The process ran out of memory \(.*", database_gets_no_memory, "load"),
    Failure(errors.WorkerLostError, r"A worker process was killed.*", workers_are_killed, "transform", ("cli folder", "flow folder", "cli store", "flow store")),
    Failure(errors.StorageUnsupportedError, r"The store of s3://.* returns no ETag.*", store_has_no_etags, "extract", STORE, after=False),
    Failure(errors.ObjectRefusedError, r"The store refuses to return s3://.*/current \(AccessDenied\)\. .*", pointer_is_forbidden, "extract", STORE),
    Failure(errors.StorageUnavailableError, r"The store of s3://.* does not answer \(.*", store_is_down, "extract", STORE),
    Failure(errors.StorageRefusedError, r"Bucket not found: no-such-bucket\. .*", bucket_is_missing, "extract", STORE),
    Failure(errors.ClusterError, r"No worker of a Dask cluster answers at tcp://127.0.0.1:9 \(.*", cluster_is_not_there, None, ("dask folder",)),
    Failure(errors.WorkerBlindError, r"The worker on .* does not see /proc/self/cwd/.*\. Give the workers .*", workers_are_blind, "transform", ("dask folder",)),
)  # fmt: skip
