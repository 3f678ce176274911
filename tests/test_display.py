"""Nothing that an article, a path or a message says controls the screen that shows it, reorders a line or hides."""

import csv
import html
import io
import json
import os
import re
import subprocess
import unicodedata
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from hypothesis import given
from hypothesis import strategies as st

from flows.artifacts import render_brief, render_failure, table_rows
from flows.cli.main import main
from flows.display import shortened, visible, visible_lines
from flows.schema import Edition
from tests.conftest import BROADSHEET, ROOT, query

HOSTILE = "red\x1b[31m\x9b2J \u202egnp.exe\u2066 zero\u200bwidth \u2028 tag\U000e0041 bell\x07 line\nforged\rline"
SHOWN = r"red\x1b[31m\x9b2J \u202egnp.exe\u2066 zero\u200bwidth \u2028 tag\U000e0041 bell\x07 line\nforged\rline"
READABLE = [
    "Ferries – “return” to Lake Kisiri…",
    "می‌خواهم به خانه بروم",
    "الميناء ١٢٣ يُفتح",
    "שלום\u200f! (2026)\u200e",
    "ภาษา\u200bไทยมีวรรณยุกต์",
    "ភាសា\u200bខ្មែរ",
    "👩‍👩‍👧‍👦 and ❤️ and 1️⃣ and 👍🏽",
    "🏴󠁧󠁢󠁳󠁣󠁴󠁿 wins",
    "café Việt Nam e\u0301 葛\U000e0100城",
    "ᠮᠣᠩᠭ᠋ᠣᠯ",
    r"a \ backslash",
]
ARABIC_SIGNS = {*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD}  # they are visible
JOINERS = {0x200C, 0x200D}


