"""Parse dates in common formats into UTC. Impossible dates are not corrected."""

import re
from calendar import month_abbr, month_name
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from flows.articles.loose_dates import parse_loose_datetime

_DATETIME = re.compile(
    r"(\d{4})([-/])(\d{1,2})\2(\d{1,2})"
    r"(?:(?:[Tt]|[ \t]+)(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d+))?)?"
    r"[ \t]*(?:([Zz]|UTC|GMT)|([+-])(\d{1,2}):?(\d{2})?)?)?"
)
_ISO_DATETIME = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{3})?Z", re.ASCII
)  # the most frequent form; the library parses it fastest
# With an English month name, as in feeds and Astro: Thu, 07 Nov 2024 03:40:41 GMT, Nov 7, 2024. A hyphen after the
# time would be the dash of a range, as in 10:00-11:30, so such a date has a space before its offset.
_NAMED = re.compile(
    r"(?:[A-Za-z]{3,9}, *)?(?:(\d{1,2}) +([A-Za-z]{3,9})|([A-Za-z]{3,9})\.? +(\d{1,2}),?) +(\d{4})"
    r"(?:,? +(\d[\d:.]*+(?:[^\d:.-].*)?))?"
)
_MONTHS = {name: number for names in (month_name, month_abbr) for number, name in enumerate(names) if name}
_CODE = re.compile(r"ART(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)[A-Z0-9]{6}")
_DAY_IN_PATH = re.compile(r"(?<!\d)(\d{4})([-/])(\d{1,2})\2(\d{1,2})(?!\d)")
# The first newspaper appeared in 1605, and an article may be dated in the future. Other years are typos, such as 0206
# for 2006, or mean never, such as 9999. They would stretch a view by day over millennia.
MIN_YEAR, MAX_YEAR = 1600, 2200
_MAX_OFFSET = timedelta(hours=14)  # Line Islands; ISO 8601 allows more, but no place uses it


def parse_datetime(text: str, zone: ZoneInfo) -> datetime | None:
    """Return the instant in UTC, or None if the text is not a plausible date; a time without offset is in `zone`."""
    moment = parse_strict_datetime(text, zone) or parse_loose_datetime(text, zone)
    return moment if moment and MIN_YEAR <= moment.year <= MAX_YEAR else None


def is_implausible_year(text: str) -> bool:
    """Return whether a text has the form of a date, but in a year outside MIN_YEAR to MAX_YEAR."""
    match = _DATETIME.fullmatch(text.strip()) or _DATETIME.fullmatch(_with_month_number(text.strip()))
    return match is not None and not MIN_YEAR <= int(match[1]) <= MAX_YEAR


def parse_strict_datetime(text: str, zone: ZoneInfo) -> datetime | None:
    """Return the instant, in any year, of a date as ISO 8601 or a feed writes it; None if the text has another form."""
    if _ISO_DATETIME.fullmatch(text):
        return _parse_iso(text)
    match = _DATETIME.fullmatch(text.strip()) or _DATETIME.fullmatch(_with_month_number(text.strip()))
    if match is None:
        return None
    year, _, month, day, hour, minute, second, fraction, utc, sign, hours, minutes = match.groups()
    microsecond = int((fraction or "0")[:6].ljust(6, "0"))
    try:
        local = _offset(sign, int(hours), int(minutes or 0)) if sign else UTC if utc else zone
        y, mo, d, h, mi, s = (int(part or 0) for part in (year, month, day, hour, minute, second))
        return datetime(y, mo, d, h, mi, s, microsecond, local).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _offset(sign: str, hours: int, minutes: int) -> timezone:
    """Return the time zone of an offset; raise ValueError if no place uses it."""
    offset = timedelta(hours=hours, minutes=minutes)
    if offset > _MAX_OFFSET or minutes > 59:
        raise ValueError(f"{sign}{hours}:{minutes}")
    return timezone(-offset if sign == "-" else offset)


def _parse_iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _with_month_number(text: str) -> str:
    """Return a date that names its month as digits, year first; "" if the text is not such a date."""
    match = _NAMED.fullmatch(text)
    if match is None:
        return ""
    month = _MONTHS.get((match[2] or match[3]).capitalize())
    return f"{match[5]}-{month}-{match[1] or match[4]} {match[6] or ''}".strip() if month else ""


def datetime_in_code(code: str) -> datetime | None:
    """Return the minute in a code of the form ART, YYMMDDhhmm (UTC), six letters or digits."""
    match = _CODE.fullmatch(code)
    if match is None:
        return None
    year, month, day, hour, minute = map(int, match.groups())
    try:
        return datetime(2000 + year, month, day, hour, minute, tzinfo=UTC)
    except ValueError:
        return None


def datetime_in_path(path: str, zone: ZoneInfo) -> datetime | None:
    """Return the start, in `zone`, of the day at the start of a file name, or of the first day in a path or URL.

    Both have the form 2024-11-07 or 2024/11/07.
    """
    for day in _days_in(path):
        moment = parse_datetime(day, zone)
        if moment is not None:
            return moment
    return None


def implausible_day_in_path(path: str, zone: ZoneInfo) -> str | None:
    """Return the first day in a path that exists, but in a year outside MIN_YEAR to MAX_YEAR."""
    return next((day for day in _days_in(path) if is_implausible_year(day) and parse_strict_datetime(day, zone)), None)


def _days_in(path: str) -> list[str]:
    """Return the days in a path, that at the start of the file name first."""
    start = path.rfind("/") + 1
    found = list(_DAY_IN_PATH.finditer(path))
    found.sort(key=lambda match: match.start() != start)
    return [f"{match[1]}-{match[3]}-{match[4]}" for match in found]
