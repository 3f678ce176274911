"""Map the keys of front matter to columns by their aliases, and record which keys are used, missing or unusable."""

import json
from base64 import b64encode
from collections.abc import Iterator
from datetime import date, time
from math import isfinite
from typing import Any, NamedTuple

from flows.articles.front_matter.reader import FrontMatter
from flows.articles.front_matter.yaml_blocks import MAX_NUMBER_BITS, Written
from flows.articles.lengths import MAX_KEY, MAX_LENGTHS, MAX_VALUE, shorten, truncate
from flows.problems import problem, quoted

# The keys that feed a column, in order of preference; a key that is not used goes to `extra`.
ALIASES = {
    "article_id": ("code", "id", "uuid", "guid"),
    "title": ("title", "headline"),
    "description": ("description", "excerpt", "summary"),
    "category": ("category", "categories", "section", "sections"),
    "language": ("language", "lang", "locale"),
    "layout": ("layout",),
    "published_at": ("date", "publishDate", "publish_date", "pubDate", "pubdate", "published_at", "datePublished"),
    "origin_url": ("origin_url", "canonical_url", "canonicalUrl", "canonical"),
    "image": ("image", "hero", "cover", "thumbnail", "image_feature", "featured_image", "cover_image"),
}
_FEEDING = frozenset(key for keys in ALIASES.values() for key in keys)
_HELD_BACK = {"draft": "true", "published": "false"}
_ADDRESS_KEYS = ("url", "src", "path", "image")  # of an image that is a mapping
_HERO_KEYS = frozenset({*_ADDRESS_KEYS, "alt", "title", "caption"})


class Hero(NamedTuple):
    """The image of the front matter; `line` is the line of its key."""

    url: str
    alt: str
    title: str
    caption: str
    line: int


