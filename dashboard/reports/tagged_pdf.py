"""A page of PDF in the font of the pages, of which each part can be tagged, so that a screen reader
knows what it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from font_source_sans_pro import font_files_ttf
from fpdf import FPDF, ViewerPreferences
from fpdf.fonts import TTFFont

FONT = "Source Sans"  # the font of the pages; it covers Latin, Greek and Cyrillic
_FILES = {"": font_files_ttf["SourceSansPro"], "B": font_files_ttf["SourceSansProBold"]}


class TaggedPdf(FPDF):
    """A document of one page (PDF 1.7, 14.8: tagged PDF), with its title and language."""

    def __init__(self, title: str, language: str) -> None:
        super().__init__(format="A4")
        self.set_title(title)
        self.set_lang(language)
        self.viewer_preferences = ViewerPreferences(display_doc_title=True)  # not the file's name
        self.set_auto_page_break(False)

    @contextmanager
    def tagged(self, kind: str, alternative: str | None = None) -> Iterator[None]:
        """Tag what is drawn inside as ``H1``, ``H2``, ``P``, or ``Figure`` with its text."""
        number = self.struct_builder.next_mcid_for_page(self.page)
        self._add_marked_content(struct_type=f"/{kind}", mcid=number, alt_text=alternative)
        self._out(f"/{kind} <</MCID {number}>> BDC")
        yield
        self._out("EMC")

    @contextmanager
    def artifact(self) -> Iterator[None]:
        """Mark what is drawn inside as decoration, which a screen reader passes over."""
        self._out("/Artifact BMC")
        yield
        self._out("EMC")


class PrintableText:
    """Add the font to a document; replace characters without a glyph in it by question marks."""

    def __init__(self, pdf: FPDF) -> None:
        for style, file in _FILES.items():
            pdf.add_font(FONT, style, file)
        fonts = [font for font in pdf.fonts.values() if isinstance(font, TTFFont)]
        self._code_points = set.intersection(*(set(font.cmap) for font in fonts))

    def __call__(self, words: str) -> str:
        plain = words.replace("\u202f", "\u00a0")
        return "".join(char if ord(char) in self._code_points else "?" for char in plain)
