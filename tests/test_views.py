"""The views give the right numbers: stated by hand from reading the articles, and equal to a computation in Python."""

import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from flows.pipeline.run import publish_edition
from flows.settings import Settings
from tests.conftest import Publish, query, seed_file
from tests.views_in_python import VIEWS, Rows


def test_articles_by_category(demo):
    found = query(
        demo,
        "SELECT category, articles, first_published_on, last_published_on, images, captions FROM articles_by_category",
    )
    assert found == [
        ("WORLD", 8, date(2026, 10, 24), date(2026, 11, 10), 23, 16),
        ("BUSINESS", 6, date(2026, 10, 26), date(2026, 11, 10), 7, 4),
        ("SPORT", 4, date(2026, 10, 24), date(2026, 11, 8), 7, 3),
        ("CULTURE", 3, date(2026, 10, 25), date(2026, 11, 9), 6, 4),
        ("SCIENCE", 3, date(2026, 10, 27), date(2026, 11, 7), 7, 3),
    ]


def test_articles_by_day_has_the_days_without_articles_too(demo):
    found = query(demo, "SELECT published_on, articles, images, captions FROM articles_by_day")
    october = [
        (24, 2, 5, 3),
        (25, 1, 2, 1),
        (26, 2, 4, 2),
        (27, 1, 3, 1),
        (28, 2, 3, 2),
        (29, 1, 2, 1),
        (30, 3, 7, 5),
        (31, 1, 2, 1),
    ]
    november = [
        (1, 0, 0, 0),
        (2, 0, 0, 0),
        (3, 2, 2, 1),
        (4, 2, 5, 3),
        (5, 1, 2, 1),
        (6, 1, 3, 2),
        (7, 1, 2, 1),
        (8, 1, 1, 0),
        (9, 1, 2, 2),
        (10, 2, 5, 4),
    ]
    assert found == [(date(2026, 10, d), *n) for d, *n in october] + [(date(2026, 11, d), *n) for d, *n in november]


def test_a_slip_in_a_year_makes_no_days_of_centuries(source, publish: Publish):
    dates = ("0206-11-05", "9999-12-31", "2026-11-05T12:00:00Z")
    for number, written in enumerate(dates):
        (source / f"{number}.md").write_text(seed_file(f"A{number}", date=written))
    (source / "9999-01-01.md").write_text("---\ntitle: In the name of a file\n---\n")
    edition = publish().folder
    assert query(edition, "SELECT published_on, articles FROM articles_by_day") == [(date(2026, 11, 5), 1)]
    assert query(edition, "SELECT code, count(*) FROM problems GROUP BY code") == [("implausible_date", 3)]


def test_the_mean_covers_the_days_there_are(demo):
    means = dict(query(demo, "SELECT published_on, articles_7_day_mean FROM articles_by_day"))
    assert means[date(2026, 10, 24)] == 2
    assert means[date(2026, 10, 25)] == pytest.approx(3 / 2)
    assert means[date(2026, 10, 30)] == pytest.approx(12 / 7)
    assert means[date(2026, 11, 4)] == pytest.approx((1 + 3 + 1 + 0 + 0 + 2 + 2) / 7)


def test_articles_by_category_and_day(demo):
    found = query(demo, "FROM articles_by_category_and_day WHERE published_on = DATE '2026-10-30'")
    assert found == [(c, date(2026, 10, 30), 1) for c in ("BUSINESS", "CULTURE", "WORLD")]
    assert query(demo, "SELECT sum(articles), count(*) FROM articles_by_category_and_day") == [(24, 24)]


def test_captions_by_agency(demo):
    found = query(demo, "SELECT agency, captions, images, photographers, articles FROM captions_by_agency")
    assert found == [
        ("AFP", 9, 9, 1, 8),
        ("Reuters", 7, 7, 1, 6),
        ("Xinhua", 4, 4, 0, 4),
        ("EPA", 3, 2, 0, 2),
        ("Getty Images", 3, 3, 0, 3),
        ("AP", 2, 2, 0, 2),
        (None, 2, 2, 0, 2),
    ]


def test_photographers(demo):
    found = query(
        demo, "SELECT photographer, agency FROM captions WHERE photographer IS NOT NULL ORDER BY photographer"
    )
    assert found == [("Dewi Marlowe-Pugh", "AFP"), ("Ilse Varnholt", "Reuters")]


def test_days_are_those_of_the_editions_time_zone(source, publish: Publish):
    (source / "late.md").write_text(seed_file("A", date="2026-10-31T23:30:00Z"))
    (source / "naive.md").write_text(seed_file("B", date="2026-11-01 00:30:00"))
    edition = publish(time_zone="Asia/Bangkok").folder
    assert query(edition, "SELECT published_on, articles FROM articles_by_day") == [(date(2026, 11, 1), 2)]
    assert query(edition, "SELECT epoch(published_at) FROM articles WHERE article_id = 'B'") == [(1793467800.0,)]


def test_undated_and_uncategorised_articles_are_counted(source, publish: Publish):
    (source / "undated.md").write_text("---\ntitle: Undated\n---\n\nText of it.\n")
    edition = publish().folder
    assert query(edition, "SELECT category, articles, words FROM articles_by_category") == [(None, 1, 3)]
    assert query(edition, "FROM articles_by_day") == []
    assert query(edition, "FROM articles_by_category_and_day") == [(None, None, 1)]


# Two articles of one desk share a picture, one shows it twice; another desk has no image; one article has no desk.
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
UNDATED = "---\ntitle: Undated\n---\n\nText of it.\n\n![](https://images.example.com/blank.jpg)\n"


@pytest.fixture
def few(source, publish: Publish) -> Path:
    """An edition of four articles, in the time zone of Bangkok."""
    for name, text in {"ferry": FERRY, "bridge": BRIDGE, "match": MATCH, "undated": UNDATED}.items():
        (source / f"{name}.md").write_text(text)
    return publish(time_zone="Asia/Bangkok").folder


def test_images_by_category(few):
    assert query(few, "FROM images_by_category") == [
        ("WORLD", 8, 6, 6, 3, 0.75, 0.75, 0.375),
        (None, 1, 0, 0, 0, 0, 0, 0),
        ("SPORT", 0, 0, 0, 0, None, None, None),
    ]


def test_captions_of_each_agency_with_their_days(few):
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


def test_freshness_is_measured_against_the_editions_time(few):
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
    """An edition without articles."""
    (source / "draft.md").write_text("---\ntitle: A draft\ndraft: true\n---\n")
    return publish().folder


@pytest.fixture
def one(source, publish: Publish) -> Path:
    """An edition of one article without images."""
    (source / "one.md").write_text(seed_file("A"))
    return publish().folder


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An edition with a history: articles corrected, withdrawn and restored, some of them twice, one without a day."""
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


def test_a_history_of_corrections_and_withdrawals(changed):
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
def test_views_answer_what_python_computes(edition, request):
    folder = request.getfixturevalue(edition)
    rows = Rows(folder)
    found = {view: rounded(query(folder, f"FROM {view}")) for view in VIEWS}
    assert found == {view: rounded(compute(rows)) for view, compute in VIEWS.items()}


def rounded(rows: list[tuple]) -> list[tuple]:
    """Rows whose fractions are equal where they differ by less than rounding."""
    return [tuple(round(value, 9) if isinstance(value, float) else value for value in row) for row in rows]


def test_no_view_reads_the_long_texts(demo):
    plans = {view: query(demo, f"EXPLAIN (FORMAT json) FROM {view}")[0][1] for view in VIEWS}
    assert [view for view, plan in plans.items() if '"body"' in plan or '"text"' in plan] == []
