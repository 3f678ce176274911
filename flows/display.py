"""Show text of articles, paths and messages so that it cannot control a screen, reorder a line or hide anything.

Such a character is written as an escape, for example \\x1b or \\u202e. Unlike a replacement character, an escape says
which character it is, can be searched for, and can be pasted into Python or, as $'\\u202e', into a shell. The data
itself is never changed.
"""

import re
from collections.abc import Callable

_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
# Control characters, separators, surrogates, format characters except the Arabic signs, which are visible, and fillers.
_HIDDEN = (
    "\x00-\x1f\x7f-\x9f\xad\u034f\u115f\u1160\u17b4\u17b5\u180e\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff"
    "\ufeff\uffa0\ufff0-\ufffb\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff"
    "\U000e01f0-\U000e0fff"
)
_WITHOUT_SPACES = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u19e0-\u19ff\u1a20-\u1aaf"  # scripts that need U+200B
_SELECTORS = "\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef"  # they choose a form of the character before them
_FLAG = "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f"  # the flag of Scotland, for example
_FOUND = re.compile(
    f"({_FLAG})|[{_HIDDEN}]"
    f"|(?<![{_WITHOUT_SPACES}])\u200b(?![{_WITHOUT_SPACES}])"
    f"|(?:(?<=[{_SELECTORS}])|^)[{_SELECTORS}]"  # a series of them can carry a hidden text
)
_MARKS = re.compile("[\u061c\u200e\u200f]")  # Arabic and Hebrew need them beside punctuation
_RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u061b\u061d-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
)


def escape(character: str) -> str:
    """Return the escape of a character; for a byte of a path that is not UTF-8, the byte's."""
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def visible(text: str, escape: Callable[[str], str] = escape) -> str:
    """Return a text with escapes for line breaks and for all characters that are invisible or reorder a line.

    Joiners, variation selectors and direction marks stay where a script or an emoji needs them.
    """
    if text.isascii() and text.isprintable():
        return text
    if not _RIGHT_TO_LEFT.search(text):
        text = _MARKS.sub(lambda found: escape(found[0]), text)
    return _FOUND.sub(lambda found: found[1] or escape(found[0]), text)


def visible_lines(text: str, escape: Callable[[str], str] = escape) -> str:
    """Return a text of several lines with escapes in each of them."""
    return "\n".join(visible(line, escape) for line in text.split("\n"))


def shortened(text: str, longest: int) -> str:
    """Return a visible text of at most `longest` characters; an ellipsis replaces the rest."""
    shown = visible(text[: longest + 1])
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"
