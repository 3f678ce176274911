"""The views have the right numbers: counted by hand in the articles of seeds/ and in small editions."""

from datetime import date

import pytest

from tests.conftest import Publish, query, seed_file


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


def test_articles_by_day_includes_days_without_articles(demo):
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


def test_a_mistyped_year_does_not_add_centuries_of_days(source, publish: Publish):
    dates = ("0206-11-05", "9999-12-31", "2026-11-05T12:00:00Z")
    for number, written in enumerate(dates):
        (source / f"{number}.md").write_text(seed_file(f"A{number}", date=written))
    (source / "9999-01-01.md").write_text("---\ntitle: In the name of a file\n---\n")
    edition = publish().folder
    assert query(edition, "SELECT published_on, articles FROM articles_by_day") == [(date(2026, 11, 5), 1)]
    assert query(edition, "SELECT code, count(*) FROM problems GROUP BY code") == [("implausible_date", 3)]


def test_the_mean_of_the_first_days_covers_fewer_days(demo):
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


def test_days_are_in_the_time_zone_of_the_edition(source, publish: Publish):
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


def test_an_address_with_an_expression_is_no_reuse(source, publish: Publish):
    for code in "AB":
        body = "![a]({{ page.image }})\n\n![b](/b.jpg)"
        (source / f"{code}.md").write_text(seed_file(code, body=body))
    assert query(publish().folder, "SELECT url, articles FROM image_reuse") == [("/b.jpg", 2)]
