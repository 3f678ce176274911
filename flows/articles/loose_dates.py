"""Parse dates as people and programs write them beyond ISO 8601, with python-dateutil, but without guesses.

A date needs a year, a day and a month with a name, or has its year first: 07/11/2024 is the 7th of November in one
country and the 11th of July in another. A time zone is an offset, UTC, GMT or a name of the IANA database; names such
as EST and IST belong to several zones.
"""

import re
from calendar import month_abbr, month_name
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_MAX_LENGTH = 100  # characters
_MONTHS = "|".join(sorted({name.lower() for names in (month_name, month_abbr) for name in names if name} | {"sept"}))
_MONTH = re.compile(rf"(?<![a-z])(?:{_MONTHS})(?![a-z])", re.IGNORECASE)
_YEAR_FIRST = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?!\d)")
_EPOCH = re.compile(r"\d{10}|\d{13}")  # seconds or milliseconds since 1970
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T?(\d\d)(\d\d)(\d\d)?(Z)?)?")
# What follows an offset and says nothing new: (Coordinated Universal Time), [Europe/Berlin], UTC, CEST, m=+0.1 of Go.
_COMMENT = re.compile(r"(?<!\s)\s*+(?:\([^()]*+\)|\[[^\[\]]*+\])\Z")
_MONOTONIC = re.compile(r"(?<!\s)\s++m=[+-][\d.]++\Z")
_NAME_AFTER_OFFSET = re.compile(r"([+-]\d\d:?\d\d)\s++[A-Z]{2,5}\Z")
_GMT_OFFSET = re.compile(r"(?:GMT|UTC)\s*+([+-]\d{1,2}:?\d{0,2})\Z")
_IANA = re.compile(r"(?<!\s)\s++([A-Z][A-Za-z]++/[A-Za-z_/+-]++)\Z")
_DAY = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th)\b", re.IGNORECASE)
_FILLERS = re.compile(r"(?<![a-z])(?:at|of|on|the)(?![a-z])|,", re.IGNORECASE)
_HOUR = re.compile(r"(?<=\d)h(?=\d\d)")  # 10h30
_YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)")  # with two digits, 7 Nov 24 may be the 24th of 1907


def parse_loose_datetime(text: str, zone: ZoneInfo) -> datetime | None:
    """Return the instant in UTC, or None if the text is not a date or an ambiguous one."""
    text = text.strip()
    if len(text) > _MAX_LENGTH:
        return None
    if _EPOCH.fullmatch(text):
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=int(text.ljust(13, "0")))
    if match := _COMPACT.fullmatch(text):
        return _from_digits(match, zone)
    if not (_YEAR_FIRST.match(text) or (_MONTH.search(text) and _YEAR.search(text))):
        return None
    text, zone = _without_zone_names(text, zone)
    return _in_utc(_parsed(_HOUR.sub(":", _DAY.sub(r"\1", _FILLERS.sub(" ", text)))), zone)


def _from_digits(match: re.Match[str], zone: ZoneInfo) -> datetime | None:
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC if match[7] else zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _without_zone_names(text: str, zone: ZoneInfo) -> tuple[str, ZoneInfo]:
    """Return the text without the comments after an offset, and the zone that it names."""
    text = _COMMENT.sub("", _MONOTONIC.sub("", text))
    text = _GMT_OFFSET.sub(r"\1", _NAME_AFTER_OFFSET.sub(r"\1", text))
    if named := _IANA.search(text):
        try:
            return text[: named.start()], ZoneInfo(named[1])
        except (ValueError, KeyError, OSError):  # ZoneInfoNotFoundError is a KeyError
            return "", zone
    return text, zone


def _parsed(text: str) -> datetime | None:
    """Return what python-dateutil reads, None if a part of the date is missing: it would be that of the default."""
    from dateutil.parser import ParserError, parse

    def only_utc(name: str | None, offset: int | None) -> int | None:
        if name is None and offset is None:
            return None
        if name and name.upper() not in ("UTC", "GMT", "Z"):
            raise ValueError(f"ambiguous time zone {name}")
        return 0 if offset is None else offset

    try:
        first, second = (
            parse(text, default=default, tzinfos=only_utc)
            for default in (datetime(2000, 1, 1), datetime(2001, 2, 2))  # noqa: DTZ001
        )
    except (ParserError, ValueError, OverflowError, TypeError):
        return None
    return first if first == second else None


def _in_utc(moment: datetime | None, zone: ZoneInfo) -> datetime | None:
    if moment is None:
        return None
    try:
        offset = moment.utcoffset()
        if offset is not None and abs(offset) > timedelta(hours=14):
            return None
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
