"""Captions by chance: a scene, and a credit in a form that newsrooms use."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from benchmarks.words import AGENCIES, FIRST_NAMES, SURNAMES, Language

UNREPEATED, WITHOUT_ALT = 0.1, 0.05  # shares of images whose alt text no paragraph repeats, and without alt text
Item = TypeVar("Item")
Pick = Callable[[Sequence[Item]], Item]


class Credit(NamedTuple):
    ending: str  # the end of the caption, after its scene
    credit: str | None = None
    photographer: str | None = None
    agency: str | None = None


class WrittenCaption(NamedTuple):
    markdown: str
    text: str
    credit: Credit


def invent_name(pick: Pick[str]) -> str:
    return f"{pick(FIRST_NAMES)} {pick(SURNAMES)}"


def image_url(random: Callable[[], float], pick: Pick[str]) -> str:
    """Return the URL of an image; one in fifty is an archive picture, which several articles share."""
    if random() < 0.02:
        return f"https://images.example.com/archive/{int(random() * 200)}.jpg"
    host, name = pick(("images", "cdn", "media")), pick(SURNAMES).lower()
    return f"https://{host}.example.com/assets/{int(random() * 2**48):012x}-{name}.jpg"


def invent_caption(language: Language, random: Callable[[], float], pick: Pick[str]) -> WrittenCaption:
    """Return a scene and its credit; few scenes have markup, an acronym or a bracket without a credit."""
    name, city = invent_name(pick), pick(language.cities).title()
    scene = f"{name} {pick(language.scenes)}, {city}, {1 + int(random() * 28)}/{1 + int(random() * 12)}"
    markdown = scene
    kind = random()
    if kind < 0.02:
        scene, markdown = f"{scene}, Vega", f"{scene}, _Vega_"
    elif kind < 0.025:
        scene, markdown = f"{scene} [sic]", f"{scene} \\[sic\\]"
    elif kind < 0.03:
        scene, markdown = f"{scene}, Hull & Mast", f"{scene}, Hull &amp; Mast"
    elif kind < 0.13:
        scene = markdown = f"{scene}, {pick(SURNAMES)} Union ({pick(SURNAMES)[:3].upper()}U)"
    credit = _credit(language, random(), pick)
    if credit.credit is None and kind > 0.8:
        credit = Credit(" (left).")
    return WrittenCaption(markdown + credit.ending, scene + credit.ending, credit)


def _credit(language: Language, kind: float, pick: Pick[str]) -> Credit:
    """Return a credit in a form that newsrooms use, with a realistic frequency."""
    known, agency = pick(AGENCIES)
    name = invent_name(pick)
    if kind < 0.35 and known:
        return _bracketed(f"{language.photo}{agency}", None, known)
    if kind < 0.55:
        return _bracketed(f"{language.photo}{name}/{agency}", name, known)
    if kind < 0.63:
        return _bracketed("AFP", None, "AFP")
    if kind < 0.70:
        return _bracketed(f"{name}/Reuters", name, "Reuters")
    if kind < 0.75:
        return _bracketed(f"{language.photo}{name}", name, None)
    if kind < 0.78:
        return _bracketed(f"{language.courtesy}Harbour Museum", None, None)
    if kind < 0.83:
        return _last(f"{name}/AP", name, "AP")
    if kind < 0.89:
        return _last(f"{language.photo_by}{name} / Getty Images", name, "Getty Images")
    return Credit(".")


def _bracketed(credit: str, photographer: str | None, agency: str | None) -> Credit:
    return Credit(f". ({credit})", credit, photographer, agency)


def _last(credit: str, photographer: str | None, agency: str | None) -> Credit:
    return Credit(f". {credit}", credit, photographer, agency)


def show_image(url: str, caption: WrittenCaption, kind: float) -> tuple[str, WrittenCaption | None]:
    """Return the Markdown of an image with the paragraph that repeats its caption, and that caption."""
    if kind < WITHOUT_ALT:
        return f"![]({url})", None
    image = f"![{caption.markdown}]({url})"
    if kind < WITHOUT_ALT + UNREPEATED:
        return image, caption
    return f"{image}\n\n{caption.markdown}", caption