class Fields:
    """The keys of one front matter; `problems` collects the values that cannot be used."""

    def __init__(self, front: FrontMatter) -> None:
        self.front = front
        self.used: set[str] = set()
        self.problems = list(front.problems)

    def line(self, key: str) -> int | None:
        """Return the line of a key in the file."""
        return self.front.lines.get(key)

    def values(self, column: str) -> Iterator[tuple[str, Written]]:
        """Yield the keys that may feed a column and have a value, with that value as written."""
        written = self.front.written
        for key in ALIASES[column]:
            if key in written and not _is_empty(written[key]):
                self.used.add(key)
                yield key, written[key]

    def text(self, column: str) -> str | None:
        """Return the trimmed text of a column; a value of another type stays in `extra`, with a problem."""
        for key, written in self.values(column):
            if isinstance(written, str):
                return self._fit(written.strip(), column, key)
            self._leave_in_extra(key, written, "text")
        return None

    def identity(self) -> str | None:
        """Return the article's identity. A too long one is kept in `extra`: truncated, it may not be unique."""
        for key, written in self.values("article_id"):
            identity, limit = written.strip() if isinstance(written, str) else "", MAX_LENGTHS["identity"]
            if identity and len(identity) <= limit:
                return identity
            if not identity:
                self._leave_in_extra(key, written, "text")
                continue
            self.used.discard(key)
            found = problem("identity_too_long", self.line(key), key=key, size=len(identity), limit=limit)
            self.problems.append(found)
        return None

    def first(self, column: str) -> str | None:
        """Return the first value of a column that may have several; the others are in `extra`."""
        for key, written in self.values(column):
            value = _first(written)
            if isinstance(value, str) and value.strip():
                if isinstance(written, list) and len(written) > 1:
                    self.used.discard(key)
                return self._fit(value.strip(), column, key)
            if isinstance(value, dict):
                self._leave_in_extra(key, written, "text")
        return None

    def _fit(self, value: str, column: str, key: str) -> str:
        if len(value) <= MAX_LENGTHS[column]:  # without looking up the key's line
            return value
        return truncate(value, column, self.line(key), self.problems)

    def image(self) -> Hero | None:
        """Return the image: an address, or a mapping with one, whose other keys stay in `extra`."""
        for key, written in self.values("image"):
            if isinstance(self.front.values[key], bool):  # no image, or one that only the site can resolve
                self.used.discard(key)
                continue
            if isinstance(written, str):
                return Hero(written.strip(), "", "", "", self.line(key) or 1)
            value = _first(written)
            mapping: dict[str, Written] = value if isinstance(value, dict) else {"url": value}
            if hero := _hero_of(mapping, self.line(key) or 1):
                if (isinstance(written, list) and len(written) > 1) or not _HERO_KEYS.issuperset(mapping):
                    self.used.discard(key)
                return hero
            if isinstance(value, dict):
                self._leave_in_extra(key, written, "an image")
        return None

    def is_draft(self) -> bool:
        """Return whether `draft: true` or `published: false` keeps the article from being published."""
        found = {key: str(self.front.written[key]).lower() for key in _HELD_BACK if key in self.front.written}
        self.used.update(found)
        return any(value == _HELD_BACK[key] for key, value in found.items())

    def extra(self) -> str | None:
        """Return every key that fed no column, as a JSON object with sorted keys."""
        written = self.front.written
        left = {
            key: value
            for key, value in self.front.values.items()
            if key not in self.used and not (key in _FEEDING and _is_empty(written[key]))
        }
        if not left:
            return None
        text = _as_json(_jsonable(left))
        return text if len(text) <= MAX_KEY else self._bounded_extra(left)

    def _bounded_extra(self, left: dict[str, Any]) -> str | None:
        """Return the same without keys and values that are too long."""
        kept = {}
        for key, value in left.items():
            size, line = len(value) if isinstance(value, str) else len(_as_json(_jsonable(value))), self.line(key)
            if len(key) > MAX_KEY:
                self.problems.append(problem("key_too_long", line, key=key, size=len(key), limit=MAX_KEY))
                continue
            kept[key] = value
            if size > MAX_VALUE:
                instead = "it was truncated" if isinstance(value, str) else "it was omitted"
                found = problem("value_too_long", line, key=key, size=size, limit=MAX_VALUE, instead=instead)
                self.problems.append(found)
                if isinstance(value, str):
                    kept[key] = shorten(value, MAX_VALUE)
                else:
                    del kept[key]
        return _as_json(_jsonable(kept)) if kept else None

    def _leave_in_extra(self, key: str, written: Written, wanted: str) -> None:
        self.used.discard(key)
        value = quoted(json.dumps(written, ensure_ascii=False))
        self.problems.append(problem("unusable_value", self.line(key), key=key, value=value, wanted=wanted))


def _hero_of(mapping: dict[str, Written], line: int) -> Hero | None:
    """Return the image of a mapping, None if it has no address."""
    texts = {name: text.strip() for name, text in mapping.items() if isinstance(text, str) and text.strip()}
    address = next((texts[name] for name in _ADDRESS_KEYS if name in texts), None)
    if address is None:
        return None
    return Hero(address, texts.get("alt", ""), texts.get("title", ""), texts.get("caption", ""), line)


def _as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)


def _is_empty(written: Written) -> bool:
    return not written or (isinstance(written, str) and not written.strip())


def _first(written: Written) -> str | dict[str, Written] | None:
    while isinstance(written, list):
        written = written[0] if written else None
    return written


def _jsonable(value: Any) -> Any:
    """Return a YAML or TOML value as JSON can represent it: other keys and scalars become text, sets sorted lists."""
    if isinstance(value, dict):
        return {str(key): _jsonable(item) for key, item in value.items()}
    if isinstance(value, set):
        return sorted(map(str, value))
    if isinstance(value, list | tuple):
        return [_jsonable(item) for item in value]
    if isinstance(value, int) and value.bit_length() > MAX_NUMBER_BITS:
        return hex(value)
    if isinstance(value, bytes):
        return b64encode(value).decode()
    if value is None or isinstance(value, str | bool | int) or (isinstance(value, float) and isfinite(value)):
        return value
    if isinstance(value, date | time):
        return value.isoformat().replace("+00:00", "Z")
    return str(value)
