"""Spellings of front matter: every tag of YAML 1.1 and every type of TOML and JSON, with odd values, in odd places.

The same at each call. Most of them are wrong, and some are hostile; each is a seed file that has to get a row.
"""

from collections.abc import Iterator
from itertools import product

YAML_TAGS = (
    *("", "!", "!!bool", "!!int", "!!float", "!!null", "!!str", "!!binary", "!!timestamp", "!!omap", "!!pairs", "!!set"),
    *("!!seq", "!!map", "!!merge", "!!value", "!!yaml", "!!nonsense", "!local", "!<tag:example.com,2026:x>", "!e!x"),
    *("!!python/none", "!!python/tuple", "!!python/object/apply:os.getcwd", "!!python/name:os.getcwd"),
)  # fmt: skip
YAML_VALUES = (
    *("", "''", '""', "' '", "maybe", "yes", "OFF", "~", "_", "__", "-", "+", "-_", ".", "=", "<<", "?", ":", "soon", "é"),
    *("0", "-0", "0_", "0b", "0b_", "0b2", "0x", "-0x_", "0xG", "08", "1_000", "1:", "1:99", "-1:1:1", "²", "٣"),
    *(".inf", "-.INF", ".nan", "1e999", "-1.5e+999", "1.", "._1", "1.5:1", "0.0.0", "9" * 5_000, "0x" + "F" * 5_000),
    *("1:" * 1_000 + "1", "1:" * 1_000 + "1.5", "9" * 400 + ".5", "0b" + "1" * 5_000, "0" + "7" * 5_000),
    *("2026-11-23", "2026-13-45", "0000-00-00", "9999-12-31T23:59:59-14:00", "2026-11-23T10:05:00+99:99", "12:30:45"),
    *("aGk=", "aGk", "====", '"\\0"', '"\\ud800"', '"\\U0001f600"', '"\\x7f\\u202e"', "'\u2028'", "|\n      a\n", ">-\n      b"),
    *("[]", "[a]", "[[a, b]]", "[[a], b]", "[{a: b}]", "[{a: b, c: d}]", "[[]]", "{}", "{a: b}", "{a: {b: [c]}}"),
    *("{[a]: b}", "{{a: b}: c}", "{? [a, b]}", "{a, b}", "{=: a}", "{<<: 3}", "{<<: [a]}", "{<<: {a: b}}", "{1: a, 1: b}"),
    *("{0x" + "F" * 5_000 + ": a}", "[.nan, .inf]", "&b c", "*b", "&b [*b]", "&b {*b : c}", "&b {<<: *b}", "!!int [!!set a]"),
)  # fmt: skip
YAML_PLACES = (
    *("title: {}", "date: {}", "code: {}", "category: {}", "image: {}", "draft: {}", "extra: {}", "extra:\n  - {}"),
    *("extra:\n  key: {}", "extra: [1, {}]", "{}: text", "? {}\n: text", "extra: {{? {} : text}}", "<<: {}"),
    *("extra: {{<<: {}}}", "first: &a {}\nextra: [*a, *a]", "image: {{url: {}}}", "{}"),
)  # fmt: skip

