"""Read the credit, photographer and agency of a caption (schema.org creditText and creator, IPTC Source)."""

import re
from collections.abc import Callable

from flows.articles.credits.agencies import agency_of
from flows.articles.credits.credit import Credit, from_start, in_bracket
from flows.articles.credits.labels import (
    BY,
    COURTESY,
    DOTS,
    HOUSE_PHOTO,
    LABELLED,
    LAST_LABEL,
    LAST_SOURCE,
    MARKS,
    MAX_LABEL_LENGTH,
    SOURCE,
    UNMARKED,
)
from flows.articles.credits.licences import Licensed, read_licence
from flows.articles.credits.names import Names, may_be_names, read_names
from flows.articles.credits.sources import (
    names_after_a_source,
    organization,
    provided,
    slashed_label,
)
from flows.articles.credits.trailing import MAX_CREDIT_LENGTH, Trailing, read_trailing

_COPYRIGHT = re.compile(r"(?:©|\([cC]\)|Copyright\b(?:\s*©)?)\s*:?\s*(?:\d{4}\b\s*,?\s*)?(?=\S)")
_SEPARATOR = re.compile(r"[/|,;]|\bvia\b", re.IGNORECASE)
_TAKEN_BY = re.compile(r"(?:(\w{2,6}社)?(?:记者|記者))?\s*([\u4e00-\u9fff·]{2,6}?)\s*[摄攝][。]?\Z")
_AGENCY_AND_SLASH = re.compile(r"(?<=\s)([A-Z]{2,20})\s?/\s?[^/]+(?:/[^/]+)?\Z")


def labelled_in_brackets(end: Trailing) -> Credit | None:
    """Match `… (Photo: Jane Doe/Reuters)` and `… (AP Photo: Jane Doe)`, with any language's word for photo."""
    label = LABELLED.fullmatch(end.bracket) if end.bracket else None
    return in_bracket(end, _with_acronym(label[2] or label[3], label[1])) if label else None


def copyright_in_brackets(end: Trailing) -> Credit | None:
    """Match `… (© Jane Doe)`."""
    sign = _COPYRIGHT.match(end.bracket) if end.bracket else None
    return in_bracket(end, read_names(end.bracket[sign.end() :])) if sign else None


def source_in_brackets(end: Trailing) -> Credit | None:
    """Match `… (Courtesy of the Harbour Museum)`, `… (File photo)`, `… (Ostby Post photo)`: only a source."""
    says_source = SOURCE.fullmatch(end.bracket) or HOUSE_PHOTO.fullmatch(end.bracket) if end.bracket else None
    return in_bracket(end, read_names(end.bracket))._replace(photographer=None) if says_source else None


def labelled_at_the_end(end: Trailing) -> Credit | None:
    """Match `…. Photo: Jane Doe` and `… Photograph: Jane Doe/Ostby Post`: a word for photo, a colon, and names."""
    mark, after = _last_mark(end.text)
    label = LAST_LABEL.search(end.text, max(mark - MAX_LABEL_LENGTH, 0), mark) if mark >= 0 else None
    if label is None:
        return None
    names = _with_acronym(end.text[after:], label[1])
    begins = label.start() in end.starts
    stands_out = not label[0][0].islower() and (names.agency or " " in (names.photographer or ""))
    return from_start(end, label.start(), names) if names.alone and (begins or stands_out) else None


def _last_mark(text: str) -> tuple[int, int]:
    """Return where the last mark starts and ends, -1 if there is none; three dots count only without another mark."""
    place = max(map(text.rfind, MARKS))
    if place >= 0:
        return place, place + 1
    place = text.find(DOTS)
    return place, place + len(DOTS)


def source_before_a_colon(end: Trailing) -> Credit | None:
    """Match `… (Getty Images: Jane Doe)` and `… (Supplied: Jane Doe)`."""
    names = names_after_a_source(end.bracket) if ":" in end.bracket or "：" in end.bracket else None
    return in_bracket(end, names) if names else None


def organization_in_brackets(end: Trailing) -> Credit | None:
    """Match `… (U.S. Army photo by Sgt. Jane Doe)`."""
    found = organization(end.bracket) if end.bracket else None
    return in_bracket(end, found[1]) if found and found[0] == 0 else None


def organization_at_the_end(end: Trailing) -> Credit | None:
    """Match `…. U.S. Army photo by Sgt. Jane Doe`."""
    found = None if end.bracket else organization(end.text)
    return from_start(end, *found) if found else None


def foreign_in_brackets(end: Trailing) -> Credit | None:
    """Match `…（图/王小明）`, `… (연합뉴스 제공)` and `…（新华社记者 王小明 摄）`."""
    if not end.bracket or end.bracket.isascii():
        return None
    found = slashed_label(end.bracket)
    names = found[1] if found and found[0] == 0 else provided(end.bracket)
    return in_bracket(end, names) if names and names.alone else None


def foreign_at_the_end(end: Trailing) -> Credit | None:
    """Match `…。图/王小明` and `…. 사진=연합뉴스`."""
    found = None if end.bracket else slashed_label(end.text)
    return from_start(end, *found) if found else None


def agency_in_brackets(end: Trailing) -> Credit | None:
    """Match `… (AFP)` and `… (Jane Doe/AFP)`: a last bracket that names a known agency."""
    names = read_names(end.bracket) if end.bracket else None
    return in_bracket(end, names) if names and names.agency else None


