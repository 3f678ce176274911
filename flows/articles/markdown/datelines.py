"""Read the dateline of a report: the place at the start of its first paragraph.

In scripts with capitals, the place is in capitals before a dash (AP style): LYON, 4 déc (AFP) - Le maire… In others, it
is marked by brackets, an agency, a date or a dash:

| script | form |
|---|---|
| Chinese | 新华社北京11月7日电（记者…）, 【北京讯】, （北京讯） |
| Japanese | 【東京時事】, 【ワシントン＝佐藤太郎】, ［東京　７日　ロイター］ |
| Korean | (서울=연합뉴스), [서울=뉴시스] |
| Arabic, Hebrew, Thai, Hindi and others | القاهرة (رويترز) - , กรุงเทพฯ - , नई दिल्ली, 7 नवंबर (भाषा) - |
"""

import re
from calendar import day_abbr, day_name

from flows.articles.credits.agencies import agency_of

MAX_DATELINE_LENGTH = 80  # characters before the dash
_DASH = re.compile(r" [-‐‑‒–—―−]{1,3} (\S)")
_AGENCY = re.compile(r"(?<!\s)\s*+\([^()]{1,40}\)\Z")
_OPENINGS = "\"'“”‘’«»„‹›「『$€£¥₹"  # of a quotation or an amount
# Words and organizations before a dash that are not a place.
_NO_PLACES = frozenset(
    {
        *("ADVISORY", "ALERT", "ANALYSIS", "BREAKING", "COLUMN", "COMMENTARY", "CORRECTED", "CORRECTION", "EDITORIAL"),
        *("EXCLUSIVE", "EXPLAINER", "FACTBOX", "FEATURE", "INSIGHT", "INTERVIEW", "LIVE", "NEWS", "NOTE", "OPINION"),
        *(
            "PHOTOS",
            "QUIZ",
            "REVIEW",
            "SPOILER",
            "TIMELINE",
            "UPDATE",
            "UPDATED",
            "URGENT",
            "VIDEO",
            "WARNING",
            "WATCH",
        ),
        *("ABC", "AIIB", "APEC", "ASEAN", "AU", "BBC", "CERN", "CIA", "COVID", "COVID-19", "ECB", "EPA", "ESA", "EU"),
        *("FAA", "FAO", "FBI", "FDA", "FEMA", "FIA", "FIFA", "HIV", "IAEA", "IBM", "ICC", "IEA", "ILO", "IMF", "IOC"),
        *("IOM", "IPCC", "IRA", "IRS", "ISIS", "ISS", "ITU", "MI5", "MI6", "NAACP", "NAFTA", "NASA", "NASCAR", "NATO"),
        *("NBA", "NCAA", "NFL", "NHL", "NHS", "NIH", "NOAA", "NSA", "OECD", "OPEC", "OSCE", "OSHA", "PETA", "SEC"),
        *("TSA", "UAE", "UEFA", "UFC", "UK", "UN", "UNESCO", "UNHCR", "UNICEF", "USA", "USDA", "WADA", "WEF", "WFP"),
        *("WHO", "WTO", "OPINION", "FAQ", "AI", "EDITOR", "PS", "OK", "CEO", "DIY", "USAID", "UNRWA", "AIDS", "EPL"),
    }
)
_VOWEL = re.compile(r"[AEIOUYÀ-ÝĀ-Ž]|[^\x00-\u024f]")  # letters of other alphabets count as vowels
_WEEKDAYS = frozenset({*day_name, *day_abbr})

_HAN, _KANA, _HANGUL = "\u4e00-\u9fff", "\u30a0-\u30ff", "\uac00-\ud7a3"
_BRACKETED = re.compile(
    rf"\A(?:[（(【]?[{_HAN}]{{1,4}}社\s*([{_HAN}]{{2,8}}?)\s*(?:\d{{1,2}}\s*月)?\s*\d{{1,2}}\s*日\s*[电電]"
    rf"|[【（(\[]([{_HAN}]{{2,8}}?)(?:综合|綜合)?[讯訊][】）)\]]"
    rf"|【([{_HAN}{_KANA}]{{2,12}}?)(?:AFP|時事|共同|支局|ロイター|[=＝・　 ][^】]{{0,30}})】"
    rf"|［([{_HAN}{_KANA}]{{2,12}}?)[ 　][^］]{{1,30}}］"
    rf"|[(\[]([{_HANGUL}]{{2,8}})\s?=\s?[^)\]]{{1,40}}[)\]])"
)
# A place of at most three words in a script without capitals, perhaps a date, an agency in brackets, and a dash.
_UNCASED = r"[\u0590-\u08ff\u0900-\u0dff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]"
_BEFORE_DASH = re.compile(
    rf"\A({_UNCASED}{{2,30}}(?:\s{_UNCASED}{{1,30}}){{0,2}}?)([,،]\s?[^()\-–—]{{1,30}}?)?\s?(\([^()]{{1,40}}\))?"
    r"\s?[-–—ـ]\s(?=\S)"
)


def read_dateline(text: str) -> str | None:
    """Return the place at the start of a paragraph, None if it has none."""
    if text[:2].isupper():
        return _before_a_dash(text)
    if text[:1].isascii() and text[:1] not in ("(", "["):
        return None
    return _without_capitals(text[: 2 * MAX_DATELINE_LENGTH])


def _before_a_dash(text: str) -> str | None:
    dash = _DASH.search(text, 2, MAX_DATELINE_LENGTH + 6)
    if dash is None or not (dash[1].isdigit() or dash[1] in _OPENINGS or _is_capital(dash[1])):
        return None
    place, *regions = (part.strip() for part in _AGENCY.sub("", text[: dash.start()]).split(","))
    if not place.isupper() or len(place) < 2 or _has_digit(place) or not _may_be_place(place):
        return None
    return ", ".join([place, *filter(_is_region, regions)])


def _may_be_place(place: str) -> bool:
    """Return whether words in capitals may be a place: no known organization, and no letters without a vowel."""
    return place not in _NO_PLACES and ("." in place or _VOWEL.search(place) is not None)


def _without_capitals(text: str) -> str | None:
    if bracketed := _BRACKETED.match(text):
        return bracketed[bracketed.lastindex or 0]
    match = _BEFORE_DASH.match(text)
    if match is None or (match[2] is None and match[3] is None and len(match[1].split()) > 2):
        return None
    return match[1]


def _is_region(part: str) -> bool:
    """Return whether a part after the place is a region: not a date, weekday or agency."""
    return part[:1].isupper() and not _has_digit(part) and part.strip(".") not in _WEEKDAYS and not agency_of(part)


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))


def _is_capital(letter: str) -> bool:
    return letter.isalpha() and not letter.islower()
