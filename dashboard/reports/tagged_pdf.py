"""A page of PDF of which each part is tagged, so that a screen reader knows what it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from fpdf import FPDF


class TaggedPdf(FPDF):
    """A document of one page (PDF 1.7, 14.8: tagged PDF)."""

    @contextmanager
    def tagged(self, kind: str, alternative: str | None = None) -> Iterator[None]:
        """Tag what is drawn inside as ``H1``, ``H2``, ``P``, or ``Figure`` with its text."""
        number = self.struct_builder.next_mcid_for_page(self.page)
        self._add_marked_content(struct_type=f"/{kind}", mcid=number, alt_text=alternative)
        self._out(f"/{kind} <</MCID {number}>> BDC")
        yield
        self._out("EMC")
