"""The exceptions that stop a command or a run: a small tree, each raised with one sentence for the operator.

A message says what happened, the value, then what to do. Callers catch the exceptions that they can handle; the command
line and the flow report the others and exit with 1 or as Failed. tests/test_failures.py has a row for each of them.
"""


class RunError(Exception):
    """The command or the run cannot go on. A run raises it only if nothing was published."""


class ConfigurationError(RunError):
    """A setting, a variable of the environment or a missing extra does not allow the run."""


class InvalidSettingError(ConfigurationError):
    """A flag or a BROADSHEET_* variable has a value that its setting does not take."""


class SourceError(RunError):
    """The source cannot be read as a whole."""


class SourceNotFoundError(SourceError):
    """The source is not a folder, or its prefix has no objects."""


class SourceUnreadableError(SourceError):
    """A folder of the source cannot be listed: its articles would look withdrawn."""


class SourceEmptyError(SourceError):
    """The source has no seed file, and the warehouse has no edition to compare it with."""


class WithdrawalsError(SourceError):
    """More than half of the articles would be withdrawn at once."""


class SeedFileNotFoundError(SourceError):
    """The seed file of `broadsheet explain` does not exist."""


class WarehouseError(RunError):
    """The warehouse cannot be used."""


class WarehouseForeignError(WarehouseError):
    """The warehouse is a file, or a folder that holds something else."""


class WarehousePathError(WarehouseError):
    """The path of the warehouse has a character that DuckDB cannot open in a path."""


class WarehouseLockedError(WarehouseError):
    """Another run publishes into the warehouse."""


class WarehouseUnwritableError(WarehouseError):
    """The disk of the warehouse refuses to be written: full, read-only, or no permission."""


class NoSpaceError(WarehouseError):
    """The disk of the warehouse has too little space to build an edition."""


class NoEditionError(WarehouseError):
    """Nothing is published yet."""


class EditionNotFoundError(WarehouseError):
    """An edition that was named, or that `current` names, is not kept."""


class EditionNotChosenError(WarehouseError):
    """Editions exist, and `current` does not name one of them."""


class EditionDamagedError(WarehouseError):
    """A file or an object of an edition is missing, or is not what its manifest says."""


class ClockError(WarehouseError):
    """The clock of this machine cannot be right."""


class BuildError(WarehouseError):
    """DuckDB cannot build the database of the edition."""


class CheckError(WarehouseError):
    """A check of sql/checks returns a row."""


class PublishConflictError(WarehouseError):
    """Another run has published since this one began."""


class StorageError(RunError):
    """The object store cannot be used."""


class StorageUnavailableError(StorageError):
    """The store does not answer, or breaks off."""


class StorageRefusedError(StorageError):
    """The store refuses: no credentials, no permission, no bucket."""


class ObjectRefusedError(StorageRefusedError):
    """The store refuses to return one object: archived, encrypted with a key out of reach, or no permission."""

    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason  # without the object and the remedy

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (str(self), self.reason)  # it travels from worker processes


class StorageUnsupportedError(StorageError):
    """The store does not do what publishing needs, such as conditional puts."""


class OutOfMemoryError(RunError):
    """A process of the command or the run is refused memory."""


class WorkerError(RunError):
    """A part of the work was lost with the process or machine that did it."""


class WorkerLostError(WorkerError):
    """A process that read files or wrote months was killed."""


class ClusterError(WorkerError):
    """The Dask cluster does not answer, is gone, or cannot load the flow."""


class WorkerBlindError(WorkerError):
    """A worker of the cluster does not see the source or the warehouse."""


class QueryError(RunError):
    """A query has no answer, or its answer cannot be written."""


class ScheduleError(RunError):
    """`broadsheet up` cannot start or go on."""


class ScheduleLockedError(ScheduleError):
    """Another `broadsheet up` uses the same data folder."""


class DataUnwritableError(ScheduleError):
    """The data folder of `broadsheet up` refuses to be written: full, read-only, or no permission."""


class DataExposedError(ScheduleError):
    """Other users can open the data folder of `broadsheet up`, and its mode cannot be changed."""


class PortInUseError(ScheduleError):
    """Another program listens on the port."""


class PortForbiddenError(ScheduleError):
    """The user may not listen on the port."""


class PrefectError(ScheduleError):
    """Prefect's server, worker or deploy command ended, failed or does not answer."""


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
