"""A source of many articles that never were: several scripts, years of days, and some that are wrong."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

CATEGORIES = ("World", "Business", "Sport", "Culture", "Science", "Politics", "Travel", "Opinion", "Health", "Cities")
DESKS = (*CATEGORIES, *(f"District {number}" for number in range(1, 9)))
AGENCIES = (
    "Reuters",
    "AFP",
    "AP",
    "EPA",
    "Xinhua",
    "Getty Images",
    "Bloomberg",
    "DPA",
    "TASS",
    "Kyodo",
    "ANSA",
    "EFE",
    "PA",
)
TITLES = {
    "en": "Harbour opens its {n}th night market",
    "fr": "Le port ouvre son {n}e marché de nuit",
    "ar": "الميناء يفتتح سوقه الليلي رقم {n}",
    "he": "הנמל פותח את שוק הלילה ה-{n}",
    "zh": "港口开设第{n}个夜市",
    "ja": "港に{n}番目の夜市が開く",
    "th": "ท่าเรือเปิดตลาดกลางคืนแห่งที่ {n}",
    "hi": "बंदरगाह ने अपना {n}वाँ रात्रि बाज़ार खोला",
    "ru": "Порт открывает {n}-й ночной рынок",
    "de": "Der Hafen eröffnet seinen {n}. Nachtmarkt",
    "pt-br": "O porto abre o seu {n}º mercado noturno",
    "sw": "Bandari yafungua soko la usiku la {n}",
    "el": "Το λιμάνι ανοίγει τη νυχτερινή αγορά αριθμός {n}",
}  # fmt: skip
LATEST = datetime(2026, 11, 20, 18, tzinfo=UTC)


def write_source(folder: Path, articles: int) -> None:
    """Write a number of seed files, a hundred to a folder; the same at each call."""
    random = Random(7)
    for number in range(articles):
        place = folder / f"{number // 100:04}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number:06}.md").write_text(_article(random, number), encoding="utf-8")


def _article(random: Random, number: int) -> str:
    language = random.choices(list(TITLES), weights=[40, 9, *[4] * (len(TITLES) - 2)])[0]
    moment = _workday(random, LATEST - timedelta(days=random.expovariate(1 / 150)))
    desk = random.choices(DESKS, weights=range(len(DESKS), 0, -1))[0]
    head = [
        f"code: G{number:06}",
        f'title: "{TITLES[language].format(n=number)}"',
        f"category: {desk}" if number % 50 else "",
        f"language: {language}",
        f"date: {moment:%Y-%m-%dT%H:%M:%SZ}" if number % 301 else "date: 2026-13-45",
        f"image: https://images.example.com/{number}.jpg",
        "title: broken: twice" if number % 499 == 7 else "",
    ]
    images = [_image(random, number, place) for place in range(random.randrange(4))]
    return "\n".join(["---", *filter(None, head), "---", "", *images, "PARIS - The market opened.", ""])


def _workday(random: Random, moment: datetime) -> datetime:
    """The same moment, or two days before it: weekends are quiet."""
    return moment - timedelta(days=2) if moment.weekday() > 4 and random.random() < 0.7 else moment


def _image(random: Random, number: int, place: int) -> str:
    alt = random.choice(("", f"IMG_{number}", "Stalls on the quay.", "Lamps over the water."))
    credit = random.choices(["", *(f" (Photo: {name})" for name in AGENCIES)], weights=[9, *range(13, 0, -1)])[0]
    return f"![{alt}{credit if alt.endswith('.') else ''}](https://images.example.com/{number}-{place}.jpg)\n"
