"""The keys of front matter that feed each column, by the conventions of the tools that write them.

Keys match in any case, and with or without `_` and `-`: `pubDate`, `pub_date` and `PubDate` are one key.
"""

from functools import lru_cache

# In order of preference; a key that feeds no column goes to `extra`.
ALIASES = {
    "article_id": ("code", "id", "uuid", "guid"),
    "title": ("title", "headline", "post_title"),
    "description": (
        *("description", "excerpt", "summary", "custom_excerpt", "post_excerpt", "meta_description", "standfirst"),
        "dek",
    ),
    "category": ("category", "categories", "section", "sections", "primary_category"),
    "language": ("language", "lang", "locale"),
    "layout": ("layout",),
    "published_at": (
        *("date", "publish_date", "pub_date", "published_at", "date_published", "pub_datetime", "published_date"),
        *("publication_date", "published_on", "post_date", "published", "created", "created_at", "date_created"),
    ),
    "origin_url": ("origin_url", "canonical_url", "canonical"),
    "image": (
        *("image", "hero", "cover", "thumbnail", "image_feature", "featured_image", "cover_image", "hero_image"),
        *(
            "feature_image",
            "main_image",
            "lead_image",
            "header_image",
            "banner",
            "banner_image",
            "banner_img",
            "top_img",
        ),
        *("og_image", "social_image", "photo", "picture", "img", "images", "header"),
    ),
}
# What may accompany an image: hero_alt, image_caption, photo_credit. The name of the image's key comes first.
IMAGE_TEXTS = {
    "alt": ("alt", "alt_text"),
    "title": ("title",),
    "caption": ("caption", "description", "legend"),
    "credit": ("credit", "credits", "copyright", "attribution", "source"),
}
_IMAGE_STEMS = ("image", "photo", "hero", "cover", "thumbnail", "featured_image", "feature_image", "picture")
_ALONE = {"caption": ("figcaption", "caption"), "credit": ("credit",), "alt": (), "title": ()}


@lru_cache(maxsize=1024)
def fold(key: str) -> str:
    """Return a key in the one spelling in which it is compared."""
    return key.casefold().replace("_", "").replace("-", "") if len(key) <= 100 else key


FOLDED = {column: tuple(dict.fromkeys(map(fold, keys))) for column, keys in ALIASES.items()}
IMAGE_KEYS = frozenset(FOLDED["image"])
FEEDING = frozenset(key for keys in FOLDED.values() for key in keys)


@lru_cache(maxsize=256)
def names_beside(key: str, text: str) -> tuple[str, ...]:
    """Return the folded keys that may hold a text of the image in a folded key; `text` is a key of IMAGE_TEXTS."""
    stems = dict.fromkeys([key, *map(fold, _IMAGE_STEMS)])
    found = [fold(f"{stem}{word}") for stem in stems for word in IMAGE_TEXTS[text]]
    return (*found, *_ALONE[text])


@lru_cache(maxsize=256)
def all_names_beside(key: str) -> frozenset[str]:
    """Return the folded keys that may hold any text of the image in a folded key."""
    return frozenset(name for text in IMAGE_TEXTS for name in names_beside(key, text))
