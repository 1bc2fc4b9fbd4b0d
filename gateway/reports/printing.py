"""Printing a report without holding up other requests."""

from dataclasses import dataclass

import anyio

from gateway.assessing.assessments import ReportContent
from shared.contracts.language import LanguageCode


@dataclass(frozen=True)
class PrintedReport:
    """A PDF, the language it came out in, and the headers that it is sent with."""

    pdf: bytes
    language: LanguageCode
    file_name: str

    @property
    def headers(self) -> dict[str, str]:
        """For the one who is about to look at it."""
        return {
            "Content-Disposition": f'inline; filename="{self.file_name}"',
            "Content-Language": self.language,
        }


async def print_report(content: ReportContent, language: LanguageCode) -> PrintedReport:
    """The PDF of a report; in English where this machine has no font for the language."""
    from gateway.reports.report import pdf_of  # with the fonts' libraries, which few need at the start

    pdf, written = await anyio.to_thread.run_sync(pdf_of, content, language)
    return PrintedReport(pdf, written, f"report-{content.audience}-{content.assessment.id}.pdf")
