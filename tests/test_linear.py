"""Reading takes time in proportion to the file: each pattern, each parser, on what is written against it."""

import re
from random import Random
from zoneinfo import ZoneInfo

import pytest

from flows.articles.article import read_article
from flows.articles.credits.labels import LAST_LABEL, MAX_LABEL_LENGTH
from tests.growth import is_linear
from tests.hostile_bodies import KINDS, content
from tests.patterns import attacks, methods, patterns, unnamed

# LAST_LABEL is only ever searched in MAX_LABEL_LENGTH characters, whatever the text.
PATTERNS = {name: pattern for name, pattern in patterns().items() if pattern is not LAST_LABEL}
UTC = ZoneInfo("UTC")


def run(pattern: re.Pattern[str], method: str, text: str) -> None:
    if method == "sub" or method == "subn":
        pattern.sub("", text)
    elif method == "finditer":
        for _ in pattern.finditer(text):
            pass
    else:
        getattr(pattern, method)(text)


def first_slow(pattern: re.Pattern[str], method: str) -> tuple[str, str, str] | None:
    """Return the first attack on which a pattern takes more than linear time."""
    for opening, piece, ending in attacks(pattern, Random(7)):

        def work(size: int, opening: str = opening, piece: str = piece, ending: str = ending) -> None:
            run(pattern, method, opening + piece * (size // len(piece)) + ending)

        if not is_linear(work, repeats=1):
            return opening, piece, ending
    return None


def test_every_pattern_is_known():
    assert unnamed() == []
    assert len(PATTERNS) > 50
    assert MAX_LABEL_LENGTH < 100


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_is_linear(name: str):
    pattern, used = PATTERNS[name], methods(name)
    assert used, f"{name} is used in no way that this test knows"
    assert [found for method in sorted(used) if (found := first_slow(pattern, method))] == []


def test_a_pattern_that_is_not_linear_is_noticed():
    assert first_slow(re.compile(r"\s+x"), "search")


@pytest.mark.parametrize("kind", KINDS)
def test_an_article_is_read_in_linear_time(kind: str):
    assert is_linear(lambda size: read_article(content(kind, size), "any.md", UTC))