TOML_VALUES = (
    *("", "0", "-0", "+1", "1_000", "_1", "1__0", "01", "0x", "0xff", "0o8", "0b2", "9" * 5_000, "-" + "9" * 4_301, "9" * 4_300),
    *("0x" + "F" * 5_000, "0o" + "7" * 5_000, "0b" + "1" * 15_000, "9223372036854775808", "1" + "_1" * 3_000),
    *("1.0", ".5", "5.", "1e999", "-1e-999", "inf", "-inf", "+nan", "nan", "9" * 5_000 + ".5", "1e" + "9" * 5_000),
    *("true", "True", "false", "null", "yes", '""', "''", '"a"', '"\\u0000"', '"\\ud800"', '"\\U0010ffff"', '"\\U00110000"'),
    *('"""a\nb"""', "'''a\nb'''", '"a', "'''a", '"\\q"', "a"),
    *("2026-11-23", "2026-13-45", "0000-01-01", "9999-12-31", "2026-11-23T10:05:00Z", "2026-11-23 10:05:00.123456789+14:00"),
    *("2026-11-23T10:05:00-23:59", "0001-01-01T00:00:00+23:59", "2026-11-23T24:00:00Z", "2026-11-23T10:05:60Z", "2026-11-23T10:05"),
    *("10:05:00", "24:00:00", "10:05:00.9999999", "10:05"),
    *("[]", "[[]]", '[1, "a", 2.5]', "[1,", "[\n1,\n]", "{}", "{ a = 1 }", "{ a.b = 1, a.c = 2 }", "{ a = 1, a = 2 }", "{ a = 1,"),
    *("[" * 60 + "]" * 60, "[" * 3_000 + "]" * 3_000, "{a=" * 60 + "1" + "}" * 60, "[" + "1," * 11_000 + "]"),
)  # fmt: skip
TOML_PLACES = (
    *("title = {}", "date = {}", "id = {}", "category = {}", "image = {}", "draft = {}", "extra = {}", "extra = [{}]"),
    *("extra = {{ key = {} }}", "[extra]\nkey = {}", "[[extra]]\nkey = {}", "extra.key.key = {}", "{} = 1", "[{}]", '"" = {}'),
    *("extra = {0}\nextra = {0}", "[extra]\n[extra]\nkey = {}", "'a\\b'.\"\\u00e9\" = {}"),
)  # fmt: skip

JSON_VALUES = (
    *("", "0", "-0", "+1", "01", "1.", ".5", "1e999", "-1e-999", "1E400", "9" * 5_000, "-" + "9" * 4_301, "9" * 4_300),
    *("9" * 5_000 + ".5", "1e" + "9" * 5_000, "9223372036854775808", "NaN", "Infinity", "-Infinity", "nan", "0x1F"),
    *("true", "True", "false", "null", "None", '""', '" "', '"a"', "'a'", '"a', '"\\q"', '"\\u12"', '"\t"', '"a\nb"'),
    *('"\\u0000"', '"\\ud800"', '"\\udc00"', '"\\ud83d\\ude00"', '"\\ude00\\ud83d"', '"\\ud800\\ud83d\\ude00"', '"\\\\ud800"'),
    *('"\\\\ud83d\\ude00"', '"\\uD83D\\uDE00\\uDE00"', '"\\u202e\\u2028"', '"2026-11-23"', '"2026-13-45"'),
    *("[]", "[[]]", '[1, "a", null]', "[1,", "[1,]", "{}", '{"a": 1}', '{"a": 1, "a": 2}', '{"": ""}', '{"a"}', "{a: 1}"),
    *('{"\\ud800": 1}', '{"\\\\ud83d\\ude00": 1}', '{"\\u0000": 1}', "// a", "/* a */ 1"),
    *("[" * 60 + "]" * 60, "[" * 3_000 + "]" * 3_000, '{"a":' * 60 + "1" + "}" * 60, "[" + "1," * 11_000 + "1]"),
)  # fmt: skip
JSON_PLACES = (
    *('"title": {}', '"date": {}', '"id": {}', '"category": {}', '"image": {}', '"draft": {}', '"extra": {}', '"extra": [{}]'),
    *('"extra": {{"key": {}}}', '"extra": {{"key": [{}, 1]}}', "{}: 1", '"\\u0065xtra": {}', '"": {}', '"image": {{"url": {}}}'),
    *('"extra": {0}, "extra": {0}', '"extra": [[{0}], {{"key": {0}}}]', "{}", '"\\ud800": {}'),
)  # fmt: skip

_BODY = "\nPARIS - Text.\n"
_LANGUAGES = (
    ("yaml", "---\n{}\nkept: here\n---\n", tuple(product(YAML_PLACES, YAML_TAGS, YAML_VALUES))),
    ("toml", '+++\nkept = "here"\n{}\n+++\n', tuple(product(TOML_PLACES, ("",), TOML_VALUES))),
    ("json", '{{"kept": "here", {}}}\n', tuple(product(JSON_PLACES, ("",), JSON_VALUES))),
)


def spellings() -> Iterator[tuple[str, bytes]]:
    """Yield a path and a seed file for each spelling; the paths are in order."""
    for language, frame, cases in _LANGUAGES:
        for number, (place, tag, value) in enumerate(cases):
            spelled = place.format(f"{tag} {value}".strip())
            path = f"{language}-{number // 1_000:02}/{number:05}.md"
            yield path, (frame.format(spelled) + _BODY).encode()


