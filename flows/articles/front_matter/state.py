"""Decide whether an article is published or a draft, by its front matter and its path.

| where | published | draft |
|---|---|---|
| `draft`, `is_draft` (Hugo, Hexo, Astro, Eleventy) | no, false, off | yes, true, on |
| `published` (Jekyll) | yes, true, on, or a date | no, false, off |
| `status` (Pelican, WordPress, Ghost) | any other | draft, private, pending, trash, hidden, future, scheduled, … |
| folder `_drafts` or `drafts` (Jekyll, Hexo) | | any file in it |

Booleans are those of YAML 1.1, in any case and also in quotes: <https://yaml.org/type/bool.html>.
"""

from flows.articles.front_matter.fields import Fields
from flows.articles.front_matter.yaml_blocks import Written
from flows.problems import problem, quoted

_TRUE = frozenset({"true", "yes", "on", "y", "1"})
_FALSE = frozenset({"false", "no", "off", "n", "0"})
_HELD_BACK = frozenset(
    {
        *("draft", "drafts", "private", "pending", "pending review", "trash", "trashed", "hidden", "future"),
        *("scheduled", "unpublished", "auto-draft", "in progress", "in-progress", "review", "in review"),
    }
)
_KEYS = frozenset({"draft", "isdraft", "published", "status"})
_FOLDERS = frozenset({"_drafts", "drafts"})


def is_draft(fields: Fields, source_path: str) -> bool:
    """Return whether an article is held back; a flag that is neither true nor false is a problem."""
    if "draft" in source_path.casefold() and not _FOLDERS.isdisjoint(source_path.casefold().split("/")[:-1]):
        return True
    if _KEYS.isdisjoint(fields.names):  # as in most articles
        return False
    flags = [_is_set(fields, name) for name in ("draft", "isdraft")]
    return any(flags) or _is_set(fields, "published") is False or _status(fields) in _HELD_BACK


def may_be_date(written: Written) -> bool:
    """Return whether the value of `published` is more like a date than like a boolean."""
    value = _word(written)
    return value not in _TRUE | _FALSE and any(map(str.isdigit, value))


def _is_set(fields: Fields, name: str) -> bool | None:
    """Return the value of a flag, None if there is none; `published` may be a date instead."""
    found = fields.find(name)
    if found is None:
        return None
    key, written = found
    value = _word(written)
    if value in _TRUE or value in _FALSE:
        return value in _TRUE
    if name != "published" or not may_be_date(written):
        wanted, kept = "true or false", quoted(written)
        fields.problems.append(problem("unusable_flag", fields.line(key), key=key, value=kept, wanted=wanted))
    return None


def _status(fields: Fields) -> str:
    found = fields.find("status")
    return _word(found[1]) if found else ""


def _word(written: Written) -> str:
    return written.strip().casefold() if isinstance(written, str) else ""
