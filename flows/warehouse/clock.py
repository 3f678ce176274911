"""Require a plausible clock: it gives editions their ids and their order."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from flows.errors import ClockError
from flows.object_store.path import ObjectPath
from flows.warehouse.edition_ids import edition_time
from flows.warehouse.pointer import CURRENT, EDITIONS

BUILT = datetime(2026, 11, 1, tzinfo=UTC)  # before this release: an earlier clock is wrong, as after a flat battery
TOLERANCE = timedelta(days=1)  # more than the offset of any time zone


def require_clock(now: datetime, kept: list[str], warehouse: Path | ObjectPath) -> None:
    """Raise ClockError if the clock is before this release, or more than a day behind an edition that is kept.

    An edition with an older id than its predecessor would confuse the ledger, and retention would remove the wrong one.
    """
    if now < BUILT:
        raise ClockError(
            f"The clock of this machine is wrong: it says {_format(now)}, and this release of Broadsheet was made after"
            f" {_format(BUILT)}. Set the clock, then run again."
        )
    ahead = [edition_id for edition_id in kept if is_ahead(edition_id, now)]
    if ahead:
        raise ClockError(
            f"The clock of this machine says {_format(now)}, but the newest edition in {warehouse} is from"
            f" {_format(edition_time(ahead[-1]))}. If the clock is wrong, set it. If it was wrong when that edition was"
            f" published, {_recovery(kept, ahead, warehouse)}, then run again."
        )


def require_same_time(now: datetime, elsewhere: datetime, warehouse: ObjectPath) -> None:
    """Raise ClockError if this machine and the store of a warehouse are more than a day apart."""
    if abs(now - elsewhere) > TOLERANCE:
        raise ClockError(
            f"The clock of this machine says {_format(now)}, but the store of {warehouse} says {_format(elsewhere)}."
            " Set the clock, then run again."
        )


def is_ahead(edition_id: str, now: datetime) -> bool:
    """Return whether an edition's id is a time more than a day from now."""
    return edition_time(edition_id) > now + TOLERANCE


def _recovery(kept: list[str], ahead: list[str], warehouse: Path | ObjectPath) -> str:
    wrong = " and ".join(str(warehouse / EDITIONS / edition_id) for edition_id in ahead)
    earlier = [edition_id for edition_id in kept if edition_id not in ahead]
    if earlier:
        return f"run broadsheet rollback {earlier[-1]} and delete {wrong}"
    return f"delete {warehouse / CURRENT} and {wrong} to begin a new history"


def _format(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
