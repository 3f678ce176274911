"""Tables that show images, with their captions in the row below them."""

from flows.articles.markdown.blocks import Block, MarkdownImage
from flows.articles.markdown.html import Tag


class Tables:
    """The images in the cells of tables, by row and column."""

    def __init__(self, blocks: list[Block]) -> None:
        self.blocks = blocks
        self.images: dict[tuple[int, int], int] = {}
        self.rows: dict[int, bool] | None = None

    def note(self, block: Block, images: range) -> None:
        """Note the last image of a cell."""
        if block.cell:
            self.images[block.cell] = images[-1]

    def image_above(self, block: Block, text: str) -> int | None:
        """Return the number of the image that a cell describes: it is above, and the next row has images again."""
        if block.cell is None or not any(map(str.isalpha, text)):
            return None
        row, column = block.cell
        rows = self._rows()
        if not rows.get(row - 1) or rows.get(row + 1, True) is False:
            return None
        return self.images.get((row - 1, column))

    def _rows(self) -> dict[int, bool]:
        """Return whether the cells of each row are images only."""
        if self.rows is None:
            self.rows = {}
            for block in self.blocks:
                if block.cell:
                    row = block.cell[0]
                    self.rows[row] = self.rows.get(row, True) and _is_image(block)
        return self.rows


def _is_image(block: Block) -> bool:
    has_image = any(isinstance(part, MarkdownImage | Tag) for part in block.parts)
    return has_image and not block.text.strip()
