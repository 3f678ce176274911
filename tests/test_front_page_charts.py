"""The geometry of the front page's charts, and how it formats numbers, ages and languages."""

from itertools import pairwise

import pytest

from flows.warehouse.front_page import age, charts, language_tag, share
from tests.conftest import Publish, seed_file


def test_a_mistyped_year_does_not_empty_the_charts(source, publish: Publish):
    for number, moment in enumerate(("1970-01-01", "2020-03-01", "2020-03-02", "2199-01-01")):
        (source / f"{number}.md").write_text(seed_file(str(number), date=moment))
    page = (publish().folder / "front_page.html").read_text()
    assert "Articles a day from 3 December 2019 to 2 March 2020: 2 in all" in page
    assert "Articles of each week from 9 September 2019 to the week of 2 March 2020" in page


def test_the_scale_of_a_chart_has_round_numbers():
    assert [charts.scale([most]).ticks for most in (0, 1, 3, 7, 12)] == [
        (1,),
        (1,),
        (1, 2, 3),
        (2, 4, 6, 8),
        (5, 10, 15),
    ]
    assert charts.scale([118]) == (150, (50, 100, 150))
    assert charts.scale([999_999]).ticks == (500_000, 1_000_000)


def test_bars_fill_a_chart_from_the_left_and_are_visible():
    bars = charts.bars([0, 1, 1000], 1000, min_bars=4)
    assert [(bar.x, bar.height) for bar in bars] == [(2.5, 0), (27.5, 1), (52.5, 100)]
    assert charts.line([0, 500], 1000) == "3.57,100.00 10.71,50.00"


@pytest.mark.parametrize("count", [1, 2, 14, 18, 91])
def test_labels_are_below_bars_and_do_not_overlap(count):
    labels = charts.labels(count)
    bars, positions = zip(*labels, strict=True)
    assert bars[0] == 0
    assert bars[-1] == count - 1 or count < 14
    assert all(later - earlier >= 20 for earlier, later in pairwise(positions))


def test_shares_and_ages_as_text():
    assert [share(part, 1000) for part in (0, 1, 333, 999, 1000)] == ["0 %", "1 %", "33 %", "99 %", "100 %"]
    assert [age(hours) for hours in (-3, 0.5, 1.2, 47.9, 48)] == [
        "ahead",
        "under an hour",
        "1 hour",
        "47 hours",
        "2 days",
    ]


@pytest.mark.parametrize(
    ("written", "tag"), [("en", "en"), ("pt-br", "pt-br"), ("english", ""), ('en" onload="', ""), (None, "")]
)
def test_other_text_than_a_language_tag_is_dropped(written, tag):
    assert language_tag(written) == tag
