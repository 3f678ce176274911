"""Read the image of the front matter: an address or a mapping with one, and the texts in it or beside it."""

from collections.abc import Callable
from typing import NamedTuple

from flows.articles.front_matter.aliases import IMAGE_TEXTS, fold, names_beside
from flows.articles.front_matter.yaml_blocks import Written
from flows.articles.markdown.html import unescape

_ADDRESS_KEYS = ("url", "src", "path", "image", "file", "filename", "href", "source", "original", "publicurl", "teaser")
# The mappings around an address: {asset: {url: …}}, {fields: {file: {url: …}}}, {data: {attributes: {url: …}}}.
_AROUND = ("asset", "fields", "file", "image", "data", "attributes", "original", "src", "node", "default", "feature")
_MAX_DEPTH = 6
_NONE = frozenset({"none", "null", "false", "no", "off", "~", "n/a", "-"})


class Hero(NamedTuple):
    """The image of the front matter; `line` is the line of its key."""

    url: str
    alt: str
    title: str
    caption: str
    credit: str
    line: int


def is_no_image(written: Written) -> bool:
    """Return whether a value says that there is none, as `image: none` does."""
    return isinstance(written, str) and written.strip().casefold() in _NONE


def hero_of(mapping: dict[str, Written], line: int) -> tuple[Hero | None, bool]:
    """Return the image of a mapping, None if it has no address, and whether nothing else is in the mapping."""
    folded = {fold(name): value for name, value in mapping.items()}
    address, used = _address_in(folded)
    if address is None:
        return None, False
    texts = {}
    for name, spellings in IMAGE_TEXTS.items():
        key = next((key for word in spellings if (key := fold(word)) not in used and _text(folded.get(key))), None)
        texts[name] = _text(folded[key]) if key else ""
        used |= {key} if key else set()
    hero = Hero(address, texts["alt"], texts["title"], texts["caption"], texts["credit"], line)
    return hero, used.issuperset(folded)


def _address_in(mapping: dict[str, Written], depth: int = 0) -> tuple[str | None, set[str]]:
    """Return the address in a mapping and the keys that it is in; one that is nested uses no key alone."""
    for name in _ADDRESS_KEYS:
        if text := _text(mapping.get(name)):
            return text, {name}
    for name in _AROUND if depth < _MAX_DEPTH else ():
        inner = first_of(mapping.get(name))
        if isinstance(inner, dict):
            address, _ = _address_in({fold(key): value for key, value in inner.items()}, depth + 1)
            if address:
                return address, set()
    return None, set()


def texts_beside(hero: Hero, key: str, find: Callable[[str], tuple[str, Written] | None]) -> tuple[Hero, list[str]]:
    """Return the image with the texts beside its folded key, and the keys that have them.

    `find` returns the key of a folded name with its value, or None.
    """
    used = []
    for text in IMAGE_TEXTS:
        if getattr(hero, text):
            continue
        for name in names_beside(key, text):
            found = find(name)
            if found and (said := _text(found[1])):
                hero = Hero(**{**hero._asdict(), text: said})
                used.append(found[0])
                break
    return hero, used


def first_of(written: Written) -> str | dict[str, Written] | None:
    """Return the first value of a list, of the list in it, and so on."""
    while isinstance(written, list):
        written = written[0] if written else None
    return written


def _text(written: Written) -> str:
    """Return a text, with HTML's character references as a browser shows them; "" for any other value."""
    text = written.strip() if isinstance(written, str) else ""
    return unescape(text) if "&" in text else text
