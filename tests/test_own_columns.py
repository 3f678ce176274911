"""The user's own keys of front matter feed columns by broadsheet.toml or a variable."""

import json
from pathlib import Path

import pytest

from flows.articles.front_matter.aliases import ALIASES
from flows.cli.main import main
from flows.cli.up.environment import process_environment
from flows.schema import FRONT_MATTER_COLUMNS
from flows.settings import Settings
from tests.conftest import query, run_broadsheet
from tests.test_etl import run_flow, server  # noqa: F401

ARTICLE = """---
title: A title
kicker: World
meta:
  first: 2026-11-02
  picture: {src: /a.jpg}
---

Text.
"""
CONFIG = '[columns]\nkicker = "category"\n"meta.first" = "published_at"\nmeta.picture = "image"\n'
ROWS = "SELECT category, published_on::VARCHAR, url, extra FROM articles LEFT JOIN images USING (article_id)"
MAPPED = [("WORLD", "2026-11-02", "/a.jpg", '{"meta": {"first": "2026-11-02", "picture": {"src": "/a.jpg"}}}')]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a source of one article."""
    (tmp_path / "seeds").mkdir()
    (tmp_path / "seeds" / "a.md").write_text(ARTICLE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows(folder: Path) -> list[tuple]:
    return query((folder / "warehouse" / "current").resolve(), ROWS)


def test_the_columns_are_those_that_have_aliases():
    assert set(FRONT_MATTER_COLUMNS) == set(ALIASES)


def test_a_file_in_the_current_folder_maps_keys_and_reads_every_file_again(folder, capsys):
    assert main(["run"]) == 0
    assert rows(folder)[0][:3] == (None, None, None)
    (folder / "broadsheet.toml").write_text(CONFIG)
    assert main(["run"]) == 0
    assert rows(folder) == MAPPED
    assert main(["run"]) == 0
    assert "No changes since" in capsys.readouterr().out
    assert main(["verify"]) == 0
    (folder / "broadsheet.toml").unlink()
    assert main(["run"]) == 0
    assert rows(folder)[0][:3] == (None, None, None)


def test_a_variable_overrides_the_file(folder, monkeypatch):
    (folder / "broadsheet.toml").write_text('[columns]\nkicker = "layout"\n')
    columns = {"kicker": "category", "meta.first": "published_at", "meta.picture": "image"}
    monkeypatch.setenv("BROADSHEET_COLUMNS", json.dumps(columns))
    assert main(["run"]) == 0
    assert rows(folder) == MAPPED


@pytest.mark.slow
@pytest.mark.parametrize("runner", ["local", "dask"])
def test_a_flow_maps_keys(server, folder, runner):
    columns = {"kicker": "category", "meta.first": "published_at", "meta.picture": "image"}
    places = {"source": folder / "seeds", "warehouse": folder / "warehouse"}
    done = run_flow(server, **places, columns=json.dumps(columns), runner=runner)
    assert done.returncode == 0, done.stderr
    assert rows(folder) == MAPPED


def test_broadsheet_up_passes_the_columns_to_its_worker(folder):
    (folder / "broadsheet.toml").write_text(CONFIG)
    passed = process_environment(Settings.given(), folder, "a password")["BROADSHEET_COLUMNS"]
    assert json.loads(passed)["meta.first"] == "published_at"


def test_another_file_is_passed_with_a_flag(folder, capsys):
    (folder / "other.toml").write_text(CONFIG)
    assert main(["run", "--config", "other.toml"]) == 0
    assert rows(folder) == MAPPED
    assert main(["explain", "seeds/a.md", "--config", "other.toml"]) == 0
    assert "published_at         2026-11-02 00:00:00+00:00  (key meta.first, line 4)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[columns]\nkicker = "categry"\n', "kicker feeds categry, which is not a column that front matter can feed. Did you mean category?"),
        ("[columns]\nkicker = 1\n", "kicker feeds 1, which is not a column that front matter can feed. Use one of"),
        ("[collumns]\n", "collumns is not a section. The only one is [columns]."),
        ("columns = 1\n", "columns is not a section. Write [columns] above its keys."),
        ("[columns\n", "cannot be read ("),
        ("\ud800", "cannot be read ("),
    ],
)  # fmt: skip
def test_a_mistake_in_the_file_is_named(folder, capsys, text, said):
    (folder / "broadsheet.toml").write_bytes(text.encode(errors="surrogatepass"))
    assert main(["run"]) == 2
    error = capsys.readouterr().err
    assert "broadsheet.toml" in error
    assert said in error
    assert error.count("\n") == 1


def test_a_file_that_does_not_exist_is_named(folder, capsys):
    assert main(["run", "--config", "nowhere.toml"]) == 2
    assert capsys.readouterr().err == (
        "broadsheet: The configuration file nowhere.toml does not exist. Pass another with --config.\n"
    )


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("kicker=category", 'BROADSHEET_COLUMNS: kicker=category is not a JSON object. Write it as {"kicker": "category"}.'),
        ('{"kicker": "titel"}', "BROADSHEET_COLUMNS: kicker feeds titel, which is not a column that front matter can feed."),
    ],
)  # fmt: skip
def test_a_mistake_in_the_variable_is_named(folder, value, said):
    done = run_broadsheet("run", "--source", folder / "seeds", "--warehouse", folder / "w", BROADSHEET_COLUMNS=value)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert said in done.stderr
