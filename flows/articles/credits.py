"""A caption becomes its credit, photographer and agency (schema.org creditText and creator, IPTC Source)."""

import re
from collections.abc import Callable
from typing import NamedTuple

from flows.articles.agencies import NO_PERSONS, agency_of

LONGEST_CREDIT = 200  # characters at the end of a caption in which a credit is looked for

# The words for a photo that newsrooms put before a credit, in the languages that they write in.
_PHOTO = (
    r"(?:(?:file|handout|pool|stock|archive)\s+)?(?:photos?|pictures?|pics?|images?|photograph(?:s|ie|y)?|credits?|source"
    r"|cr[ée]dits?(?:\s+photos?)?|fotos?|fotografía|bild|zdjęcie|фото|ภาพ|照片|图片|圖片|图|圖|写真|사진|صورة)"
)
_BY = r"(?:\s+(?:credits?|by|courtesy(?:\s+of)?))?"
_LABEL = re.compile(rf"{_PHOTO}{_BY}\s*[:：]\s*(.+)|{_PHOTO}\s+(?:by|credits?)\s+(.+)", re.IGNORECASE)
_COURTESY = re.compile(
    r"(?:photos?\s+)?courtesy(?:\s+of)?[\s:]\s*.+|(?:file|handout|pool|stock)\s+(?:photo|image)", re.IGNORECASE
)
_BRACKETS = re.compile(r"\s*[(（\[【]\s*([^()（）\[\]【】]{2,160}?)\s*[)）\]】]\s*[.。]?\s*\Z")
# Where a last sentence begins: at the start, or after the end of another.
_SENTENCE = r"(?:\A|(?<=[.!?…。！？”\"»)])\s*)"
_LABELLED = re.compile(
    rf"{_SENTENCE}({_PHOTO}{_BY}\s*[:：]\s*\S(?:[^:：]{{0,80}}\S)?|{_PHOTO}\s+by\s+\S(?:[^:：]{{0,80}}\S)?)\Z",
    re.IGNORECASE,
)
_COURTESY_LAST = re.compile(rf"{_SENTENCE}((?:photos?\s+)?courtesy\s+of\s+[^:：]{{2,80}}?)[.。]?\Z", re.IGNORECASE)
_NAME = r"(?:[^\W\d_]\.|[^\W\d_][\w'’-]*)(?:\s+(?:[^\W\d_]\.|[\w'’-]+)){0,4}"
_NAMES_LAST = re.compile(
    rf"{_SENTENCE}((?:{_NAME})?(?:\s*[/|]\s*|\s+via\s+|,\s+){_NAME}(?:\s*[/|,]\s*{_NAME})?)[.。]?\Z"
)
_AGENCY_LAST = re.compile(rf"(?<=[.!?…。！？”\"»)])\s*({_NAME})[.。]?\Z")
_PARTS = re.compile(r"\s*[/|;,，、／]\s*|\s+via\s+|\s+for\s+|\s+[-–—]\s+", re.IGNORECASE)


class Credit(NamedTuple):
    """What a caption says of its source; `rest` is the caption without it."""

    credit: str
    photographer: str | None
    agency: str | None
    rest: str


def labelled_in_brackets(text: str) -> Credit | None:
    """`… (Photo: Jane Doe/Reuters)`, in any language's word for photo."""
    match = _BRACKETS.search(text)
    label = _LABEL.fullmatch(match[1]) if match else None
    return _credit(text, match.start(), match[1], label[1] or label[2]) if match and label else None


def courtesy_in_brackets(text: str) -> Credit | None:
    """`… (Courtesy of the Harbour Museum)`, `… (File photo)`: a source, and no photographer."""
    match = _BRACKETS.search(text)
    if match is None or not _COURTESY.fullmatch(match[1]):
        return None
    return _credit(text, match.start(), match[1], match[1])._replace(photographer=None)


def agency_in_brackets(text: str) -> Credit | None:
    """`… (AFP)`, `… (Jane Doe/AFP)`: a last bracket that names a known agency."""
    match = _BRACKETS.search(text)
    return _known(_credit(text, match.start(), match[1], match[1])) if match else None


def labelled_at_the_end(text: str) -> Credit | None:
    """`… . Photo: Jane Doe`, `… . Photo by Jane Doe / Getty Images`: a last sentence with a word for photo."""
    match = _LABELLED.search(text)
    label = _LABEL.fullmatch(match[1].rstrip(".。 ")) if match else None
    names = (label[1] or label[2]) if label else ""
    if match is None or not names or len(names.split()) > 8:
        return None
    return _credit(text, match.start(), match[1], names)


def courtesy_at_the_end(text: str) -> Credit | None:
    """`… . Courtesy of the Harbour Museum`."""
    match = _COURTESY_LAST.search(text)
    return _credit(text, match.start(), match[1], match[1])._replace(photographer=None) if match else None


def agency_at_the_end(text: str) -> Credit | None:
    """`… . Jane Doe/Reuters`, `… . AFP PHOTO / Jane DOE`, `… . AFP`: a last sentence with a known agency."""
    match = _NAMES_LAST.search(text) or _AGENCY_LAST.search(text)
    return _known(_credit(text, match.start(), match[1], match[1])) if match else None


RULES: tuple[Callable[[str], Credit | None], ...] = (
    labelled_in_brackets,
    courtesy_in_brackets,
    agency_in_brackets,
    labelled_at_the_end,
    courtesy_at_the_end,
    agency_at_the_end,
)


def read_credit(text: str) -> Credit:
    """The credit of a caption by the first rule that finds one; without any, all but `rest` is empty."""
    before, end = text[:-LONGEST_CREDIT], text[-LONGEST_CREDIT:]
    for rule in RULES:
        credit = rule(end)
        if credit is not None:
            return credit._replace(rest=(before + credit.rest).rstrip())
    return Credit("", None, None, text)


def _credit(text: str, start: int, credit: str, names: str) -> Credit:
    photographer = agency = None
    for part in _PARTS.split(names.strip(" .。")):
        known = agency_of(part)
        if known:
            agency = agency or known
        elif part and part.casefold() not in NO_PERSONS:
            photographer = photographer or part
    return Credit(credit.rstrip(".。 "), photographer, agency, text[:start].rstrip())


def _known(credit: Credit) -> Credit | None:
    return credit if credit.agency else None
