"""Photo agencies: one short name for each, and how newsrooms write it, including other scripts and misspellings."""

import re
from functools import lru_cache
from unicodedata import normalize

AGENCIES = {
    "123RF": (),
    "AAP": ("australian associated press",),
    "Adobe Stock": (),
    "AFP": (
        *("agence france-presse", "agence france presse", "agence-france presse", "afp-jiji"),
        *("法新社", "法新", "เอเอฟพี", "أ ف ب", "أ.ف.ب", "афп", "एएफपी"),
    ),
    "Agência Brasil": ("agencia brasil",),
    "Alamy": ("alamy stock", "alamy live news"),
    "Anadolu": ("anadolu agency", "aa", "الأناضول"),
    "ANI": (),
    "ANP": (),
    "ANSA": (),
    "Antara": ("antara foto",),
    "AP": ("associated press", "the associated press", "ap images", "美联社", "美聯社", "เอพี", "أسوشيتد برس", "أ ب"),
    "APA": ("apa-images",),
    "Belga": (),
    "Bernama": (),
    "Bloomberg": ("bloomberg news",),
    "Canva": (),
    "Canadian Press": ("the canadian press",),
    "China News Service": ("中新社", "中国新闻社", "中新网"),
    "CNA": ("中央社",),
    "Corbis": (),
    "Depositphotos": (),
    "DoD": ("department of defense", "u.s. department of defense", "dod", "defense department"),
    "DPA": ("deutsche presse-agentur", "dpa picture-alliance", "picture alliance", "picture-alliance"),
    "Dreamstime": (),
    "EFE": ("agencia efe",),
    "EPA": ("epa-efe", "epa images", "european pressphoto agency", "european press photo agency"),
    "ESA": ("european space agency",),
    "Europa Press": (),
    "Facebook": (),
    "FEMA": (),
    "Flickr": (),
    "Freepik": (),
    "Getty Images": (
        *("getty", "gettyimages", "getty image", "gettyimage"),
        *("게티이미지", "게티이미지뱅크", "ゲッティ", "盖蒂图片社"),
    ),
    "Imago": ("imago images",),
    "Instagram": (),
    "Interfax": ("интерфакс",),
    "iStock": ("istockphoto", "i stock"),
    "Jiji": ("jiji press", "時事通信", "時事"),
    "Keystone": (),
    "Kyodo": ("kyodo news", "共同社", "共同通信", "共同"),
    "Lusa": (),
    "Magnum": ("magnum photos",),
    "MAXPPP": (),
    "NASA": ("nasa/jpl-caltech", "jpl-caltech", "nasa/jpl", "nasa jpl"),
    "Newsis": ("뉴시스",),
    "NOAA": (),
    "NTB": ("ntb scanpix",),
    "NurPhoto": (),
    "PA": ("press association", "pa wire", "pa media"),
    "PAP": (),
    "Pexels": (),
    "Pixabay": (),
    "PTI": ("press trust of india", "पीटीआई"),
    "Reuters": (
        *("reuter", "rueters", "reuteurs", "ruters", "thomson reuters", "路透社", "路透", "рейтер", "рейтерс"),
        *("รอยเตอร์", "รอยเตอร์ส", "ロイター", "로이터", "رويترز", "रॉयटर्स", "ρόιτερς"),
    ),
    "RIA Novosti": ("риа новости",),
    "Ritzau": ("ritzau scanpix",),
    "Shutterstock": ("shutter stock",),
    "Sipa": ("sipa usa", "sipa press"),
    "SOPA Images": (),
    "Sputnik": ("спутник",),
    "TASS": ("itar-tass", "тасс"),
    "Thinkstock": (),
    "TikTok": (),
    "U.S. Air Force": ("us air force", "u.s. air national guard", "air force"),
    "U.S. Army": ("us army", "u.s. army national guard", "army national guard"),
    "U.S. Coast Guard": ("us coast guard", "coast guard"),
    "U.S. Marine Corps": ("us marine corps", "u.s. marine corps"),
    "U.S. Navy": ("us navy",),
    "U.S. Space Force": ("us space force",),
    "Unsplash": (),
    "UPI": ("united press international",),
    "VCG": ("visual china group", "视觉中国"),
    "VNA": ("vietnam news agency", "ttxvn", "thông tấn xã việt nam"),
    "White House": ("the white house", "official white house"),
    "Wikimedia Commons": ("wikimedia", "wikipedia"),
    "X": ("twitter", "x/twitter", "twitter/x", "x (twitter)"),
    "Xinhua": (
        *("xinhua news agency", "xinhua news", "新华社", "新華社", "新华网"),
        *("ซินหัว", "สำนักข่าวซินหัว", "شينخوا", "синьхуа"),
    ),
    "YouTube": (),
    "Yonhap": ("yonhap news", "yonhap news agency", "연합뉴스", "韩联社"),
    "Zuma": ("zuma press", "zuma wire"),
}
_IN_CAPITALS_ONLY = frozenset({"x", "dod", "noaa", "aa", "ani", "apa", "pa", "pap"})  # in lower case they are words

# Words that replace a photographer's name.
NO_PERSONS = frozenset(
    {
        *("archive", "archives", "contributed", "courtesy", "file", "file photo", "files", "handout", "handout photo"),
        *("illustration", "image", "images", "photo", "photos", "pool", "pool photo", "screen grab", "screengrab"),
        *("screenshot", "social media", "staff", "stock", "stock photo", "supplied", "provided", "library", "archivo"),
        *("archiv", "handouts", "reproduction", "foto", "фото"),
    }
)

_PHOTO = re.compile(r"(?<!\s)\s++(?:(?:file|stock|pool)\s++)?(?:photos?|images?|pictures?|pics?|fotos?|news photos?)\Z")


@lru_cache(maxsize=10_000)  # the same few names appear in every article
def agency_of(name: str) -> str | None:
    """Return the canonical name of an agency written in any known way, ignoring case; None if it is not known."""
    written = _spelling(name)
    found = _AGENCY_OF.get(written) or _AGENCY_OF.get(_PHOTO.sub("", written))
    return None if found and written in _IN_CAPITALS_ONLY and not name.isupper() else found


def _spelling(name: str) -> str:
    return " ".join(normalize("NFKC", name).casefold().split()).strip(" .").removesuffix(".com")


_AGENCY_OF = {_spelling(spelling): name for name, also in AGENCIES.items() for spelling in (name, *also)}
