"""Exceptions that stop a command or a run, raised with a message for the operator.

A message states what happened, the value, and how to fix it. Callers catch the exceptions that they can handle. The
command line reports all others and exits with 1, and the flow ends as Failed. tests/test_failures.py tests each class.
"""


class RunError(Exception):
    """The command or the run cannot continue. A run raises it only if nothing was published."""


class ConfigurationError(RunError):
    """A setting, an environment variable or a missing extra prevents the run."""


class InvalidSettingError(ConfigurationError):
    """A flag, a parameter of the flow or a BROADSHEET_* variable has an invalid value."""


class SourceError(RunError):
    """The source cannot be read completely."""


class SourceNotFoundError(SourceError):
    """The source is not a folder, or its prefix has no objects."""


class SourceUnreadableError(SourceError):
    """A folder of the source cannot be listed, and its articles would count as withdrawn."""


class SourceEmptyError(SourceError):
    """The source has no seed files, and the warehouse has no edition."""


class WithdrawalsError(SourceError):
    """More than half of the articles would be withdrawn at once."""


class SeedFileNotFoundError(SourceError):
    """The seed file of `broadsheet explain` does not exist."""


class WarehouseError(RunError):
    """The warehouse cannot be used."""


class WarehouseForeignError(WarehouseError):
    """The warehouse is a file, or a folder with other contents."""


class WarehousePathError(WarehouseError):
    """The path of the warehouse contains a character that DuckDB does not support in paths."""


class WarehouseLockedError(WarehouseError):
    """Another run is publishing into the warehouse."""


class WarehouseUnwritableError(WarehouseError):
    """The warehouse cannot be written: its disk is full or read-only, or permission is denied."""


class NoSpaceError(WarehouseError):
    """The disk of the warehouse has too little free space for an edition."""


class NoEditionError(WarehouseError):
    """Nothing is published yet."""


class EditionNotFoundError(WarehouseError):
    """An edition does not exist, though an argument or `current` names it."""


class EditionNotChosenError(WarehouseError):
    """Editions exist, but `current` does not name one of them."""


class EditionDamagedError(WarehouseError):
    """A file or an object of an edition is missing, or differs from the manifest."""


class ClockError(WarehouseError):
    """The clock of this machine cannot be right."""


class BuildError(WarehouseError):
    """DuckDB cannot build the database of the edition."""


class CheckError(WarehouseError):
    """A check of sql/checks returned a row."""


class PublishConflictError(WarehouseError):
    """Another run has published since this one started."""


class StorageError(RunError):
    """The object store cannot be used."""


class StorageUnavailableError(StorageError):
    """The store does not respond, or the connection broke."""


class StorageRefusedError(StorageError):
    """The store refuses access: no credentials, no permission, or no such bucket."""


class ObjectRefusedError(StorageRefusedError):
    """The store refuses access to one object: it is archived, its key is unavailable, or permission is denied."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason  # without the name of the object and the fix

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (str(self), self.reason)  # worker processes pickle it


class StorageUnsupportedError(StorageError):
    """The store lacks a feature that publishing needs, such as conditional puts."""


class OutOfMemoryError(RunError):
    """A process of the command or the run ran out of memory."""


class WorkerError(RunError):
    """A part of the work was lost because a process or a machine failed."""


class WorkerLostError(WorkerError):
    """A worker process was killed."""


class ClusterError(WorkerError):
    """The Dask cluster does not respond, has ended, or cannot import the flow."""


class WorkerBlindError(WorkerError):
    """A worker of the cluster cannot access the source or the warehouse."""


class WorkerVersionError(WorkerError):
    """A worker of the cluster has other code than the flow."""


class StagedFileError(WorkerError):
    """A file that a worker has staged is missing or changed."""


class QueryError(RunError):
    """A query failed, or its result cannot be written."""


class ScheduleError(RunError):
    """`broadsheet up` cannot start or continue."""


class ScheduleLockedError(ScheduleError):
    """Another `broadsheet up` is using the data folder."""


class DataUnwritableError(ScheduleError):
    """The data folder of `broadsheet up` cannot be written: full, read-only, or permission denied."""


class DataExposedError(ScheduleError):
    """Other users can open the data folder of `broadsheet up`, and its permissions cannot be changed."""


class PortInUseError(ScheduleError):
    """Another program is using the port."""


class PortForbiddenError(ScheduleError):
    """The user may not listen on the port."""


class PrefectError(ScheduleError):
    """Prefect's server, worker or deploy command ended, failed or does not respond."""


def no_edition(warehouse: object) -> NoEditionError:
    """Return the error of a warehouse without an edition."""
    return NoEditionError(f"No edition in {warehouse} yet. Publish one with broadsheet run.")


def first_line(error: BaseException) -> str:
    """Return the first line of an exception's text, or the name of its type if it has no text."""
    return str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__


def out_of_memory(error: Exception) -> OutOfMemoryError:
    """Return the error of a process that ran out of memory."""
    return OutOfMemoryError(
        f"The process ran out of memory ({first_line(error)})."
        " Set BROADSHEET_PROCESSES=1, end other programs, or provide more memory."
    )
