"""Check that the system clock is plausible, since ids and the order of editions come from it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from flows.errors import ClockError
from flows.object_store.path import ObjectPath
from flows.warehouse.edition_ids import edition_time
from flows.warehouse.pointer import CURRENT, EDITIONS

# A time shortly before this release. A clock that is behind it is wrong, for example after the battery ran out.
BUILT = datetime(2026, 11, 1, tzinfo=UTC)
TOLERANCE = timedelta(days=1)  # more than the offset of any time zone


def require_clock(now: datetime, kept: list[str], warehouse: Path | ObjectPath) -> None:
    """Raise ClockError if the clock is before this release, or more than a day behind a kept edition.

    With an id older than its predecessor's, an edition would break the ledger, and the wrong editions would be retired.
    """
    if now < BUILT:
        raise ClockError(
            f"The clock of this machine is wrong: it shows {_format(now)}, but this release of Broadsheet is newer than"
            f" {_format(BUILT)}. Set the clock, then run again."
        )
    ahead = [edition_id for edition_id in kept if is_ahead(edition_id, now)]
    if ahead:
        raise ClockError(
            f"The clock of this machine shows {_format(now)}, but the newest edition in {warehouse} is from"
            f" {_format(edition_time(ahead[-1]))}. If the clock is wrong, set it. If it was wrong when that edition was"
            f" published, {_recovery(kept, ahead, warehouse)}, then run again."
        )


def require_same_time(now: datetime, elsewhere: datetime, warehouse: ObjectPath) -> None:
    """Raise ClockError if the clocks of this machine and of the store differ by more than a day."""
    if abs(now - elsewhere) > TOLERANCE:
        raise ClockError(
            f"The clock of this machine shows {_format(now)}, but the store of {warehouse} has {_format(elsewhere)}."
            " Set the clock, then run again."
        )


def is_ahead(edition_id: str, now: datetime) -> bool:
    """Return whether an edition's id is more than a day in the future."""
    return edition_time(edition_id) > now + TOLERANCE


def _recovery(kept: list[str], ahead: list[str], warehouse: Path | ObjectPath) -> str:
    wrong = " and ".join(str(warehouse / EDITIONS / edition_id) for edition_id in ahead)
    earlier = [edition_id for edition_id in kept if edition_id not in ahead]
    if earlier:
        return f"run broadsheet rollback {earlier[-1]} and delete {wrong}"
    return f"delete {warehouse / CURRENT} and {wrong} to begin a new history"


def _format(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
