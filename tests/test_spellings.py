"""Every spelling of front matter gets a row, in little time and memory. `make fuzz` reads all of them, a test a sample."""

import json
import os
import subprocess
import sys
from itertools import islice
from pathlib import Path
from zoneinfo import ZoneInfo

from flows.articles.article import read_article
from tests.conftest import ROOT, Publish, query
from tests.spellings import long_spellings, spellings

EVERY, EVERY_LONG = (1, 1) if os.environ.get("HYPOTHESIS_PROFILE") == "fuzz" else (97, 23)
# Seconds of CPU time: for a megabyte, and for a small file that is the first of its kind.
SECONDS_PER_MB, SECONDS = 2, 0.1
MAX_MEMORY = 300_000  # KB

MEASURE = f"""
import json, re, time
from itertools import islice
from zoneinfo import ZoneInfo
from flows.articles.article import read_article
from tests.spellings import long_spellings, spellings

slow = []
for every, files in ((EVERY, spellings()), (EVERY_LONG, long_spellings())):
    for path, content in islice(files, 0, None, every):
        start = time.process_time()
        read_article(content, path, ZoneInfo("UTC"))
        seconds = time.process_time() - start
        if seconds > {SECONDS} + {SECONDS_PER_MB} * len(content) / 1_000_000:
            slow.append((path, seconds))
# Its own peak: getrusage knows that of the process which started it as well.
peak = re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())
print(json.dumps([slow, int(peak[1])]))
""".replace("EVERY_LONG", str(EVERY_LONG)).replace("EVERY", str(EVERY))


def test_there_are_enough_spellings():
    paths = [path for path, _ in spellings()]
    assert len(set(paths)) == len(paths) > 5_000


def test_an_edition_of_all_spellings_has_a_row_for_each(source: Path, publish: Publish):
    statuses = []
    for files, every in ((spellings(), EVERY), (long_spellings(), EVERY_LONG)):
        for path, content in islice(files, 0, None, every):
            file = source / path
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(content)
            statuses.append((path, read_article(content, path, ZoneInfo("UTC")).status))
    edition = publish().folder
    # Some share an identity; of these, one is published.
    found = "SELECT source_path, if(status = 'duplicate', 'published', status) FROM sources ORDER BY source_path"
    assert query(edition, found) == sorted(statuses)
    assert query(edition, "FROM problems WHERE code = 'internal_error'") == []
    assert {status for _, status in statuses} >= {"published", "rejected"}


def test_no_spelling_takes_long_or_much_memory():
    """Run in a separate process, whose memory is the reader's alone."""
    done = subprocess.run([sys.executable, "-c", MEASURE], cwd=ROOT, capture_output=True, text=True, check=True)
    slow, memory = json.loads(done.stdout)
    assert slow == []
    assert memory < MAX_MEMORY
