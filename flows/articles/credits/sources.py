"""Credits that name a source and a person in other orders: brackets with a colon, organizations, labels and slashes."""

import re

from flows.articles.credits.agencies import NO_PERSONS, agency_of
from flows.articles.credits.labels import PHOTO_WORDS
from flows.articles.credits.names import Names, read_names

_COLON = re.compile(r"([^:：()]{2,40})[:：]\s*+(\S.*)", re.DOTALL)
# Words before a colon that say who is in the picture.
_SHOWN = frozenset(
    {
        *("left", "right", "above", "below", "top", "bottom", "from", "clockwise", "pictured", "centre", "center"),
        *("front", "back", "row", "caption", "note", "update", "note", "correction", "watch", "read", "listen"),
    }
)
_FOREIGN = "|".join(
    word for language, labels in PHOTO_WORDS.items() for word in labels if not word.isascii() and language != "French"
)
_SLASHED = re.compile(rf"(?:\A|(?<=[\s.!?…。！？”\"»)）]))(?:{_FOREIGN})\s*+[/／=＝]\s*+(\S.*)\Z")
_PROVIDED = re.compile(r"(\S.{0,40}?)\s*+(?:제공|提供|사진)[.。]?\Z")
_TAKEN = re.compile(
    r"(?:(\w{2,6}社)\s*+)?(?:(?:记者|記者|通讯员)\s*+)?"
    r"([\u4e00-\u9fff·]{1,8}(?: [\u4e00-\u9fff]{1,4})?)\s*+/?\s*+[摄攝]\Z"
)
# U.S. Navy photo by Mass Communication Specialist 2nd Class Jane Doe, Official White House Photo by Jane Doe
_ORGANIZATION = re.compile(
    r"(?:\A|(?<=[.!?”\")] )|(?<=[.!?”\")]))(?P<source>(?:(?:[A-Z][\w.&'’-]*+|of|the)\s+){1,5}?)"
    r"(?:[Pp]hoto|PHOTO)(?:graph)?(?:s|\s+illustration)?(?:\s+(?:by|courtesy\s+of)\s+|\s*+[/:]\s*+)(?P<names>\S.*)\Z"
)
_RANK = re.compile(
    r"\A(?=.*\b(?:Sgt|Spc|Pfc|Pvt|Cpl|Lt|Capt|Maj|Col|Gen|Adm|Cmdr|Ens|Airman|Specialist|Seaman|Officer|Sergeant|Corporal"
    r"|Lieutenant|Captain|Major|Colonel|Private)\b)"
    r"(?:(?:Staff|Tech|Master|Senior|Sr|Chief|Gunnery|First|Lance|Command|Petty|Airman|Mass|Communications?|Specialist"
    r"|Officer|Class|Sgt|Spc|Pfc|Pvt|Cpl|Lt|Capt|Maj|Col|Gen|Adm|Cmdr|Ens|[1-4](?:st|nd|rd|th)|Sergeant|Corporal"
    r"|Lieutenant|Captain|Major|Colonel|Seaman|Private)\b\.?\s+)+"
)


def names_after_a_source(bracket: str) -> Names | None:
    """Read `Getty Images: Jane Doe`, `Supplied: Jane Doe` and `Ostby News: Jane Doe`."""
    match = _COLON.fullmatch(bracket)
    if match is None:
        return None
    source, names = match[1].strip(), read_names(match[2])
    agency = agency_of(source)
    if agency or source.casefold() in NO_PERSONS:
        return names._replace(agency=agency or names.agency) if names.alone else None
    parts = source.split()
    is_house = len(parts) <= 4 and all(part[:1].isupper() and part.casefold() not in _SHOWN for part in parts)
    return names if is_house and names.alone and " " in (names.photographer or "") and "," not in match[2] else None


def organization(text: str) -> tuple[int, Names] | None:
    """Read `U.S. Army photo by Sgt. Jane Doe` and `NASA photo/Jane Doe` at the end; return where it starts."""
    match = _ORGANIZATION.search(text) if "hoto" in text or "HOTO" in text else None
    if match is None:
        return None
    names = read_names(_RANK.sub("", match["names"]))
    agency = agency_of(match["source"].strip())
    if not names.alone or not (names.photographer or names.agency):
        return None
    return match.start("source"), names._replace(agency=agency or names.agency)


def slashed_label(text: str) -> tuple[int, Names] | None:
    """Read `图/王小明`, `사진=연합뉴스` and `ภาพ/รอยเตอร์` at the end; return where the label starts."""
    if text.isascii():
        return None
    match = _SLASHED.search(text)
    names = read_names(match[1]) if match else None
    return (match.start(), names) if match and names and names.alone else None


def provided(bracket: str) -> Names | None:
    """Read `연합뉴스 제공` and `市提供`, provided by, and `新华社记者 王小明 摄`, taken by."""
    if bracket.isascii():
        return None
    if taken := _TAKEN.fullmatch(bracket.rstrip("。")):
        return read_names(f"{taken[2]}/{taken[1] or ''}")
    match = _PROVIDED.fullmatch(bracket)
    return read_names(match[1])._replace(photographer=None) if match else None
