"""The house: imports point one way, and each word of the layout is kept."""

import ast
import re
from pathlib import Path

from flows.warehouse.ddl import SQL
from tests.conftest import ROOT

FLOWS = ROOT / "flows"

# Each room and what it may know, from the top of the house to the ground.
MAY_IMPORT = {
    "flows.etl": {"flows.display", "flows.tasks", "flows.pipeline", "flows.brief", "flows.verify", "flows.settings", "flows.problems", "flows.tables"},
    "flows.tasks": {"flows.display", "flows.memory", "flows.cluster", "flows.pipeline", "flows.plan", "flows.workers", "flows.settings", "flows.problems"},
    "flows.brief": {"flows.display", "flows.warehouse", "flows.tables"},
    "flows.up": {"flows.display", "flows.up", "flows.objects", "flows.say", "flows.settings", "flows.problems"},
    "flows.cli": {"flows.display", "flows.memory", "flows.up", "flows.pipeline", "flows.summary", "flows.verify", "flows.explain", "flows.query", "flows.interrupt", "flows.warehouse", "flows.say", "flows.settings", "flows.problems"},
    "flows.query": {"flows.question", "flows.formats", "flows.parquet_answer", "flows.output", "flows.interrupt", "flows.objects", "flows.warehouse", "flows.say", "flows.settings"},
    "flows.question": set(),
    "flows.formats": {"flows.display"},
    "flows.parquet_answer": {"flows.formats", "flows.warehouse"},
    "flows.output": {"flows.warehouse"},
    "flows.interrupt": set(),
    "flows.summary": {"flows.display", "flows.objects", "flows.pipeline", "flows.plan", "flows.workers", "flows.warehouse", "flows.tables", "flows.say", "flows.settings"},
    "flows.verify": {"flows.memory", "flows.objects", "flows.steps", "flows.settle", "flows.workers", "flows.source", "flows.source_checks", "flows.warehouse", "flows.tables", "flows.settings", "flows.problems"},
    "flows.pipeline": {"flows.memory", "flows.remote", "flows.objects", "flows.settle", "flows.steps", "flows.plan", "flows.workers", "flows.source", "flows.source_checks", "flows.warehouse", "flows.tables", "flows.settings", "flows.problems"},
    "flows.cluster": {"flows.pipeline", "flows.remote", "flows.objects", "flows.steps", "flows.plan", "flows.source", "flows.source_checks", "flows.warehouse", "flows.tables", "flows.settings", "flows.problems"},
    "flows.remote": {"flows.objects", "flows.settle", "flows.steps", "flows.plan", "flows.warehouse", "flows.tables", "flows.settings", "flows.problems"},
    "flows.steps": {"flows.transform", "flows.plan", "flows.source", "flows.source_checks", "flows.articles", "flows.warehouse", "flows.tables", "flows.settings"},
    "flows.settle": {"flows.transform", "flows.plan", "flows.warehouse", "flows.tables", "flows.problems"},
    "flows.isolation": {"flows.articles", "flows.warehouse", "flows.tables", "flows.problems"},
    "flows.transform": {"flows.isolation", "flows.plan", "flows.source", "flows.articles", "flows.warehouse", "flows.tables", "flows.problems", "flows.settings"},
    "flows.workers": {"flows.limits", "flows.plan", "flows.problems"},
    "flows.plan": {"flows.settings"},
    "flows.explain": {"flows.isolation", "flows.display", "flows.links", "flows.source", "flows.objects", "flows.settings", "flows.articles", "flows.tables", "flows.problems"},
    "flows.links": {"flows.problems"},
    "flows.source": {"flows.links", "flows.objects", "flows.tables", "flows.problems"},
    "flows.source_checks": {"flows.source", "flows.objects"},
    "flows.articles": {"flows.articles", "flows.tables", "flows.problems"},
    "flows.warehouse": {"flows.display", "flows.limits", "flows.warehouse", "flows.objects", "flows.tables", "flows.problems"},
    "flows.objects": {"flows.objects", "flows.problems"},
    "flows.display": set(),
    "flows.errors": set(),
    "flows.limits": set(),
    "flows.memory": set(),
    "flows.say": {"flows.display"},
    "flows.settings": {"flows.objects"},
    "flows.problems": {"flows.tables"},
    "flows.tables": set(),
}  # fmt: skip


def imports(file: Path) -> set[str]:
    """The modules that a file imports, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {
                f"{node.module}.{name.name}" if node.module == "flows" else str(node.module) for name in node.names
            }
    return found


def room(module: str) -> str:
    """The room of a module: its own name, or the folder that it lies in."""
    return ".".join(module.split(".")[:2])


def modules() -> list[tuple[str, Path]]:
    files = [file for file in FLOWS.rglob("*.py") if file.name != "__init__.py"]
    return [(".".join(file.relative_to(ROOT).with_suffix("").parts), file) for file in files]


def test_imports_point_one_way():
    wrong = [
        f"{module} imports {imported}"
        for module, file in modules()
        for imported in imports(file)
        if imported.startswith("flows.") and room(imported) not in MAY_IMPORT[room(module)] | {"flows.errors"}
    ]
    assert wrong == []


def test_every_room_is_known():
    assert {room(module) for module, _ in modules()} == set(MAY_IMPORT)


def test_only_the_flow_and_its_tasks_know_prefect():
    knowing = [module for module, file in modules() if any(name.split(".")[0] == "prefect" for name in imports(file))]
    assert sorted(knowing) == ["flows.etl", "flows.tasks"]


def test_articles_know_neither_arrow_nor_database():
    heavy = {"pyarrow", "duckdb", "prefect"}
    knowing = [
        m for m, file in modules() if room(m) == "flows.articles" and heavy & {i.split(".")[0] for i in imports(file)}
    ]
    assert knowing == []


def test_every_installation_checks_hashes():
    installing = [line for line in (ROOT / "Makefile").read_text().splitlines() if "pip install" in line]
    assert len(installing) >= 4
    assert [line for line in installing if "--require-hashes" not in line] == [
        "\t@PIP_DISABLE_PIP_VERSION_CHECK=1 $(BIN)/pip install -qq --no-deps --no-build-isolation --editable ."
    ]


def test_every_lock_has_what_is_asked_for_with_a_hash():
    folder = ROOT / "tests" / "requirements"
    asked = [*folder.glob("*.txt"), ROOT / "benchmarks" / "peers" / "requirements.txt"]
    assert len(asked) == 4
    for file in asked:
        lock = file.with_suffix(".lock").read_text()
        wanted = {re.match(r"[\w-]+", line)[0] for line in file.read_text().splitlines() if not line.startswith("#")}
        locked = re.findall(r"^([\w.-]+)(?:\[.*\])?==(.*?)(?=^\w|\Z)", lock, re.MULTILINE | re.DOTALL)
        assert wanted <= {name for name, _ in locked}
        assert [name for name, text in locked if "--hash=sha256:" not in text] == []
        assert "://" not in lock


def test_every_sql_file_opens_with_what_it_is():
    silent = [file.name for file in SQL.rglob("*.sql") if not file.read_text().startswith("-- ")]
    assert silent == []


def test_only_the_store_knows_s3():
    libraries = {"boto3", "botocore"}
    knowing = {room(m) for m, file in modules() if libraries & {i.split(".")[0] for i in imports(file)}}
    assert knowing == {"flows.objects"}
