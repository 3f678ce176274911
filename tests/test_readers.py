"""Readers see one edition, whole, while others are published: the recipes of docs/reading.md under fire."""

import json
import os
import re
import subprocess
import sys

import pytest

from tests.conftest import ROOT, Publish, seed_file

pytestmark = pytest.mark.slow

PUBLISHES = int(os.environ.get("PUBLISHES", "20"))
ARTICLES = 40
RECIPES = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "reading.md").read_text(), re.DOTALL)
# Spark is read by `make spark`, which installs it.
TOOLS = os.environ.get("READERS", "duckdb pyarrow polars pandas dask").split()

# A reader: it repeats a recipe, once more when asked to end, and prints each new answer.
READER = """
import json, select, sys
code = compile(sys.argv[1], "recipe", "exec")
last, reads, told = None, 0, False
while not told:
    told = bool(select.select([sys.stdin], [], [], 0.02)[0])
    seen = {}
    exec(code, seen)
    reads += 1
    answer = [sorted(set(seen["titles"])), len(seen["titles"]), sorted(set(seen["urls"])), len(seen["urls"])]
    if answer != last:
        print(json.dumps(answer), flush=True)
        last = answer
print(json.dumps(reads), flush=True)
"""


def write_version(source, version: int) -> None:
    """Every article, over three months, with one image, says which version of the newsroom it is of."""
    for number in range(ARTICLES):
        name = f"{version:04}"
        body = f"![A bridge](https://images.example.com/{name}.jpg)\n\nPARIS - Text."
        text = seed_file(f"A{number:02}", name, f"2026-0{1 + number % 3}-01T00:00:00Z", body)
        (source / f"{number}.md").write_text(text)


def start_reader(recipe: str, folder) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", READER, recipe]
    return subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def uses(recipe: str, tool: str) -> bool:
    return bool(re.search(rf"^(?:import|from) {tool}\b", recipe, re.MULTILINE))


def test_every_tool_has_a_recipe():
    for tool in ("duckdb", "pyarrow", "polars", "pandas", "dask", "pyspark"):
        assert any(uses(recipe, tool) for recipe in RECIPES)


@pytest.mark.parametrize("recipe", [r for r in RECIPES if any(uses(r, tool) for tool in TOOLS)])
def test_a_recipe_reads_an_edition_without_a_date(source, warehouse, publish: Publish, recipe):
    (source / "a.md").write_text('---\ntitle: "Undated"\nimage: "https://images.example.com/a.jpg"\n---\n\nText.\n')
    publish()
    code = f"{recipe}\nassert (titles, urls) == (['Undated'], ['https://images.example.com/a.jpg'])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=warehouse.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def readers(source, warehouse, publish: Publish):
    """A process for each tool, that has read the first edition."""
    write_version(source, 0)
    publish()
    recipes = [recipe for recipe in RECIPES if any(uses(recipe, tool) for tool in TOOLS)]
    started = [start_reader(recipe, warehouse.parent) for recipe in recipes]
    yield started
    for reader in started:
        reader.kill()
        reader.communicate()


def test_no_reader_sees_a_mixture_nor_goes_back(source, warehouse, publish: Publish, readers):
    first = [reader.stdout.readline() for reader in readers]
    assert len(set(first)) == 1
    for version in range(1, PUBLISHES + 1):
        write_version(source, version)
        assert publish().edition
    for reader in readers:
        answers, errors = reader.communicate("end\n")
        *told, reads = [json.loads(line) for line in answers.splitlines()]
        assert reader.returncode == 0, errors
        assert reads > len(told) >= 1
        versions = []
        for titles, title_count, urls, url_count in told:
            assert (len(titles), title_count, len(urls), url_count) == (1, ARTICLES, 1, ARTICLES)
            assert urls == [f"https://images.example.com/{titles[0]}.jpg"]
            versions.append(titles[0])
        assert versions == sorted(versions)
        assert versions[-1] == f"{PUBLISHES:04}"
