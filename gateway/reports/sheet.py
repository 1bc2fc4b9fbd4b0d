"""One sheet of paper: headings, lines, tables and pictures, from top to bottom."""

import datetime as dt
from collections.abc import Sequence
from io import BytesIO

from fpdf import FPDF
from fpdf.enums import XPos, YPos
from fpdf.fonts import TTFFont

from gateway.reports.fonts import Fonts, bold_of

INK, SOFT, ACCENT, RAIL = (23, 33, 31), (85, 98, 95), (13, 92, 99), (226, 232, 231)
ALARM, BOX = (164, 28, 28), (222, 160, 0)
MARGIN_MM, PICTURE_MM = 15.0, 42.0
# Latin letters of every PDF reader: what they cannot show is written otherwise.
PLAIN = str.maketrans(
    {"–": "-", "—": "-", "≥": ">=", "≤": "<=", "’": "'", "“": '"', "”": '"', "…": "...", "µ": "u", "‹": "<"}
)


class Sheet:
    """An A4 page that text is set on.

    Args:
        fonts: the files to write with.
        size: of the text, in points; everything else follows from it.
    """

    def __init__(self, fonts: Fonts, size: float) -> None:
        self.size, self._files = size, fonts.files
        self.pdf = FPDF(format="A4")
        self.pdf.set_margin(MARGIN_MM)
        self.pdf.set_auto_page_break(True, margin=9)
        for position, file in enumerate(fonts.files):
            for style, of_style in (("", file), ("B", bold_of(file))):
                self.pdf.add_font(f"script{position}", style, of_style)
        self._family = "script0" if fonts.files else "helvetica"
        if fonts.files:
            self.pdf.set_fallback_fonts(
                [f"script{position}" for position in range(1, len(fonts.files))], exact_match=False
            )
            self.pdf.set_font(self._family, size=size)
            self.pdf.set_text_shaping(True, script=fonts.script)
        self.pdf.add_page()
        self._narrow = 0.0
        self._narrow_until = 0.0

    @property
    def full(self) -> float:
        """How much of the paper is written on: above one where it has gone on to further sheets."""
        return float(self.pdf.page_no() - 1 + self.pdf.get_y() / self.pdf.page_break_trigger)

    def dated(self, moment: dt.datetime) -> None:
        """What the file says it is of, in place of when it was printed: the same report is the same file."""
        self.pdf.set_creation_date(moment)

    def finished(self) -> bytes:
        """The finished file."""
        return bytes(self.pdf.output())

    def close(self) -> None:
        """Close the fonts' files, which the library leaves open."""
        for font in self.pdf.fonts.values():
            if isinstance(font, TTFFont):
                font.ttfont.close()

    def title(self, text: str, beside: str) -> None:
        """The head of the sheet."""
        self._write(text, self.size * 1.7, bold=True, colour=ACCENT)
        self._write(beside, self.size * 0.9, colour=SOFT)
        self.pdf.set_draw_color(*ACCENT)
        self.pdf.set_line_width(0.5)
        y = self.pdf.get_y() + 1
        self.pdf.line(MARGIN_MM, y, self.pdf.w - MARGIN_MM, y)
        self.pdf.set_y(y + 2.5)

    def picture(self, png: bytes, boxes: Sequence[tuple[Sequence[float], str]]) -> None:
        """A picture at the right edge; the text goes on to its left for as long as it is high.

        Args:
            boxes: x, y, width and height in pixels of the picture, and what is written under each.
        """
        x, y = self.pdf.w - MARGIN_MM - PICTURE_MM, self.pdf.get_y()
        shown = self.pdf.image(BytesIO(png), x, y, PICTURE_MM, PICTURE_MM * 1.3, keep_aspect_ratio=True)
        scale = shown.rendered_width / shown.width
        left, top = x + (PICTURE_MM - shown.rendered_width) / 2, y + (PICTURE_MM * 1.3 - shown.rendered_height) / 2
        self.pdf.set_draw_color(*BOX)
        self.pdf.set_line_width(0.4)
        for (box_x, box_y, width, height), _ in boxes:
            self.pdf.rect(left + box_x * scale, top + box_y * scale, width * scale, height * scale)
        self.pdf.set_y(y + PICTURE_MM * 1.3)
        for _, label in boxes:
            self._font(self.size * 0.8, bold=False, colour=SOFT)
            self.pdf.set_x(x)
            height = self.size * 0.38
            self.pdf.cell(PICTURE_MM, height, self._plain(label), align="C", new_x=XPos.LMARGIN, new_y=YPos.NEXT)
        self._narrow, self._narrow_until = PICTURE_MM + 5, self.pdf.get_y()
        self.pdf.set_y(y)

    def drawings(self, svgs: Sequence[str]) -> None:
        """Drawings as SVG, two in a row, over the whole width."""
        width = (self.pdf.w - 2 * MARGIN_MM - 4) / 2
        for first in range(0, len(svgs), 2):
            height = width * 0.75
            if self.pdf.get_y() + height > self.pdf.page_break_trigger:
                self.pdf.add_page()
            y = self.pdf.get_y() + 2
            for column, svg in enumerate(svgs[first : first + 2]):
                self.pdf.image(BytesIO(svg.encode()), MARGIN_MM + column * (width + 4), y, width, height)
            self.pdf.set_y(y + height)

    def below_pictures(self) -> None:
        """Go on under the pictures, over the whole width."""
        self.pdf.set_y(max(self.pdf.get_y(), self._narrow_until))
        self._narrow = 0.0

    def heading(self, text: str, *, alarm: bool = False) -> None:
        """A heading, with some air above; one that alarms is red."""
        self.pdf.set_y(self.pdf.get_y() + self.size * 0.18)
        self._write(text, self.size * (1.5 if alarm else 1.12), bold=True, colour=ALARM if alarm else ACCENT)

    def signature(self, text: str) -> None:
        """A line to sign on."""
        self.pdf.set_y(self.pdf.get_y() + self.size * 0.6)
        self._write(text, self.size)
        start = MARGIN_MM + self.pdf.get_string_width(self._plain(text)) + 3
        self.pdf.set_draw_color(*SOFT)
        self.pdf.set_line_width(0.2)
        self.pdf.line(start, self.pdf.get_y(), self.pdf.w - MARGIN_MM, self.pdf.get_y())

    def line(self, text: str, *, bold: bool = False, soft: bool = False, large: bool = False) -> None:
        """A paragraph."""
        size = self.size * (1.35 if large else 0.88 if soft else 1)
        self._write(text, size, bold=bold, colour=SOFT if soft else INK)

    def item(self, text: str, beside: str | None = None) -> None:
        """A point of a list, with the English beside a translation."""
        mark = self.pdf.get_y()
        self._write(text, self.size, indent=4)
        self.pdf.set_fill_color(*ACCENT)
        if self.pdf.get_y() > mark:
            self.pdf.ellipse(MARGIN_MM + 1, mark + self.size * 0.2, 1.1, 1.1, style="F")
        if beside:
            self._write(beside, self.size * 0.85, indent=4, colour=SOFT)

    def table(self, rows: Sequence[Sequence[str]]) -> None:
        """Rows of cells without a head, each column as wide as its longest cell."""
        self._font(self.size * 0.9, bold=False, colour=INK)
        height = self.size * 0.44
        columns = list(zip(*rows, strict=True))
        widths = [max(self.pdf.get_string_width(self._plain(cell)) for cell in column) + 4 for column in columns]
        self.pdf.set_draw_color(*RAIL)
        self.pdf.set_line_width(0.2)
        for row in rows:
            self.pdf.set_x(MARGIN_MM + 3)
            for cell, width in zip(row, widths, strict=True):
                self.pdf.cell(width, height, self._plain(cell), border="B")
            self.pdf.ln(height)

    def _write(
        self, text: str, size: float, *, bold: bool = False, colour: tuple[int, int, int] = INK, indent: float = 0
    ) -> None:
        self._font(size, bold=bold, colour=colour)
        beside = self._narrow if self.pdf.get_y() < self._narrow_until else 0.0
        self.pdf.set_x(MARGIN_MM + indent)
        self.pdf.multi_cell(
            self.pdf.w - 2 * MARGIN_MM - indent - beside,
            size * 0.47,
            self._plain(text),
            align="L",
            new_x=XPos.LMARGIN,
            new_y=YPos.NEXT,
        )

    def _font(self, size: float, *, bold: bool, colour: tuple[int, int, int]) -> None:
        self.pdf.set_font(self._family, "B" if bold else "", size)
        self.pdf.set_text_color(*colour)

    def _plain(self, text: str) -> str:
        if self._files:
            return text
        return text.translate(PLAIN).encode("latin-1", "replace").decode("latin-1")
