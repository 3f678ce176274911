"""Convert offsets in a masked body to lines of the body."""

from bisect import bisect_left
from itertools import accumulate

from flows.articles.markdown.masking import Masked


class Lines:
    """Convert byte offsets to lines. Offsets come in order, so only the bytes since the previous one are counted."""

    def __init__(self, masked: Masked) -> None:
        self.source = masked.text.encode()
        self.offset, self.line = 0, 1
        self.removed_after = [line for line, _ in masked.removed]
        self.removed = list(accumulate((lines for _, lines in masked.removed), initial=0))

    def at(self, offset: int) -> int:
        """Return the line of the body, from 1, of a byte."""
        if offset > self.offset:
            self.line += self.source.count(b"\n", self.offset, offset)
        elif offset < self.offset:
            self.line -= self.source.count(b"\n", offset, self.offset)
        self.offset = offset
        return self.line + self.removed[bisect_left(self.removed_after, self.line)] if self.removed_after else self.line
