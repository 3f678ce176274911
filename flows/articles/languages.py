"""Read the language of an article as a BCP 47 tag, from the front matter or from where a tool puts it in the path."""

import re
from functools import lru_cache

# ISO 639-1: <https://www.loc.gov/standards/iso639-2/php/code_list.php>
_CODES = frozenset(
    """
    aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy da de
    dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id
    ie ig ii ik in io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt
    lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt
    qu rm rn ro ru rw sa sc sd se sg si sk sl sm sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to
    tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu
    """.split()  # noqa: SIM905
)
_NAMES = {
    "arabic": "ar", "bengali": "bn", "chinese": "zh", "czech": "cs", "danish": "da", "deutsch": "de", "dutch": "nl",
    "english": "en", "español": "es", "finnish": "fi", "français": "fr", "french": "fr", "german": "de", "greek": "el",
    "hebrew": "he", "hindi": "hi", "hungarian": "hu", "indonesian": "id", "italian": "it", "italiano": "it",
    "japanese": "ja", "korean": "ko", "malay": "ms", "nederlands": "nl", "norwegian": "no", "persian": "fa",
    "polish": "pl", "polski": "pl", "portuguese": "pt", "português": "pt", "romanian": "ro", "russian": "ru",
    "spanish": "es", "svenska": "sv", "swedish": "sv", "thai": "th", "turkish": "tr", "türkçe": "tr",
    "ukrainian": "uk", "urdu": "ur", "vietnamese": "vi", "русский": "ru", "українська": "uk", "العربية": "ar",
    "中文": "zh", "日本語": "ja", "한국어": "ko",
}  # fmt: skip
_TAG = re.compile(r"([a-z]{2,3})(?:-[a-z0-9]{1,8}){0,5}")
_IN_PATH = re.compile(r"([a-z]{2})(?:[-_](?:[a-z]{2}|[a-z]{4}|[0-9]{3}))?", re.IGNORECASE)
# The folders below which tools keep a folder for each language: Hugo, Jekyll, Hexo, Docusaurus, Astro.
_PARENTS = frozenset({"content", "_posts", "posts", "i18n", "blog", "pages", "articles", "news", "docs", "source"})


@lru_cache(maxsize=256)  # a newsroom has few
def language_tag(written: str) -> str | None:
    """Return a tag in lower case with hyphens, None if the text is neither a tag nor the name of a language."""
    text = written.strip().casefold().replace("_", "-")
    text = text.partition(".")[0].partition("@")[0] if "utf" in text else text  # en_US.UTF-8 of POSIX
    match = _TAG.fullmatch(text)
    if match and (match[1] in _CODES or len(match[1]) == 3):
        return text
    return _NAMES.get(text)


def language_in_path(source_path: str) -> str | None:
    """Return the tag in a path: of a file such as post.fr.md, or of a folder where tools keep languages."""
    *folders, name = source_path.split("/")
    stem = name.rpartition(".")[0]
    if "." in stem and (tag := _tag_of(stem.rpartition(".")[2])):
        return tag
    for number, folder in enumerate(folders):
        is_first = number == 0 or folders[number - 1].casefold() in _PARENTS
        if is_first and (tag := _tag_of(folder)):
            return tag
    return None


def _tag_of(word: str) -> str | None:
    match = _IN_PATH.fullmatch(word)
    return word.casefold().replace("_", "-") if match and match[1].casefold() in _CODES else None
