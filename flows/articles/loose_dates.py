"""Parse dates as people and programs write them beyond ISO 8601, with python-dateutil, but without guesses.

A date needs a year, a day and a month with a name, or has its year first: 07/11/2024 is the 7th of November in one
country and the 11th of July in another. A time zone is an offset, UTC, GMT or a name of the IANA database; names such
as EST and IST belong to several zones.
"""

import re
from calendar import day_abbr, day_name, month_abbr, month_name
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

_MAX_LENGTH = 100  # characters
_MONTHS = {name.lower(): number for names in (month_name, month_abbr) for number, name in enumerate(names) if name}
_MONTHS["sept"] = 9
_WEEKDAYS = {name.lower() for names in (day_name, day_abbr) for name in names} | {"tues", "thur", "thurs"}
_EPOCH = re.compile(r"\d{10}|\d{13}", re.ASCII)  # seconds or milliseconds since 1970, from 2001 on
# Ten digits may also be a day and an hour: 2024110703 is in 2034 if it counts seconds.
_DAY_AND_HOUR = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])")
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T?(\d\d)(\d\d)(\d\d)?(Z)?)?")
# What follows an offset and says nothing new: (Coordinated Universal Time), [Europe/Berlin], CEST.
_COMMENT = re.compile(
    r"(:\d\d(?:\.\d++)?+\s*+(?:[ap]\.?m\.?\s*+)?+"
    r"(?:(?:UTC|GMT)(?:[+-]\d{1,2}(?::?\d\d)?+)?+|Z|[+-]\d\d:?\d\d))"
    r"\s*+(?:\([^()]*+\)|\[[^\[\]]*+\]|[A-Z]{2,5}|[A-Z][A-Za-z]++/[A-Za-z0-9_/+-]++)\Z",
    re.IGNORECASE,
)
_MONOTONIC = re.compile(r"(?<!\s)\s++m=[+-][\d.]++\Z")  # of Go
_IN_BRACKETS = re.compile(r"[(\[]([^()\[\]]*+)[)\]]\Z")
_GMT_OFFSET = re.compile(r"(?:GMT|UTC)\s*+([+-]\d{1,2}(?::?\d\d)?)\Z", re.IGNORECASE)
_IANA = re.compile(r"(?<!\s)\s++([A-Z][A-Za-z]++/[A-Za-z0-9_/+-]++)\Z")
_ORDINAL = re.compile(r"\b(\d{1,2})(?:st|nd|rd|th)\b", re.IGNORECASE)
_FILLERS = re.compile(r"(?<![a-z])(?:at|of|on|the)(?![a-z])|,", re.IGNORECASE)
_HOUR = re.compile(r"(?<=\d)h(?=\d\d)")  # 10h30
_HALF_DAY = re.compile(r"\b([ap])\.m\.?", re.IGNORECASE)  # p.m.
_ISO_TIME = re.compile(r"(?<=\d)T(\d\d)(:\d\d[\d:.]*+)?+", re.IGNORECASE)
# A time has minutes or a half of the day; a bare 10 may be anything. A sign needs a space: 10:00-11:30 is a range.
_TIME = re.compile(
    r"(?<![\d:.+-])\d{1,2}(?::\d\d(?::\d\d(?:\.\d++)?+)?+(?:\s*+[ap]m\b)?+|\s*+[ap]m\b)"
    r"(?:\s*+(?:Z|UTC|GMT)(?![a-z])|\s++[+-]\d{1,2}(?::?\d\d)?+)?+(?![\d:+-])",
    re.IGNORECASE,
)
_SEPARATORS = re.compile(r"[\s./-]+")


def parse_loose_datetime(text: str, zone: ZoneInfo) -> datetime | None:
    """Return the instant in UTC, or None if the text is not a date or an ambiguous one."""
    text = text.strip()
    if len(text) > _MAX_LENGTH:
        return None
    if _EPOCH.fullmatch(text):
        milliseconds = timedelta(milliseconds=int(text.ljust(13, "0")))
        return None if _DAY_AND_HOUR.fullmatch(text) else datetime(1970, 1, 1, tzinfo=UTC) + milliseconds
    if match := _COMPACT.fullmatch(text):
        return _from_digits(match, zone)
    text, zone = _without_zone_names(text.replace("\u2212", "-"), zone)
    text = _HALF_DAY.sub(r"\1m", _ORDINAL.sub(r"\1", _FILLERS.sub(" ", text)))
    text = _ISO_TIME.sub(lambda time: f" {time[1]}{time[2] or ':00'} ", _HOUR.sub(":", text))
    day = _day_of(text)
    moment = _parsed(text.upper()) if day else None
    return _in_utc(moment, zone) if moment and moment.date() == day else None


def _day_of(text: str) -> date | None:
    """Return the day of a text with nothing but a day and at most one time.

    For python-dateutil, 2024-11-07 - 2024-11-09 has an offset of 20 hours, and Nov 7-9, 2024 is in 2009.
    """
    text, times = _TIME.subn(" ", text)
    parts = [part for part in _SEPARATORS.split(text.lower()) if part and part not in _WEEKDAYS]
    months = [_MONTHS[part] for part in parts if part in _MONTHS]
    numbers = [part for part in parts if part not in _MONTHS]
    if times > 1 or len(parts) != 3 or len(months) > 1 or not all(map(str.isdecimal, numbers)):
        return None
    year = next((number for number in numbers if len(number) == 4), "")
    if not months and year == numbers[0]:
        months = [int(numbers[1])]
        numbers = [year, numbers[2]]
    days = [int(number) for number in numbers if len(number) < 3]
    try:
        return date(int(year), months[0], days[0]) if year and months and len(days) == 1 else None
    except ValueError:
        return None


def _from_digits(match: re.Match[str], zone: ZoneInfo) -> datetime | None:
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC if match[7] else zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _without_zone_names(text: str, zone: ZoneInfo) -> tuple[str, ZoneInfo]:
    """Return the text without the comments after an offset, and the zone that it names."""
    text = _COMMENT.sub(r"\1", _MONOTONIC.sub("", text))
    text = _IN_BRACKETS.sub(r" \1", text)
    if named := _IANA.search(text):
        try:
            return text[: named.start()], ZoneInfo(named[1])
        except (ValueError, KeyError, OSError):  # ZoneInfoNotFoundError is a KeyError
            return "", zone
    return _GMT_OFFSET.sub(r" \1", text), zone


def _parsed(text: str) -> datetime | None:
    """Return what python-dateutil reads, None if a part of the date is missing: it would be that of the default."""
    from dateutil.parser import ParserError, parse

    def only_utc(name: str | None, offset: int | None) -> int | None:
        if name is None and offset is None:
            return None
        if name and name not in ("UTC", "GMT", "Z"):
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
