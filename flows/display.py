"""Escape characters in displayed text that could control a terminal, reorder a line or hide other text.

Such a character is shown as an escape, for example \\x1b or \\u202e. Unlike a replacement character, an escape
identifies the character, can be searched for, and can be pasted into Python or, as $'\\u202e', into a shell. The
stored data is never changed.
"""

import re
from collections.abc import Callable

_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}
# Control characters, separators, surrogates, fillers, and format characters except for the visible Arabic ones.
_HIDDEN = (
    "\x00-\x1f\x7f-\x9f\xad\u034f\u115f\u1160\u17b4\u17b5\u180e\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff"
    "\ufeff\uffa0\ufff0-\ufffb\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff"
    "\U000e01f0-\U000e0fff"
)
_WITHOUT_SPACES = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u19e0-\u19ff\u1a20-\u1aaf"  # scripts without spaces, which need U+200B
)
# Variation selectors, which select a form of the preceding character.
_SELECTORS = "\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef"
_FLAG = "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f"  # such as the flag of Scotland
_FOUND = re.compile(
    f"({_FLAG})|[{_HIDDEN}]"
    f"|(?<![{_WITHOUT_SPACES}])\u200b(?![{_WITHOUT_SPACES}])"
    f"|(?:(?<=[{_SELECTORS}])|^)[{_SELECTORS}]"  # a sequence of selectors can encode hidden text
)
_MARKS = re.compile("[\u061c\u200e\u200f]")  # Arabic and Hebrew need these direction marks next to punctuation
_RIGHT_TO_LEFT = re.compile(
    "[\u0590-\u061b\u061d-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]"
)


def escape(character: str) -> str:
    """Return the escape for a character, or for the byte that a surrogate in a path represents."""
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if 0xDC80 <= code <= 0xDCFF:
        code -= 0xDC00
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def visible(text: str, escape: Callable[[str], str] = escape) -> str:
    """Escape line breaks, invisible characters and characters that reorder a line.

    Joiners, variation selectors and direction marks are kept where a script or an emoji needs them.
    """
    if text.isascii() and text.isprintable():
        return text
    if not _RIGHT_TO_LEFT.search(text):
        text = _MARKS.sub(lambda found: escape(found[0]), text)
    return _FOUND.sub(lambda found: found[1] or escape(found[0]), text)


def visible_lines(text: str, escape: Callable[[str], str] = escape) -> str:
    """Escape each line of a text separately, and keep the line breaks."""
    return "\n".join(visible(line, escape) for line in text.split("\n"))


def shortened(text: str, max_length: int) -> str:
    """Escape a text, and truncate it to `max_length` characters, ending with an ellipsis."""
    shown = visible(text[: max_length + 1])
    return shown if len(shown) <= max_length else f"{shown[: max_length - 1]}…"
