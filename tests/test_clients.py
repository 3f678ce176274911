"""Each recipe of docs/clients.md prints the output below it, on a warehouse of two editions."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from flows.pipeline.run import publish_edition
from flows.settings import Settings
from tests.conftest import ROOT, SEEDS, seed_file

TEXT = (ROOT / "docs" / "clients.md").read_text()
RECIPES = re.findall(r"## ([^\n]*)\n(?:(?!## ).)*?```(sh|python)\n(.*?)```\n\n```text\n(.*?)```", TEXT, re.DOTALL)
NOTEBOOK = """
import sys
from nbclient import execute
from nbformat.v4 import new_code_cell, new_notebook
notebook = new_notebook(cells=[new_code_cell(sys.stdin.read())])
execute(notebook)
print(notebook.cells[0].outputs[0]["data"]["text/plain"])
"""
# Jupyter is run by `make clients`, which installs it.
JUPYTER = os.environ.get("CLIENTS") == "jupyter"
HERE = [recipe for recipe in RECIPES if (recipe[0] == "Jupyter") == JUPYTER]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a warehouse: an edition of seeds/, and one before it in which an article had another category."""
    place = tmp_path_factory.mktemp("clients")
    source = Path(shutil.copytree(SEEDS, place / "source"))
    settings = Settings(source=source, warehouse=place / "warehouse")
    article = source / "2026-10-24-ART2610240536KQ7ZN2.md"
    now = article.read_text()
    article.write_text(now.replace('category: "WORLD"', 'category: "TRAVEL"'))
    publish_edition(settings)
    article.write_text(now)
    publish_edition(settings)
    return place


def test_every_block_of_code_is_a_recipe_with_its_answer():
    assert len(RECIPES) == len(re.findall(r"^```(?:sh|python)$", TEXT, re.MULTILINE)) == 10


@pytest.mark.parametrize(
    ("language", "code", "answer"), [recipe[1:] for recipe in HERE], ids=[name for name, *_ in HERE]
)
def test_a_recipe_prints_what_stands_below_it(folder, language, code, answer):
    python = [sys.executable, "-c", NOTEBOOK] if JUPYTER else [sys.executable, "-W", "error", "-c", code]
    command = {"sh": ["bash", "-ec", code], "python": python}[language]
    paths = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        command, cwd=folder, env=paths, input=code, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.stdout == answer, done.stderr
    assert done.returncode == 0


def test_each_new_connection_of_sqlalchemy_sees_the_edition_that_is_current(source, publish):
    (source / "a.md").write_text(seed_file("A"))
    first = publish().folder
    url = f"duckdb:///{first.parents[1]}/current/broadsheet.duckdb"
    engine = create_engine(url, connect_args={"read_only": True}, poolclass=NullPool)
    count = text("SELECT count(*) FROM articles")
    with engine.connect() as early:
        assert early.execute(count).scalar() == 1
        (source / "b.md").write_text(seed_file("B"))
        publish()
        with engine.connect() as late:
            assert late.execute(count).scalar() == 2
        assert early.execute(count).scalar() == 1
