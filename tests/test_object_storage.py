"""Each recipe of docs/object_storage.md prints the output below it, on an edition in a store."""

import re
import subprocess
import sys

import pytest

from flows.pipeline.run import publish_edition
from flows.settings import Settings
from tests.conftest import ROOT, SEEDS

TEXT = (ROOT / "docs" / "object_storage.md").read_text()
RECIPES = re.findall(r"### ([^\n]*)\n(?:(?!## ).)*?```python\n(.*?)```\n\n```text\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture(scope="module")
def edition(object_store, tmp_path_factory: pytest.TempPathFactory):
    folder = tmp_path_factory.mktemp("publisher")
    return publish_edition(Settings(source=SEEDS, warehouse="s3://newsroom/warehouse", data=folder))


def test_every_block_of_python_is_a_recipe_with_its_answer():
    assert len(RECIPES) == TEXT.count("```python") == 5


# DuckDB's extension has its own environment: test_store_duckdb.py.
HERE = [recipe for recipe in RECIPES if recipe[0] != "DuckDB"]


@pytest.mark.parametrize(("code", "answer"), [recipe[1:] for recipe in HERE], ids=[name for name, *_ in HERE])
def test_a_recipe_prints_the_documented_output(edition, tmp_path, code, answer):
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == answer, done.stderr
    assert done.returncode == 0
