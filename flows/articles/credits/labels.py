"""The words that introduce a credit, in the languages that newsrooms write in."""

import re

# What or who the credit is for: a colon or another mark follows. The most frequent ones come first.
PHOTO_WORDS = {
    "English": (
        *("photos?", "photographs?", "photographers?", "photography", "pictures?", "pics?", "images?", "credits?"),
        *("illustrations?", "graphics?", "source", "file"),
    ),
    "Indonesian, Italian, Spanish, Portuguese and others": ("fotos?", "foto kredit", "sumber foto", "sumber"),
    "Arabic": ("صورة", "الصورة", "صور", "تصوير", "المصدر"),
    "Bengali": ("ছবি",),
    "Chinese": (
        *(
            "图片来源",
            "圖片來源",
            "照片来源",
            "照片來源",
            "图片提供",
            "圖片提供",
            "图源",
            "圖源",
            "照片",
            "图片",
            "圖片",
        ),
        *("图", "圖", "摄影", "攝影", "摄", "攝", "来源", "來源"),
    ),
    "Czech": ("zdroj",),
    "Dutch": ("beeld", "fotograaf"),
    "Finnish": ("kuvat?",),
    "French": (r"cr[ée]dits?(?:\s+photos?)?", "photographie", "photographe"),
    "German": ("bild", "bilder", "fotograf", "fotografin", "bildnachweis", "bildquelle", "quelle"),
    "Greek": ("φωτογραφία", "φωτο", "φωτό", "πηγή"),
    "Hebrew": ("צילום",),
    "Hindi": ("फोटो", "तस्वीर", "साभार"),
    "Japanese": ("写真提供", "写真", "撮影", "画像提供", "画像", "提供"),
    "Korean": (r"사진\s?제공", r"사진\s?출처", "사진", "출처", "제공", "자료사진", "촬영"),
    "Persian": ("عکس",),
    "Polish": (r"fot\.", "zdjęci[ea]"),
    "Portuguese": ("imagem", "imagens", "créditos?", "fotografia"),
    "Russian and Ukrainian": ("фото", "фотография", "снимок", "источник", "джерело"),
    "Spanish": ("fotografía", "imagen", "imágenes", "fotógraf[oa]", "fuente"),
    "Thai": (r"ที่มาภาพ", "ขอบคุณภาพ", "เครดิตภาพ", "ภาพจาก", "ภาพถ่าย", "ภาพ", "ที่มา"),
    "Turkish": ("fotoğraf(?:lar)?", "kaynak"),
    "Vietnamese": ("ảnh", "nguồn ảnh", "nguồn"),
}

_KIND = r"(?:file|handout|pool|stock|archive|courtesy|main|lead|cover|staff|contributed|submitted|special|official)"
_SAID_BY = r"(?:\s+(?:credits?|by|from|courtesy(?:\s+of)?|source))?"
_WORD = "|".join(word for labels in PHOTO_WORDS.values() for word in labels)
_LABEL = rf"(?:{_KIND}\s+)?(?:{_WORD}){_SAID_BY}"
_ACRONYM = "((?-i:[A-Z]{2,9}))"
_PHOTO = r"(?:photos?|photographs?|pictures?|pics?|images?|illustrations?)"
_MARK = r"\s*(?:[:：=＝／…]|\.{3})\s*"


def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


# A label, perhaps after an acronym as in AP Photo, and names.
LABELLED = _pattern(rf"(?:{_ACRONYM}\s+)?{_LABEL}{_MARK}(\S.*)|{_PHOTO}\s+(?:credits?|by)\s+(\S.*)")
LAST_LABEL = _pattern(rf"(?:\A|(?<=[\s.!?…。！？”\"»)/|]))(?:{_ACRONYM}\s+)?{_LABEL}\s*\Z")
MAX_LABEL_LENGTH = 40  # characters before the mark that may contain LAST_LABEL
MARKS, DOTS = ":：=＝／…", "..."
# A label without a mark after it. Group 1 is set if a name may follow without an agency.
BY = _pattern(rf"((?:{_KIND}\s+)?{_PHOTO}\s+by\s+)(?=\S)")
UNMARKED = _pattern(r"(?:photo|foto|фото|(fot\.)|ảnh|ภาพจาก|ภาพ)(?:\s+(?:de|di|von|van|par|por|oleh))?\s+(?=\S)")
# A source without photographer: in a last sentence, or in brackets, where it can be shorter.
_COURTESY = rf"(?:{_PHOTO}\s+)?courtesy(?:\s+of|\s*:|(?=\s+(?-i:[A-Z])))\s+\S.*"
_SUPPLIED = (
    rf"(?:{_PHOTO}\s+)?(?:supplied|provided|contributed)(?:\s+by\s+\S.*)?|(?:supplied|{_KIND})\s+{_PHOTO}"
    rf"|screen\s?(?:shot|grab)(?:\s+(?:from|via)\s+\S.*)?|{_PHOTO}\s+via\s+\S.*|handout"
)
COURTESY = _pattern(_COURTESY)
LAST_SOURCE = _pattern(f"{_COURTESY}|{_SUPPLIED}")
SOURCE = _pattern(rf"{_COURTESY}|{_SUPPLIED}|{_PHOTO}\s+from\s+\S.*")
HOUSE_PHOTO = re.compile(
    r"(?:[A-Z]{2,}|[A-Z][\w&'’-]+(?:\s+[A-Z][\w&'’-]+){1,3}|[A-Z]\w+(?=\s+[Ff]ile))"
    r"\s+(?:[Ff]ile\s+)?(?:[Pp]hoto|PHOTO|[Pp]ic|[Ii]mage)s?"
)
_LABEL_ALONE = _pattern(_LABEL)


def is_label(text: str) -> bool:
    """Return whether a text is a word for photo alone, such as 图 or 사진 제공, and so not a name."""
    return not text.isascii() and _LABEL_ALONE.fullmatch(text) is not None
