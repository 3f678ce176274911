"""Bodies written against the parser: each file has a row, and its rows are bounded. `make fuzz` has 2 MB of each."""

import json
import os
import subprocess
import sys
from zoneinfo import ZoneInfo

import pytest

from flows.articles.article import read_article
from flows.articles.lengths import MAX_EXTRA_BYTES, MAX_GROWTH, MAX_LENGTHS, MAX_PROBLEMS, bytes_of
from tests.conftest import ROOT, Publish, query
from tests.hostile_bodies import KINDS, content

SIZE = int(os.environ.get("BODY_BYTES", "20000"))
UTC = ZoneInfo("UTC")


# Seconds of CPU time for a megabyte, and for what any file costs; megabytes of memory at the peak.
MAX_SECONDS, SECONDS_OF_ANY, MAX_MEMORY = 2.0, 0.1, 300
# Reads a file of each kind in a separate process, and prints its CPU time and peak memory.
READER = """
import json, re, sys, time
from pathlib import Path
from zoneinfo import ZoneInfo
from flows.pipeline.isolation import read_isolated, with_arrow_rows
from tests.hostile_bodies import KINDS, content

with_arrow_rows(read_isolated(content(next(iter(KINDS)), 1_000), "any.md", ZoneInfo("UTC")), "any.md")  # what is made once
for kind in KINDS:
    file = content(kind, int(sys.argv[1]))
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins again
    began = time.process_time()
    reading = with_arrow_rows(read_isolated(file, "any.md", ZoneInfo("UTC")), "any.md")
    seconds = time.process_time() - began
    peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]) // 1024
    print(json.dumps([kind, len(file), seconds, peak, [row.code for row in reading.problems]]))
    del reading
"""


def read(front: str, body: str):
    """Read an article whose date is in its path."""
    return read_article(f"---\n{front}\n---\n\n{body}\n".encode(), "posts/2026-11-02.md", UTC)


def test_every_hostile_file_is_published_or_rejected(source, publish: Publish):
    for number, kind in enumerate(KINDS):
        (source / f"{number}.md").write_bytes(content(kind, SIZE))
    report = publish()
    assert query(report.folder, "SELECT count(*) FROM sources") == [(len(KINDS),)]


def test_no_file_takes_more_time_or_memory_than_a_bound():
    command = [sys.executable, "-c", READER, str(SIZE)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    read = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(read) == len(KINDS)
    assert [
        (kind, round(seconds, 2), peak)
        for kind, size, seconds, peak, _ in read
        if seconds > MAX_SECONDS * size / 1e6 + SECONDS_OF_ANY or peak > MAX_MEMORY
    ] == []
    assert [kind for kind, *_, problems in read if "internal_error" in problems] == []


@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_no_more_than_a_multiple_of_the_file(kind: str):
    file = content(kind, SIZE)
    reading = read_article(file, "any.md", UTC)
    rows = [reading.article or (), *reading.images, *reading.captions]
    weight = sum(bytes_of(value) for row in rows for value in row if isinstance(value, str))
    assert weight <= MAX_GROWTH * len(file) + MAX_EXTRA_BYTES
    assert len(reading.problems) <= MAX_PROBLEMS


def test_a_caption_that_a_thousand_images_share_is_bounded():
    figure = "<figure>" + "<img src=x>" * 1_000 + f"<figcaption>{'a ' * 50_000}</figcaption></figure>"
    reading = read("title: x", figure)
    assert {row.code for row in reading.problems} == {"text_cut", "too_much_text"}
    assert 0 < len(reading.images) < 1_000
    assert {row.line_number for row in reading.problems} == {5}


def test_a_gallery_of_a_thousand_small_images_is_whole():
    """Below a long path, and without a code, so that each row has a long identity."""
    body = "\n\n".join(f"![Photo {number}](img/{number}.jpg)" for number in range(1_000))
    reading = read_article(f"---\ntitle: x\n---\n\n{body}\n".encode(), f"{'folder/' * 20}2026-11-02-gallery.md", UTC)
    assert (len(reading.images), reading.problems) == (1_000, [])


def test_a_too_long_identity_does_not_collide_with_another_article():
    reading = read(f"title: x\ncode: {'c' * 60_000}", "![a](b)\n\n" * 100)
    assert (reading.article.article_id, [row.code for row in reading.problems]) == ("path:posts/2026-11-02.md", ["identity_too_long", "value_too_long"])  # fmt: skip
    assert [row.line_number for row in reading.problems] == [3, 3]
    assert len(reading.images) == 100


@pytest.mark.parametrize("key", ["title", "description", "category", "layout", "origin_url"])
def test_a_text_that_is_too_long_is_cut(key: str):
    limit = MAX_LENGTHS[key]
    whole, cut = (read(f"code: a\n{key}: {'a' * length}", "Text.") for length in (limit, limit + 1))
    assert (len(getattr(whole.article, key)), [row.code for row in whole.problems if row.code == "text_cut"]) == (
        limit,
        [],
    )
    assert (getattr(cut.article, key)[-1], len(getattr(cut.article, key))) == ("…", limit)
    assert [(row.code, row.line_number) for row in cut.problems if row.code == "text_cut"] == [("text_cut", 3)]


def test_a_cut_leaves_marks_on_their_letters():
    reading = read("code: a\ntitle: " + "a" * 1_997 + "e\u0301\u0302" * 3, "Text.")
    assert reading.article.title == "a" * 1_997 + "…"


def test_extra_is_bounded():
    reading = read(f"title: x\n? {'k' * 300}\n: 1\nlong: {'v' * 60_000}\nlist: [{'word, ' * 9_900}]", "Text.")
    assert [row.code for row in reading.problems] == ["key_too_long", "value_too_long", "value_too_long"]
    assert len(reading.article.extra) < 51_000
