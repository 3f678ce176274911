"""Define each kind of problem in a seed file, with its message and remedy."""

from typing import NamedTuple

from flows.schema import Problem


class Kind(NamedTuple):
    """The severity of a kind of problem, and the templates of its message and remedy."""

    severity: str
    message: str
    remedy: str


KINDS = {
    "unreadable": Kind(
        "rejected", "The file cannot be read: {reason}.", "Give this user permission to read it, or restore the file."
    ),
    "link_outside": Kind(
        "rejected",
        "The symbolic link points to {target}, outside of the source.",
        "Copy the file into the source, or add its folder to BROADSHEET_LINK_ROOTS.",
    ),
    "link_dangling": Kind(
        "rejected",
        "The symbolic link points to {target}, which does not exist.",
        "Restore that file, or delete the link.",
    ),
    "link_loop": Kind(
        "rejected",
        "The symbolic link points to {target}, and from there back to itself.",
        "Point the link at a file, or delete it.",
    ),
    "link_to_folder": Kind(
        "rejected",
        "The symbolic link points to {target}, a folder; folders are not read through links.",
        "Move or mount the folder here, or delete the link.",
    ),
    "link_to_special_file": Kind(
        "rejected",
        "The symbolic link points to {target}, which is not a regular file.",
        "Point the link at a regular file, or delete it.",
    ),
    "too_large": Kind(
        "rejected", "The file has {size:,} bytes, more than {limit:,}.", "Split the file, or move it out of the source."
    ),
    "too_large_front_matter": Kind(
        "rejected",
        "The front matter has {size:,} characters, more than {limit:,}.",
        "Add a --- line where the article starts.",
    ),
    "too_complex": Kind(
        "rejected",
        "The front matter has more than {depth} levels, {values:,} values or {characters:,} characters after its"
        " aliases are expanded.",
        "Replace its aliases with text, or remove keys that are not needed.",
    ),
    "too_many_images": Kind(
        "repaired", "The article has more than {limit:,} images; the rest were omitted.", "Split the article."
    ),
    "too_many_captions": Kind(
        "repaired",
        "An image has more than {limit:,} captions; the rest were omitted.",
        "Give each image its own captions.",
    ),
    "too_much_text": Kind(
        "repaired",
        "The rows of images and captions need more than {limit:,} bytes (an article may have {growth} times the size of"
        " its file); the images from here on were omitted.",
        "Shorten captions or URLs that repeat, or the article's ID, or split the article.",
    ),
    "text_cut": Kind(
        "repaired", "The {name} has {size:,} characters, more than {limit:,}; it was truncated.", "Shorten it."
    ),
    "identity_too_long": Kind(
        "repaired",
        "{key} has {size:,} characters, but an ID may have at most {limit:,}; it was kept in extra.",
        "Shorten the ID.",
    ),
    "key_too_long": Kind(
        "repaired",
        "The key {key} has {size:,} characters, more than {limit:,}; it was omitted.",
        "Shorten the key.",
    ),
    "value_too_long": Kind(
        "repaired",
        "The value of {key} has {size:,} characters, more than {limit:,}; {instead}.",
        "Move long text into the body.",
    ),
    "too_many_problems": Kind(
        "repaired", "The file has {more:,} more problems from here on.", "Fix the other problems first."
    ),
    "empty": Kind("rejected", "The file is empty.", "Export the article again."),
    "not_utf8": Kind("rejected", "The byte {byte} is not UTF-8; {guess}.", "Save the file as UTF-8."),
    "no_front_matter": Kind(
        "rejected",
        "The file does not start with front matter.",
        "Start it with a --- line, then the keys, then another --- line.",
    ),
    "unclosed_front_matter": Kind(
        "rejected",
        "The front matter is not closed; it seems to end here.",
        "Add {mark} on a separate line here.",
    ),
    "empty_front_matter": Kind(
        "rejected", "The front matter has no keys.", "Add at least a title between its delimiters."
    ),
    "no_mapping": Kind(
        "rejected", "The front matter is not a list of keys and values.", "Write each line as key: value."
    ),
    "broken_front_matter": Kind(
        "rejected",
        "The front matter is not valid {language}: {reason}.",
        "Fix this line; in YAML, values that contain : or # need quotes.",
    ),
    "key_twice": Kind("repaired", "The key {key} is repeated; the last one counts.", "Delete one of them."),
    "unusable_date": Kind(
        "repaired", "{value} is not a valid date; {instead}.", "Write the date as 2026-11-23T03:00:00Z."
    ),
    "implausible_date": Kind(
        "repaired",
        "{value} is not between the years {first} and {last}; {instead}.",
        "Correct the year.",
    ),
    "unusable_value": Kind("repaired", "{key} is {value}, not {wanted}; it was kept in extra.", "Correct the value."),
    "unusable_flag": Kind(
        "warning", "{key} is {value}, not {wanted}; the article was published.", "Write {wanted}, or delete the key."
    ),
    "unusable_language": Kind(
        "warning",
        "{value} is not a language tag; it was kept in extra.",
        "Write one tag, such as en or pt-BR.",
    ),
    "undated": Kind("warning", "The article has no date.", "Add the key date, such as date: 2026-11-23T03:00:00Z."),
    "unreadable_value": Kind(
        "repaired",
        "The value of {key} cannot be read: {reason}; it was kept as text.",
        "Correct the value or its tag, or quote the value.",
    ),
    "title_from_file_name": Kind(
        "repaired", "The article has no title; used the file name instead.", "Add the key title, or a heading."
    ),
    "image_not_read": Kind(
        "warning",
        "{source} looks like an image, but has no address that can be read.",
        "Write it as ![text](address), or put it between backticks if it is code.",
    ),
    "other_image": Kind(
        "warning", "{key} is another image; it was kept in extra.", "Show it in the body if readers see it there."
    ),
    "caption_not_read": Kind(
        "warning",
        "{source} looks like a caption, but no image belongs to it.",
        "Write the caption in a <figcaption> beside its image.",
    ),
    "template_address": Kind(
        "warning",
        "The address {value} has an expression that only the site's generator can evaluate; it was kept as it is.",
        "Write the address itself.",
    ),
    "no_text": Kind(
        "warning",
        "The body has letters, but no text that readers would see.",
        "Move the text out of code, comments and captions.",
    ),
    "internal_error": Kind(
        "rejected",
        "Broadsheet failed to read the file because of a bug: {reason}.",
        "Report this message and the file to the developers of Broadsheet. Other files are not affected.",
    ),
    "duplicate": Kind(
        "duplicate", "The article {article_id} is published from {winner}.", "Delete one file, or change its code."
    ),
}


MAX_DETAIL = 300  # characters of a detail, such as a key, which may be as long as the file


class RejectedError(Exception):
    """The seed file cannot be read as an article; `problem` has the reason."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


def problem(code: str, line: int | None = None, column: int | None = None, **details: object) -> Problem:
    """Return a row for the kind `code`. The caller sets the file and the article."""
    kind = KINDS[code]
    short = {name: _short(value) for name, value in details.items()}
    message, remedy = kind.message.format(**short), kind.remedy.format(**short)
    return Problem("", kind.severity, code, line, column, message, remedy, None)


def _short(value: object) -> object:
    return value[: MAX_DETAIL - 1] + "…" if isinstance(value, str) and len(value) > MAX_DETAIL else value


def quoted(value: object, limit: int = 60) -> str:
    """Quote a value from a seed file for a message, shortened and on one line."""
    text = " ".join(str(value).split())
    return f"“{text if len(text) <= limit else text[: limit - 1] + '…'}”"
