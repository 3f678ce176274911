"""Explain to an editor how Broadsheet reads one seed file."""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from zoneinfo import ZoneInfo

from flows.articles.accounting import left_out
from flows.articles.article import Reading, rejected
from flows.articles.front_matter.aliases import ALIASES
from flows.articles.front_matter.fields import Fields
from flows.articles.front_matter.reader import read_front_matter
from flows.articles.markdown.blocks import read_document
from flows.articles.markdown.captions import read_pictures
from flows.display import shortened, visible
from flows.errors import SeedFileNotFoundError
from flows.object_store.path import by_kind
from flows.pipeline.isolation import read_isolated, with_arrow_rows
from flows.problems import RejectedError, problem
from flows.schema import ARTICLES, Caption, Problem, columns
from flows.settings import Settings
from flows.source.file_names import printable
from flows.source.links import AllowedRoots
from flows.source.listing import read_seed_file

MAX_TEXT_LENGTH = 100  # characters of a value
UNUSED_KEY_CODES = (
    "unusable_value",
    "unusable_date",
    "implausible_date",
    "identity_too_long",
)  # codes of problems whose key feeds no column


def explain(file: Path, settings: Settings) -> str:
    """Return each column of the file's article with its value and origin, its images, captions and problems."""
    return "\n".join(map(visible, _lines(file, settings)))


def _lines(file: Path, settings: Settings) -> list[str]:
    source, path = _locate(file, settings)
    try:
        with closing(AllowedRoots(source, *settings.link_roots)) as allowed:
            content = read_seed_file(source, path, allowed)
    except FileNotFoundError:
        raise SeedFileNotFoundError(f"File not found: {printable(str(file))}. Pass the path of a seed file.") from None
    except OSError as error:
        reading = rejected(problem("unreadable", reason=error.strerror or str(error)), path)
        return [f"{printable(str(file))}: rejected", *_problem_lines(reading.problems)]
    except RejectedError as error:
        return [f"{printable(str(file))}: rejected", *_problem_lines([error.problem])]
    reading = with_arrow_rows(read_isolated(content, path, ZoneInfo(settings.time_zone), settings.columns), path)
    lines = [f"{printable(str(file))}: {reading.status}"]
    if reading.article:
        lines += [
            "",
            *_article_lines(reading, _origins(content, reading.problems, settings.columns)),
            "",
            *_image_lines(reading),
        ]
    lines += _problem_lines(reading.problems)
    return [*lines, *_left_out_lines(content, reading)] if reading.article else lines


def _left_out_lines(content: bytes, reading: Reading) -> list[str]:
    """Return the parts of the body that no row has, except for the column body."""
    front = read_front_matter(content)
    document = read_document(front.body)
    pictures, _ = read_pictures(document)
    found = left_out(document, pictures)
    lines = [f"only in body, line {part.line + front.body_line - 1}: {_shorten(part.source)}" for part in found]
    return ["", *lines] if lines else []


def _locate(file: Path, settings: Settings) -> tuple[Path, str]:
    """Return the source of a file and its path there, as a run lists it; for other files, its folder and name."""
    folder = file.parent.resolve()
    source = by_kind(settings.source, lambda source: source.resolve(), lambda _: folder)
    root = source if folder.is_relative_to(source) else folder
    return root, printable((folder / file.name).relative_to(root).as_posix())


def _origins(content: bytes, problems: list[Problem], own: Mapping[str, str]) -> dict[str, str]:
    """Return the key and line of each column that the front matter feeds; a key with a problem feeds none."""
    fields = Fields(read_front_matter(content), own)
    unusable = {row.line_number for row in problems if row.code in UNUSED_KEY_CODES}
    origins = {}
    for column in ALIASES:
        key = next((key for key, _ in fields.values(column) if fields.line(key) not in unusable), None)
        if key:
            origins[column] = f"key {key}, line {fields.line(key)}"
    return origins


def _article_lines(reading: Reading, origins: dict[str, str]) -> list[str]:
    values = reading.article._asdict() if reading.article else {}
    for column in ("title", "published_at"):
        if values[f"{column}_source"] != "front_matter":
            source = values[f"{column}_source"]
            origins[column] = f"from the {source.replace('_', ' ')}" if source else "undated"
    if values["language_source"] == "path":
        origins["language"] = "from the path"
    if not origins.get("article_id"):
        origins["article_id"] = "from the file's path"
    lines = []
    for name in (column.name for column in columns(ARTICLES)):
        origin = f"  ({origins[name]})" if name in origins else ""
        lines.append(f"{name:<20} {_shorten(values[name])}{origin}")
    return lines


def _image_lines(reading: Reading) -> list[str]:
    lines = []
    captions: dict[str, list[Caption]] = {}
    for caption in reading.captions:
        captions.setdefault(caption.image_id, []).append(caption)
    for image in reading.images:
        lines.append(f"image {image.position}, line {image.source_line}, {image.form}: {_shorten(image.url)}")
        for caption in captions.get(image.image_id, []):
            lines.append(f"    caption, line {caption.source_line}, {caption.form}: {_shorten(caption.text)}")
            if caption.credit:
                names = f"photographer {_shorten(caption.photographer)}, agency {_shorten(caption.agency)}"
                names += f", licence {caption.licence}" if caption.licence else ""
                lines.append(f"        credit: {_shorten(caption.credit)} ({names})")
    return lines or ["no images"]


def _problem_lines(problems: list[Problem]) -> list[str]:
    lines = []
    for row in problems:
        place = "" if row.line_number is None else f"line {row.line_number}"
        place += "" if row.column_number is None else f", column {row.column_number}"
        lines.append(f"{row.severity}{' at ' if place else ''}{place}: {row.message} {row.remedy}")
    return ["", *lines] if lines else []


def _shorten(value: object) -> str:
    text = "-" if value is None else " ".join(str(value).split())
    if len(text) <= MAX_TEXT_LENGTH:
        return text
    return f"{shortened(text, MAX_TEXT_LENGTH)} ({len(str(value)):,} characters)"
