"""QR codes of links, so that a phone need not be typed into."""

import io

import segno


def qr_svg(link: str) -> str:
    """An SVG element to stand in a page, dark on light in every colour scheme, without inline style."""
    return _qr(link).svg_inline(scale=4, dark="#000", light="#fff", omitsize=True)


def qr_text(link: str) -> str:
    """Block characters for a terminal with light letters on dark ground."""
    drawn = io.StringIO()
    _qr(link).terminal(drawn, compact=True)
    return drawn.getvalue()


def _qr(link: str) -> segno.QRCode:
    # A quarter of it may be dirty or covered, as on a sheet in a waiting room.
    return segno.make_qr(link, error="q")
