"""Dates as people and programs write them: both parsers agree, and nothing is guessed."""

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from flows.articles.dates import parse_datetime, parse_strict_datetime
from flows.articles.loose_dates import parse_loose_datetime

ZONE = ZoneInfo("Asia/Yangon")
START, SECONDS = datetime(1600, 1, 2, tzinfo=UTC), 600 * 365 * 86_400
MOMENTS = st.integers(0, SECONDS).map(lambda seconds: START + timedelta(seconds=seconds))
OFFSETS = st.integers(-12 * 4, 14 * 4).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))
DAYS = ("%Y-%m-%d", "%Y/%m/%d", "%d %b %Y", "%a, %d %b %Y", "%B %d, %Y", "%b. %d, %Y", "%d %B %Y")
TIMES = ("", " %H:%M", " %H:%M:%S")
ZONES = ("", " %z", " UTC", "Z", " GMT")
PROGRAMS = ("%a %b %d %Y %H:%M:%S GMT%z (A zone)", "%Y-%m-%d %H:%M:%S %z UTC", "%a, %d %b %Y %H:%M:%S %z (CEST)")
PEOPLE = (
    "%B %dth, %Y at %I:%M:%S %p %z",
    "%dth of %B %Y, %I:%M:%S%p %z",
    "%Y.%m.%d %H:%M:%S %z",
    "%d-%b-%Y %H:%M:%S %z",
)


@given(MOMENTS, OFFSETS, st.sampled_from(DAYS), st.sampled_from(TIMES), st.sampled_from(ZONES))
def test_both_parsers_agree_on_what_both_accept(moment: datetime, offset: timezone, day: str, time: str, zone: str):
    text = moment.replace(tzinfo=offset).strftime(day + time + (zone if time else ""))
    strict, loose = parse_strict_datetime(text, ZONE), parse_loose_datetime(text, ZONE)
    assert strict is not None
    assert loose in (strict, None)
    assume(loose is not None)


@given(MOMENTS, OFFSETS, st.sampled_from(PROGRAMS + PEOPLE))
def test_programs_and_people_write_an_instant(moment: datetime, offset: timezone, form: str):
    local = moment.replace(tzinfo=offset)
    found = parse_datetime(local.strftime(form), ZONE)
    assert found == local.astimezone(UTC) or (found is None and not 1600 <= local.astimezone(UTC).year <= 2200)


@given(
    st.text("0123456789 :-/.,+TZ()amp", max_size=30)
    | st.lists(
        st.sampled_from(
            [
                "2024",
                "11",
                "7",
                "07",
                "Nov",
                "May",
                "Thu",
                "10:00",
                "3pm",
                "PM",
                "UTC",
                "EST",
                "+01:00",
                "-3",
                "-",
                "/",
                "to",
                "of",
            ]
        ),
        max_size=7,
    ).map(" ".join)
)
def test_a_date_has_its_parts_in_the_text(text: str):
    """No part comes from a default, and no part of the text is left over."""
    found = parse_loose_datetime(text, ZoneInfo("UTC"))
    if found is not None and not text.strip().isdecimal():
        assert any(str(year) in text for year in (found.year - 1, found.year, found.year + 1))
        assert "to" not in text
        assert "EST" not in text


@pytest.mark.parametrize(
    "text",
    [
        "07/11/2024", "13/11/2024", "7.11.2024", "24-11-07", "Nov 7 24", "2024-13-11", "2024", "2024-11", "November 2024",
        "Nov 7-9, 2024", "7/8 Nov 2024", "2024-11-07 - 2024-11-09", "Nov 7, 2024 10:00-11:30", "2024-11-07 10:00 - 11:00",
        "2024-11-07 10:00 (EST)", "2024-11-07 EST", "7 Nov 2024 10:00 IST", "2024-11-07 10:00Z+3", "2024-11-07 -05:00",
        "2024-11-07 10", "7 Nov 2024 1030", "2024-11-07 13:00 PM", "2024110703", "2024-11-07 10:00 Mars/Olympus",
    ],
)  # fmt: skip
def test_what_may_mean_something_else_is_not_a_date(text: str):
    assert parse_datetime(text, ZONE) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-11-07T10:00+01:00[Europe/Berlin]", "2024-11-07T09:00"),
        ("2024-11-07T10:00 [Europe/Berlin]", "2024-11-07T09:00"),
        ("2024-11-07 10:00 Etc/GMT+5", "2024-11-07T15:00"),
        ("2024-11-07 10:00 utc", "2024-11-07T10:00"),
        ("2024-11-07T10:00:00\u221205:00", "2024-11-07T15:00"),
        ("Thu Nov  7 03:40:41 UTC 2024", "2024-11-07T03:40:41"),
        ("2024-11-07 10:00:00.123456789 +0000 UTC m=+0.1", "2024-11-07T10:00:00.123456"),
        ("2024-11-07 12:30 a.m. UTC", "2024-11-07T00:30"),
        ("1730950841000", "2024-11-07T03:40:41"),
    ],
)
def test_an_instant_is_exact(text: str, expected: str):
    assert parse_datetime(text, ZONE) == datetime.fromisoformat(expected).replace(tzinfo=UTC)