def names_in_brackets(end: Trailing) -> Credit | None:
    """Match `… [Jane Doe/Ostby Post]` and `… (Photo Jane Doe)`."""
    label = UNMARKED.match(end.bracket) if end.bracket else None
    if label is None and not ("/" in end.bracket and end.text[end.bracket_start] == "["):
        return None
    names = read_names(end.bracket[label.end() if label else 0 :])
    return in_bracket(end, names) if names.alone and (names.agency or " " in (names.photographer or "")) else None


def photo_by_at_the_end(end: Trailing) -> Credit | None:
    """Match `… . Photo by Jane Doe / Getty Images` and `… . Foto ANP`."""
    for start in end.starts:
        label = BY.match(end.text, start) or UNMARKED.match(end.text, start)
        names = read_names(end.text[label.end() :]) if label else None
        if label and names and names.alone and (names.agency or label[1]):
            return from_start(end, start, names)
    return None


def copyright_at_the_end(end: Trailing) -> Credit | None:
    """Match `… © Jane Doe/AFP`."""
    place = max(map(end.text.rfind, ("©", "(c)", "(C)", "Copyright")))
    sign = _COPYRIGHT.match(end.text, place) if place >= 0 else None
    names = read_names(end.text[sign.end() :]) if sign else None
    return from_start(end, place, names) if names and names.alone else None


def source_at_the_end(end: Trailing) -> Credit | None:
    """Match `… . Courtesy of the Harbour Museum` and `… . File photo`."""
    for start in end.starts:
        said = end.text[start:].rstrip(" .。")
        if (LAST_SOURCE if start else COURTESY).fullmatch(said):
            return from_start(end, start, read_names(said))._replace(photographer=None)
    return None


def taken_by(end: Trailing) -> Credit | None:
    """Match `… 。新华社记者王小明 摄`, the form of Chinese newsrooms."""
    if not end.text.rstrip("。").endswith(("摄", "攝")):
        return None
    found = next((match for start in end.starts if (match := _TAKEN_BY.match(end.text, start))), None)
    return from_start(end, found.start(), read_names(f"{found[2]}/{found[1] or ''}")) if found else None


def agency_at_the_end(end: Trailing) -> Credit | None:
    """Match `…. Jane Doe/Reuters`, `…. AFP PHOTO / Jane DOE` and `… - AFP`: a last sentence of names with an agency."""
    for start in end.starts:
        words = end.text[start:]
        if not may_be_names(words) or (start == 0 and not _SEPARATOR.search(words)):
            continue
        names = read_names(words)
        if names.alone and names.agency:
            return from_start(end, start, names)
    return None


def agency_before_a_slash(end: Trailing) -> Credit | None:
    """Match `… at dawn REUTERS/Jane Doe`: an agency in capitals and a slash, without a full stop before it."""
    match = _AGENCY_AND_SLASH.search(end.text) if "/" in end.text else None
    names = read_names(match[0]) if match and agency_of(match[1]) else None
    return from_start(end, match.start(), names) if match and names and names.alone else None


RULES: tuple[Callable[[Trailing], Credit | None], ...] = (
    labelled_in_brackets,
    source_before_a_colon,
    foreign_in_brackets,
    organization_in_brackets,
    copyright_in_brackets,
    source_in_brackets,
    labelled_at_the_end,
    organization_at_the_end,
    foreign_at_the_end,
    agency_in_brackets,
    names_in_brackets,
    photo_by_at_the_end,
    copyright_at_the_end,
    source_at_the_end,
    taken_by,
    agency_at_the_end,
    agency_before_a_slash,
)
_WITHOUT_BRACKETS = tuple(rule for rule in RULES if rule.__name__.endswith(("_the_end", "taken_by", "_a_slash")))


def read_credit(text: str) -> Credit:
    """Return the credit of a caption by the first rule that matches; without a match only `rest` is set."""
    before, tail = text[:-MAX_CREDIT_LENGTH], text[-MAX_CREDIT_LENGTH:]
    licensed = read_licence(tail)
    credit = _credit_of(tail) if licensed is None else _licensed_credit(tail, licensed)
    return credit._replace(rest=before + credit.rest) if before else credit


def _credit_of(text: str) -> Credit:
    end = read_trailing(text)
    for rule in RULES if end.bracket else _WITHOUT_BRACKETS:
        credit = rule(end)
        if credit is not None:
            return credit
    return Credit("", None, None, text)


def _licensed_credit(text: str, licensed: Licensed) -> Credit:
    """Return the credit of a text with a licence: the names around it, or the licence alone."""
    found = _credit_of(licensed.text)
    if not found.credit:
        found = _names_before(licensed)
    start = min(len(found.rest), licensed.start)
    credit = text[start:].strip(" .。,;/|-–—＝=")
    if credit[:1] in "([（" and credit[-1:] in ")]）":
        credit = credit[1:-1].strip()
    return found._replace(credit=credit, licence=licensed.licence)


def _names_before(licensed: Licensed) -> Credit:
    """Return the names without a label before a licence, as in `…. Jane Doe, CC BY 4.0`."""
    before = licensed.text[: licensed.start]
    for start in read_trailing(before).starts:
        names = read_names(before[start:])
        if names.alone and (names.agency or " " in (names.photographer or "")):
            return Credit("", names.photographer, names.agency, before[:start].rstrip(" -–—＝=/|,;"))
    return Credit("", None, None, before.rstrip(" -–—＝=/|,;(（["))


def _with_acronym(names: str, acronym: str | None) -> Names:
    """Return the names after a label such as AP Photo, whose acronym may be an agency."""
    read = read_names(names)
    return read._replace(agency=read.agency or agency_of(acronym or ""))
