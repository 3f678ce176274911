"""Map the keys of front matter to columns by their aliases, and record which keys are used, missing or unusable."""

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import date, time
from math import isfinite
from types import MappingProxyType
from typing import Any

from flows.articles.front_matter.aliases import FEEDING, FOLDED, IMAGE_KEYS, all_names_beside, fold
from flows.articles.front_matter.hero import Hero, first_of, hero_of, is_no_image, texts_beside
from flows.articles.front_matter.reader import FrontMatter
from flows.articles.front_matter.yaml_blocks import MAX_NUMBER_BITS, Written
from flows.articles.lengths import MAX_KEY, MAX_LENGTHS, MAX_VALUE, shorten, truncate
from flows.articles.markdown.html import unescape
from flows.problems import problem, quoted

# Keys whose text is an image only if it looks like an address; it may be a name or a headline.
_DOUBTFUL = frozenset({"header", "photo", "picture", "banner", "hero", "cover"})


_ENCODE = json.JSONEncoder(ensure_ascii=False, sort_keys=True).encode  # dumps() would make an encoder for each call


class Fields:
    """The keys of one front matter; `problems` collects the values that cannot be used."""

    def __init__(self, front: FrontMatter, columns: Mapping[str, str] = MappingProxyType({})) -> None:
        self.front = front
        self.columns = columns  # the columns of the user's own keys, which may be dotted paths
        self.used: set[str] = set()
        self.problems = list(front.problems)
        self.names: dict[str, str] = {}  # the keys by their folded spelling
        for key in front.written:
            self.names.setdefault(fold(key), key)

    def line(self, key: str) -> int | None:
        """Return the line of a key in the file, for a dotted path that of its first part."""
        lines = self.front.lines
        return lines.get(key) or lines.get(key.partition(".")[0])

    def values(self, column: str) -> Iterator[tuple[str, Written]]:
        """Yield the keys that may feed a column and have a value, with that value as written."""
        names, written = self.names, self.front.written
        if self.columns:
            yield from self._own_values(column)
        for name in FOLDED[column]:
            if name in names and not _is_empty(written[names[name]]):
                self.used.add(names[name])
                yield names[name], written[names[name]]

    def _own_values(self, column: str) -> Iterator[tuple[str, Written]]:
        """Yield the user's own keys that feed a column; those in mappings stay in `extra`."""
        for key, fed in self.columns.items():
            value = self.front.written.get(key)
            if value is None:
                value = _at_path(self.front.written, key)
            if fed == column and not _is_empty(value):
                self.used.add(key)
                yield key, value

    def find(self, name: str) -> tuple[str, Written] | None:
        """Return the key with a folded name and its value as written, None without a value."""
        key = self.names.get(name)
        if key is None or _is_empty(self.front.written[key]):
            return None
        return key, self.front.written[key]

    def text(self, column: str) -> str | None:
        """Return the trimmed text of a column; a value of another type stays in `extra`, with a problem."""
        for key, written in self.values(column):
            if isinstance(written, str):
                return self._fit(_decoded(written.strip()), column, key)
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
            values = written if isinstance(written, list) else [written]
            value = next((found for item in values if not _is_empty(found := first_of(item))), None)
            if isinstance(value, str):
                if len(values) > 1:
                    self.used.discard(key)
                return self._fit(_decoded(" ".join(value.split())), column, key)
            if isinstance(value, dict):
                self._leave_in_extra(key, written, "text")
        return None

    def _fit(self, value: str, column: str, key: str) -> str:
        if len(value) <= MAX_LENGTHS[column]:  # without looking up the key's line
            return value
        self.used.discard(key)
        return truncate(value, column, self.line(key), self.problems)

    def image(self) -> Hero | None:
        """Return the image: an address, or a mapping with one, whose other keys stay in `extra`."""
        for key, written in self.values("image"):
            self.used.discard(key)
            if isinstance(self.front.values.get(key), bool) or is_no_image(written):
                continue  # no image, or one that only the site can resolve
            value = first_of(written)
            if isinstance(value, str):
                if is_no_image(value) or (fold(key) in _DOUBTFUL and "/" not in value and "." not in value):
                    continue
                hero, is_whole = Hero(value.strip(), "", "", "", "", self.line(key) or 1), True
            else:
                found, is_whole = hero_of(value or {}, self.line(key) or 1)
                if found is None:
                    if value and fold(key) not in _DOUBTFUL:
                        self._leave_in_extra(key, written, "an image")
                    continue
                hero = found
            if not all_names_beside(fold(key)).isdisjoint(self.names):
                hero, beside = texts_beside(hero, fold(key), self.find)
                self.used.update(beside)
            if is_whole and not (isinstance(written, list) and len(written) > 1):
                self.used.add(key)
            self._report_other_images(hero, key)
            return hero
        return None

    def _report_other_images(self, hero: Hero, key: str) -> None:
        """Report each other key with an image, which stays in `extra`."""
        if IMAGE_KEYS.isdisjoint(self.names.keys() - {fold(key)}):  # as in most articles
            return
        for other in (self.names[name] for name in FOLDED["image"] if name in self.names):
            value = first_of(self.front.written[other])
            address = value.strip() if isinstance(value, str) else ""
            if other != key and address != hero.url and ("/" in address or "." in address or isinstance(value, dict)):
                self.problems.append(problem("other_image", self.line(other), key=other))

    def extra(self) -> str | None:
        """Return every key that fed no column, as a JSON object with sorted keys."""
        written = self.front.written
        left = {
            key: value
            for key, value in self.front.values.items()
            if key not in self.used and not (_is_empty(written[key]) and fold(key) in FEEDING)
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


def _at_path(written: Written, path: str) -> Written:
    """Return the value at a dotted path of nested mappings, None if there is none."""
    for part in path.split("."):
        written = written.get(part) if isinstance(written, dict) else None
    return written


def _decoded(text: str) -> str:
    """Return a text with HTML's character references, which exporters write, as a browser shows them."""
    return unescape(text) if "&" in text else text


def _as_json(value: Any) -> str:
    return _ENCODE(value)


def _is_empty(written: Written) -> bool:
    return not written or (isinstance(written, str) and not written.strip())


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
