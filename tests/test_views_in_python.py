"""The views have the same rows as a computation in Python, for editions with every special case."""

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from flows.pipeline.run import publish_edition
from flows.settings import Settings
from tests.conftest import Publish, query, seed_file
from tests.views_in_python import VIEWS, Rows

UNDATED = "---\ntitle: Undated\n---\n\nText of it.\n\n![](https://images.example.com/blank.jpg)\n"
# Two articles of one category share an image, and one shows it twice; another category has no images; one article
# has no category.
FERRY = """---
code: A
title: A ferry
category: World
date: 2026-10-31T23:30:00Z
image: https://images.example.com/pier.jpg
---

![The pier at dawn. (Photo: Reuters)](https://images.example.com/pier.jpg)

![](https://images.example.com/blank.jpg)

![IMG_2041](https://images.example.com/a/img_2041.JPG?width=800)

![pier](https://images.example.com/pier.jpg)
"""
BRIDGE = """---
code: B
title: A bridge
category: world
date: 2026-11-02 00:30:00
---

![bridge-2.jpeg](https://images.example.com/bridge-2.jpeg)

![The pier. (Photo: Ida Moor/AFP)](https://images.example.com/pier.jpg)

![Nothing is known of this.](https://images.example.com/c.jpg "Ida Moor on the bridge. (Photo: Ida Moor/AFP)")
"""
MATCH = seed_file("C", title="A match", date="2026-11-02T10:00:00Z").replace("WORLD", "SPORT")


@pytest.fixture
def few(source, publish: Publish) -> Path:
    """Publish four articles, in the time zone of Bangkok."""
    for name, text in {"ferry": FERRY, "bridge": BRIDGE, "match": MATCH, "undated": UNDATED}.items():
        (source / f"{name}.md").write_text(text)
    return publish(time_zone="Asia/Bangkok").folder


def test_images_by_category(few):
    assert query(few, "FROM images_by_category") == [
        ("WORLD", 8, 6, 6, 3, 0.75, 0.75, 0.375),
        (None, 1, 0, 0, 0, 0, 0, 0),
        ("SPORT", 0, 0, 0, 0, None, None, None),
    ]


def test_captions_by_agency_with_their_days(few):
    assert query(few, "FROM captions_by_agency") == [
        (None, 4, 4, 0, 2, date(2026, 11, 1), date(2026, 11, 2)),
        ("AFP", 2, 2, 1, 1, date(2026, 11, 2), date(2026, 11, 2)),
        ("Reuters", 1, 1, 0, 1, date(2026, 11, 1), date(2026, 11, 1)),
    ]


def test_image_reuse(few):
    blank, pier = (f"https://images.example.com/{name}.jpg" for name in ("blank", "pier"))
    assert query(few, "FROM image_reuse") == [
        (pier, 2, 4, date(2026, 11, 1), date(2026, 11, 2)),
        (blank, 2, 2, date(2026, 11, 1), date(2026, 11, 1)),
    ]


def test_accessibility_gaps(few):
    found = query(few, "SELECT article_id, title, alt, source_path, source_line FROM accessibility_gaps")
    assert found == [
        ("A", "A ferry", None, "ferry.md", 11),
        ("A", "A ferry", "IMG_2041", "ferry.md", 13),
        ("B", "A bridge", "bridge-2.jpeg", "bridge.md", 8),
        ("path:undated.md", "Undated", None, "undated.md", 7),
    ]


def test_freshness_is_relative_to_the_time_of_the_edition(few):
    ((made_at,),) = query(few, "SELECT published_at FROM editions")
    latest = {"WORLD": datetime(2026, 11, 1, 17, 30, tzinfo=UTC), "SPORT": datetime(2026, 11, 2, 10, tzinfo=UTC)}
    ages = {category: (made_at - moment).total_seconds() / 3600 for category, moment in latest.items()}
    found = query(few, "FROM freshness")
    assert [(category, moment) for category, moment, _ in found] == [
        ("SPORT", latest["SPORT"]),
        ("WORLD", latest["WORLD"]),
        (None, None),
    ]
    assert [age for *_, age in found] == [pytest.approx(ages["SPORT"]), pytest.approx(ages["WORLD"]), None]


@pytest.fixture
def none(source, publish: Publish) -> Path:
    """Publish an edition without articles."""
    (source / "draft.md").write_text("---\ntitle: A draft\ndraft: true\n---\n")
    return publish().folder


@pytest.fixture
def one(source, publish: Publish) -> Path:
    """Publish one article without images."""
    (source / "one.md").write_text(seed_file("A"))
    return publish().folder


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Publish a history: articles are corrected, withdrawn and restored, some of them twice, one without a date."""
    folder = tmp_path_factory.mktemp("changed")
    places = {"source": folder / "source", "warehouse": folder / "warehouse"}
    settings = Settings(**places, time_zone="Asia/Bangkok", allow_withdrawals=True)
    dated = {code: seed_file(code, date="2026-10-31 23:30:00") for code in "ABCDE"}
    once, twice = ({"C": seed_file("C", title=title)} for title in ("Once", "Twice"))
    bare = {"A": dated["A"].replace('category: "WORLD"\n', "")}
    few = {code: dated[code] for code in "AD"}
    last = {code: dated[code] for code in "BDE"} | bare
    for texts in (dated | {"U": UNDATED}, dated | once | bare, few, dated | twice, dated | bare, last):
        shutil.rmtree(settings.source, ignore_errors=True)
        settings.source.mkdir()
        for name, text in texts.items():
            (settings.source / f"{name}.md").write_text(text)
        edition = publish_edition(settings).folder
    return edition


def test_corrections_and_withdrawn_articles(changed):
    found = query(changed, "SELECT article_id, title, field, old_value, new_value FROM corrections")
    early, late = "2026-10-24 05:00:00+00", "2026-10-31 16:30:00+00"
    assert found == [
        ("A", "A title", "category", "WORLD", None),
        ("C", "A title", "published_at", early, late),
        ("C", "A title", "title", "Twice", "A title"),
        ("A", "A title", "category", None, "WORLD"),
        ("A", "A title", "category", "WORLD", None),
        ("C", "A title", "published_at", late, early),
        ("C", "A title", "title", "A title", "Once"),
    ]
    found = query(changed, "SELECT article_id, title, category, published_on FROM withdrawn_articles")
    assert found == [("C", "A title", "WORLD", date(2026, 10, 31)), ("path:U.md", "Undated", None, None)]


@pytest.mark.parametrize("edition", ["demo", "none", "one", "few", "changed"])
def test_each_view_has_the_rows_that_python_computes(edition, request):
    folder = request.getfixturevalue(edition)
    rows = Rows(folder)
    found = {view: rounded(query(folder, f"FROM {view}")) for view in VIEWS}
    assert found == {view: rounded(compute(rows)) for view, compute in VIEWS.items()}


def rounded(rows: list[tuple]) -> list[tuple]:
    """Return the rows with rounded fractions."""
    return [tuple(round(value, 9) if isinstance(value, float) else value for value in row) for row in rows]


def test_no_view_reads_the_long_texts(demo):
    plans = {view: query(demo, f"EXPLAIN (FORMAT json) FROM {view}")[0][1] for view in VIEWS}
    assert [view for view, plan in plans.items() if '"body"' in plan or '"text"' in plan] == []