def harmful(text: str) -> list[str]:
    """The characters of a text that control a screen, reorder a line or hide, as Unicode classifies them."""
    kept = ARABIC_SIGNS | JOINERS
    return [c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cs") and ord(c) not in kept]


def test_every_invisible_character_of_unicode_is_escaped():
    harmless = [hex(code) for code in range(0x110000) if harmful(chr(code)) and harmful(visible(f"a{chr(code)}b"))]
    assert harmless == []
    assert visible(HOSTILE) == SHOWN
    assert visible("x\u200f1 2\u061c") == r"x\u200f1 2\u061c"
    assert visible("name\udcff.md") == r"name\xff.md"


def test_every_visible_character_of_unicode_stays():
    fillers = {0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0}  # letters and marks without a shape
    escaped = {
        code
        for code in range(0x110000)
        if unicodedata.category(chr(code)) not in ("Cc", "Cf", "Zl", "Zp", "Cs", "Cn")
        and visible(f"a{chr(code)}b") != f"a{chr(code)}b"
    }
    assert escaped == fillers


@pytest.mark.parametrize("text", READABLE)
def test_headlines_of_every_script_stay_readable(text):
    assert visible(text) == text


def test_a_text_that_is_hidden_in_selectors_shows():
    assert visible("a" + "".join(chr(0xE0100 + byte) for byte in b"hi")) == "a\U000e0168" + r"\U000e0169"
    assert visible("\ufe0f") == r"\ufe0f"


@given(st.text())
def test_a_visible_text_is_stable_and_short_enough(text):
    assert visible(visible(text)) == visible(text)
    assert visible_lines(text).count("\n") == text.count("\n")
    assert len(shortened(text, 20)) <= 20


@contextmanager
def terminal() -> Iterator[tuple[TextIO, list[bytes]]]:
    """A terminal, and what it has received when the block has ended."""
    screen, end = os.openpty()
    received: list[bytes] = []

    def receive() -> None:
        with suppress(OSError):  # how Linux reports that nothing writes to the terminal any more
            while chunk := os.read(screen, 65_536):
                received.append(chunk)

    with ThreadPoolExecutor(1) as thread:
        done = thread.submit(receive)
        with open(end, "w", encoding="utf-8", errors="replace") as file:
            yield file, received
        done.result(60)
    os.close(screen)


def on_terminal(*arguments: object) -> str:
    """What a terminal receives from a command."""
    with terminal() as (file, received), redirect_stdout(file), redirect_stderr(file), suppress(SystemExit):
        main([str(argument) for argument in arguments])
    return b"".join(received).decode().replace("\r\n", "\n")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a source in which each value is hostile, and a warehouse with its edition."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "source").mkdir()
    text = json.dumps(HOSTILE).replace(r"\udb40\udc41", r"\U000e0041")  # as YAML escapes it
    head = f"code: H\ntitle: {text}\ncategory: {text}\nauthor: {text}\nlanguage: {text}\ndate: {text}\n"
    body = "![Alt \x1b[31m\u202e (Photo: \x1b[31m\u202eReuters)](https://images.example.com/a.jpg)\n\nText \x1b[31m.\n"
    (folder / "source" / f"{HOSTILE}.md").write_text(f"---\n{head}---\n\n{body}")
    (folder / "source" / f"rejected {HOSTILE}.md").write_text(f"---\n{HOSTILE}: [\n---\n")
    assert main(["run", "--source", str(folder / "source"), "--warehouse", str(folder / "warehouse")]) == 0
    return folder


def test_no_command_sends_a_terminal_what_controls_it(hostile):
    source, warehouse, bad, other = (hostile / name for name in ("source", "warehouse", HOSTILE, "other"))
    other.mkdir()
    (other / f"new {HOSTILE}.md").write_text("---\ntitle: New\n---\n")
    for command in [
        *(["explain", file, "--source", source] for file in source.iterdir()),
        ["explain", bad, "--source", source],
        ["verify", "--source", other, "--warehouse", warehouse],
        ["editions", "--warehouse", bad],
        ["run", "--source", bad, "--warehouse", warehouse],
        ["run", "--source", source, "--warehouse", hostile / f"other {HOSTILE}"],
        ["query", "FROM articles", "--warehouse", bad],
        *(
            ["query", "SELECT title, category FROM articles", "--format", form, "--warehouse", warehouse]
            for form in ("table", "csv", "json")
        ),
        ["query", f"SELECT error('{HOSTILE}')", "--warehouse", warehouse],
        ["query", f'SELECT 1 AS "{HOSTILE}"', "--format", "csv", "--warehouse", warehouse],
        ["rollback", HOSTILE, "--warehouse", warehouse],
        ["run", f"--{HOSTILE}"],
        [HOSTILE],
    ]:
        said = on_terminal(*command)
        assert re.search(r"\\(x1b|u001b|e)\[31m", said, re.IGNORECASE), command  # \e is how DuckDB draws it in a table
        assert harmful(said.replace("\n", "")) == [], command
        assert not re.search("^(forged|line)", said, re.MULTILINE) or command[0] == "query", command


def test_json_on_a_terminal_is_json(hostile):
    said = on_terminal("query", "SELECT title FROM articles", "--format", "json", "--warehouse", hostile / "warehouse")
    ((title,),) = query(hostile / "warehouse" / "current", "SELECT title FROM articles")
    assert harmful(title) != []
    assert json.loads(said) == [{"title": title}]


def test_a_device_that_is_a_terminal_is_one(hostile):
    with terminal() as (file, received):
        sql = "SELECT title FROM articles"
        place = ["--format", "csv", "--output", "/dev/stdout", "--warehouse", str(hostile / "warehouse")]
        subprocess.run([*BROADSHEET, "query", sql, *place], cwd=ROOT, stdout=file, check=True, timeout=60)
    assert harmful(b"".join(received).decode().replace("\r\n", "")) == []


@pytest.mark.parametrize("form", ["csv", "json"])
def test_files_and_pipes_get_the_data_unchanged(hostile, tmp_path, form, capsysbinary):
    command = ["query", "SELECT title FROM articles", "--format", form, "--warehouse", str(hostile / "warehouse")]
    assert main(command) == 0
    assert main([*command, "--output", str(tmp_path / "answer")]) == 0
    piped = capsysbinary.readouterr().out.decode()
    assert piped.encode() == (tmp_path / "answer").read_bytes()
    read = list(csv.reader(io.StringIO(piped, newline="")))[1] if form == "csv" else [json.loads(piped)[0]["title"]]
    assert [tuple(read)] == query(hostile / "warehouse" / "current", "SELECT title FROM articles")


def test_a_shell_can_run_the_command_that_a_run_suggests(hostile, capsys):
    warehouse = hostile / "it's \u202e\x1b[31m"
    assert main(["run", "--source", str(hostile / "source"), "--warehouse", str(warehouse)]) == 0
    suggested = re.search(r"Query it: +duckdb -readonly (.*) 'FROM", capsys.readouterr().out)[1]
    assert harmful(suggested) == []
    printed = subprocess.run(
        ["bash", "-c", f"printf %s {suggested}"], env={"LC_ALL": "C.UTF-8"}, capture_output=True, check=True
    )
    assert printed.stdout.decode() == f"{warehouse}/current/broadsheet.duckdb"


EDITION = Edition("20261123T030000Z", datetime(2026, 11, 23, 3, tzinfo=UTC), 1, 1, 1, 1, 0, 0, 0, 1, 1, 1, 0, 1, 1, 1.0)
PARTS = [
    *"ab1 .:/@!#&;()[]<>{}*_`~|\\+-=\"'é\x1b\u202e", "http://a.example", "www.a.example", "a@b.example", "mailto:a@b.example",
    "javascript:a", "&lt;", "<img src=a>", "![a](b)", "1. ", "- ", "# ",
]  # fmt: skip
MARKUP = st.lists(st.sampled_from(PARTS)).map("".join)


def rendered(markdown: str) -> str:
    """HTML of GitHub's Markdown, which turns addresses into links and lets HTML through."""
    shown = cmarkgfm.github_flavored_markdown_to_html(markdown, Options.CMARK_OPT_UNSAFE)
    return re.sub("<code>([:.@])</code>", r"\1", shown)  # a character of an address that is not a link


def seen(text: str) -> str:
    return html.escape(shortened(" ".join(text.split()), 200)).replace("&#x27;", "'")


@given(MARKUP)
def test_a_cell_of_a_table_is_text_where_it_is_rendered_as_markdown(text):
    ((cell,),) = (row.values() for row in table_rows([{"title": text}]))
    assert rendered(cell) == (f"<p>{seen(text)}</p>\n" if text.strip() else "")
    assert harmful(cell) == []


def test_a_cell_of_a_table_has_no_backslashes_where_nothing_is_rendered():
    usual = [
        "2026-11/a_long_name-2.md",
        "Profits up 5%: “really?” (photos) & more!",
        "2026-11-23",
        "It's {now}, 1.5 - 2",
    ]
    assert [row["x"] for row in table_rows([{"x": value} for value in usual])] == usual
    assert table_rows([{"words": 5, "title": None, "long": "x" * 1_000_000}]) == [
        {"words": 5, "title": "", "long": "x" * 199 + "…"}
    ]


@given(MARKUP)
def test_a_text_in_the_brief_is_text(text):
    found = {"title": text, "category": None, "published_on": None, "fields": text, "source_path": text}
    problem = {"line_number": 1, "message": text, "remedy": text}
    answers = {"added": [found], "corrected": [found], "withdrawn": [found], "rejected": [found | problem]}
    answers["internal_errors"] = []
    page = rendered(render_brief(EDITION, answers, [text]))
    assert set(re.findall(r"<([^ >]+)", page)) <= {
        f"{end}{tag}" for tag in ("h1", "h2", "p", "ul", "li") for end in ("", "/")
    }
    assert page.count(f"<li>{seen(text)}") >= 3
    assert rendered(render_failure(text)).count("<p>") <= 2
    assert "<a" not in rendered(render_failure(text))
    assert harmful(page.replace("\n", "")) == []
