"""Photo agencies: one short name each, and what newsrooms write for it, misspellings included."""

import re

AGENCIES = {
    "AFP": ("agence france-presse", "agence france presse", "agence-france presse", "afp-jiji", "法新社", "法新"),
    "Alamy": ("alamy stock", "alamy live news"),
    "Anadolu": ("anadolu agency", "aa"),
    "ANSA": (),
    "AP": ("associated press", "the associated press", "ap images", "美联社", "美聯社"),
    "Bernama": (),
    "Bloomberg": ("bloomberg news",),
    "DPA": ("deutsche presse-agentur", "dpa picture-alliance", "picture alliance", "picture-alliance"),
    "EFE": ("agencia efe",),
    "EPA": ("epa-efe", "epa images", "european pressphoto agency", "european press photo agency"),
    "Flickr": (),
    "Getty Images": ("getty", "gettyimages", "getty image", "gettyimage"),
    "iStock": ("istockphoto", "i stock"),
    "Jiji": ("jiji press", "時事通信"),
    "Kyodo": ("kyodo news", "共同社", "共同通信"),
    "Magnum": ("magnum photos",),
    "NurPhoto": (),
    "PA": ("press association", "pa wire", "pa media"),
    "PTI": ("press trust of india",),
    "Reuters": ("reuter", "rueters", "reuteurs", "ruters", "thomson reuters", "路透社", "路透", "рейтер"),
    "Shutterstock": ("shutter stock",),
    "Sipa": ("sipa usa", "sipa press"),
    "TASS": ("itar-tass", "тасс"),
    "Thinkstock": (),
    "Unsplash": (),
    "Wikimedia Commons": ("wikimedia", "wikipedia"),
    "Xinhua": ("xinhua news agency", "xinhua news", "新华社", "新華社", "新华网"),
    "Yonhap": ("yonhap news", "yonhap news agency", "연합뉴스", "韩联社"),
    "Zuma": ("zuma press", "zuma wire"),
}

# What stands where a photographer's name might, and is none.
NO_PERSONS = frozenset(
    {
        *("archive", "archives", "contributed", "courtesy", "file", "file photo", "files", "handout", "handout photo"),
        *("illustration", "image", "images", "photo", "photos", "pool", "pool photo", "screen grab", "screengrab"),
        *("screenshot", "social media", "staff", "stock", "stock photo", "supplied"),
    }
)

_AGENCY_OF = {spelling: name for name, also in AGENCIES.items() for spelling in (name.casefold(), *also)}
_PHOTO = re.compile(r"\s+(?:photos?|images?|pictures?|news photos?)\Z")


def agency_of(name: str) -> str | None:
    """The one name of the agency that is written so, in any case; None where it is no known agency."""
    written = " ".join(name.casefold().split()).strip(" .")
    return _AGENCY_OF.get(written) or _AGENCY_OF.get(_PHOTO.sub("", written))