SIZE = 190_000  # characters, a few less than front matter may have
_YAML_PIECES = (
    *("9", "0x{}F", "0b{}1", "1:", "1:{}1.5", "{}9.5", "!!int {}9", "!!int {}1:1", "!!float {}1:", "!!float {}9"),
    *("!!binary {}A", "!!binary {}=", "!!bool {}a", "!!timestamp {}9", "{} ", "a ", "é", "- ", "? ", "{}: ", "[", "[],", "{}{{", "{}{{a: "),
    *("*a,", "&a ", "!!a ", "!", "'' ", '"\\x41', "|\n ", "#", "%", "\n- a", "\n- [a]", "\n-\n", "\nk: v", "\n? a", "\n<<: {a: b}", "\n- !!int x"),
    *("\n- !!set {a}", "\n- !!omap [a: b]", "\n---", "\n- 2026-11-23", "\n- 1.5", "\n- yes", "\n- '", "\n- *a", "\n- &a a", "\n- {<<: 3}"),
    *("[{}a, ", "[{}'',", "&a a\ny: [{}*a,", "[{}? a,", "{{{}a,", "{{{}? ,", "a\n{}k: !!int x\n", "a\n{}<<: x\n"),
)  # fmt: skip
_TOML_PIECES = (
    *("9", "0x{}F", "1_", "1.{}9", "1e{}9", "{}9e9", '"', '"a', "'", '"\\u0041', "[", "[],", "[1,", "{{a=", "a.", '"a".', "#", " ", "\n"),
    *("\n[a]", "\n[[a]]", "\n[[a.b]]", "\na.b = 1", "\na = 1", "\na = 1.5", "\na = 2026-11-23", "\na = [", "\n[a.", "\n\"", "[1, 2], "),
)  # fmt: skip
_JSON_PIECES = (
    *("9", "-", "1.{}9", "1e{}9", '"', '"a', '"\\u0041', '"\\ud800', '"{}\\ud800"', '"{}\\\\"', "[", "[],", "[1,", '{{"a":', '"a": 1, "a": 2, "'),
    *(" ", "\n", "//", "{{}},", '"{}\\"', "[{}1,", "[{}1.5,", '[{}"",', "[{}NaN,", '[{}{{"a": 1}},', '"","a":', '1,{}\n"a":1,', '1,{}"a":1 , ', '1,{}"a" \n'),
)  # fmt: skip


_MANY = {  # different keys, and an unreadable value each; in front of them lines that have to be counted
    "yaml": "1" + "\n" * 90_000 + "".join(f"\nk{number}: !!int x" for number in range(4_900)),
    "toml": "1" + "\n" * 50_000 + "".join(f"\nk{number} = nan" for number in range(9_900)),
    "json": "1" + "\n" * 70_000 + "".join(f',\n"k{number}":NaN' for number in range(8_000)),
}
_NESTED = {
    "yaml": "".join(f"\n- {{k{number}: !!int x}}" for number in range(3_300)),
    "toml": "".join(f"\n[[t.k{number}]]" for number in range(4_900)),
    "json": "[" + ",".join(f'\n{{"k{number}":NaN}}' for number in range(4_900)) + "]",
}


def long_spellings() -> Iterator[tuple[str, bytes]]:
    """Yield a path and a seed file for each spelling that fills all that front matter may have."""
    for language, frame, pieces in (
        ("yaml", "---\nx: {}\n---\n", _YAML_PIECES),
        ("toml", "+++\nx = {}\n+++\n", _TOML_PIECES),
        ("json", '{{"x": {}}}\n', _JSON_PIECES),
    ):
        yield f"long-{language}/many.md", (frame.format(_MANY[language]) + _BODY).encode()
        yield f"long-{language}/nested.md", (frame.format(_NESTED[language]) + _BODY).encode()
        for number, piece in enumerate(pieces):
            before, _, repeated = piece.rpartition("{}")
            before, repeated = before.replace("{{", "{"), repeated.replace("{{", "{").replace("}}", "}")
            value = (before + repeated * (SIZE // len(repeated)))[:SIZE]
            for ending, closing in enumerate(("", '"', "]", "}", "\n- a: b", "\na = 1", '", "b": 1')):
                path = f"long-{language}/{number:02}-{ending}.md"
                yield path, (frame.format(value + closing) + _BODY).encode()
