"""Convert between edition ids and times. An id is a UTC time in seconds, such as 20261123T030000Z."""

from datetime import UTC, datetime, timedelta

_FORMAT = "%Y%m%dT%H%M%SZ"


def edition_id_at(moment: datetime) -> str:
    """Return the id of an edition at an instant (UTC)."""
    return moment.strftime(_FORMAT)


def edition_time(edition_id: str) -> datetime:
    """Return the instant of an edition's id; raise ValueError."""
    return datetime.strptime(edition_id, _FORMAT).replace(tzinfo=UTC)


def next_id(edition_id: str) -> str:
    """Return the id for the following second."""
    return edition_id_at(edition_time(edition_id) + timedelta(seconds=1))


def is_id(name: str) -> bool:
    """Return whether a name is a valid edition id."""
    try:
        return edition_id_at(edition_time(name)) == name
    except ValueError:
        return False
