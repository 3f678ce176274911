"""A caption becomes its credit, photographer and agency (schema.org creditText and creator, IPTC Source)."""

import re
from collections.abc import Callable
from typing import NamedTuple

# Each agency has one short name; what newsrooms write for it, misspellings included, stands beside it.
AGENCIES = {
    "AFP": ("agence france-presse", "agence france presse", "afp photo", "afp via getty images", "法新社"),
    "AP": ("associated press", "the associated press", "ap photo", "美联社"),
    "Bloomberg": ("bloomberg news",),
    "DPA": ("deutsche presse-agentur", "dpa picture-alliance", "picture alliance"),
    "EPA": ("epa-efe", "epa/efe", "epa images", "european pressphoto agency"),
    "Getty Images": ("getty", "gettyimages", "getty image"),
    "Kyodo": ("kyodo news", "共同社"),
    "Reuters": ("reuters photo", "reuter", "rueters", "thomson reuters", "路透社"),
    "Xinhua": ("xinhua news agency", "xinhua news", "新华社", "新华网"),
    "Yonhap": ("yonhap news", "yonhap news agency", "韩联社"),
}
_AGENCY_OF = {spelling: name for name, also in AGENCIES.items() for spelling in (name.lower(), *also)}

# The words for a photo that newsrooms put before a credit.
_PHOTO = (
    r"(?:photos?|pictures?|images?|(?:file|handout|pool|courtesy)\s+photo|photograph(?:ie|y)?|cr[ée]dits?(?:\s+photo)?"
    r"|fotos?|bild|фото|ภาพ|照片|图片|图|圖|写真|사진)"
)
_BRACKETS = re.compile(r"\s*[(（\[]\s*([^()（）\[\]]{1,160}?)\s*[)）\]]\s*[.。]?\s*\Z")
_LABEL = re.compile(
    rf"{_PHOTO}(?:\s+(?:credits?|courtesy(?:\s+of)?|by))?\s*[:：]\s*(.+)|photo\s+by\s+(.+)", re.IGNORECASE
)
_OPEN_LABEL = re.compile(
    rf"(?:(?<=[.!?。！？»”\"])|\A)\s*({_PHOTO}(?:\s+(?:credits?|by))?\s*[:：]\s*([^:：]{{1,100}}))\Z",
    re.IGNORECASE,
)
_PARTS = re.compile(r"\s*/\s*|\s+via\s+|\s*\|\s*", re.IGNORECASE)


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


def agency_in_brackets(text: str) -> Credit | None:
    """`… (AFP)` or `… (Jane Doe/AFP)`: a last bracket that names a known agency."""
    match = _BRACKETS.search(text)
    credit = _credit(text, match.start(), match[1], match[1]) if match else None
    return credit if credit and credit.agency else None


def labelled_at_the_end(text: str) -> Credit | None:
    """`… . Photo: Jane Doe`: a last sentence that opens with a word for photo."""
    match = _OPEN_LABEL.search(text)
    return _credit(text, match.start(), match[1].strip(), match[2]) if match else None


RULES: tuple[Callable[[str], Credit | None], ...] = (labelled_in_brackets, agency_in_brackets, labelled_at_the_end)


def read_credit(text: str) -> Credit:
    """The credit of a caption by the first rule that finds one; without any, all but `rest` is empty."""
    for rule in RULES:
        credit = rule(text)
        if credit is not None:
            return credit
    return Credit("", None, None, text)


def _credit(text: str, start: int, credit: str, names: str) -> Credit:
    photographer = agency = None
    for part in _PARTS.split(names.strip(" .。")):
        known = _AGENCY_OF.get(" ".join(part.lower().split()))
        if known:
            agency = agency or known
        elif part:
            photographer = photographer or part
    return Credit(credit.rstrip(".。 "), photographer, agency, text[:start].rstrip())
