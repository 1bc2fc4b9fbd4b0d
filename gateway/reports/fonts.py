"""The fonts of this machine that a report can be written with. None is carried along: systems bring their own.

Devanagari and Kannada need a font that has their shapes; where there is none, the report is in English and says so.
On Debian, fonts-noto-core or fonts-lohit-deva and fonts-lohit-knda bring them; Windows has Nirmala UI.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from shared.contracts.language import LanguageCode

FOLDERS = (
    "/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts", "C:/Windows/Fonts",
    "/Library/Fonts", "/System/Library/Fonts",
)  # fmt: skip
# By preference; the last ones of the Latin list have Latin letters beside their own.
LATIN = ("NotoSans-Regular.ttf", "DejaVuSans.ttf", "arial.ttf", "Arial.ttf", "Lohit-Devanagari.ttf")
OF_LANGUAGE: dict[LanguageCode, tuple[str, ...]] = {
    "en": LATIN,
    "hi": ("NotoSansDevanagari-Regular.ttf", "Lohit-Devanagari.ttf", "Nirmala.ttf", "Nirmala.ttc"),
    "kn": ("NotoSansKannada-Regular.ttf", "Lohit-Kannada.ttf", "Nirmala.ttf", "Nirmala.ttc"),
}
SCRIPTS: dict[LanguageCode, str] = {"hi": "Deva", "kn": "Knda"}


@dataclass(frozen=True)
class Fonts:
    """The files for one language: its own script first, then Latin. Empty: Latin letters that every PDF reader has.

    `script` (ISO 15924) is said to the shaper: it would take that of a line's first letter, which may be Latin.
    """

    files: tuple[Path, ...]
    script: str = "Latn"


def fonts_for(language: LanguageCode) -> Fonts | None:
    """What a language can be written with; null where this machine lacks its script, which English never does."""
    latin = _first(LATIN)
    if language == "en":
        return Fonts((latin,) if latin else ())
    own = _first(OF_LANGUAGE[language])
    return Fonts((own, latin), SCRIPTS[language]) if own and latin else None


def bold_of(file: Path) -> Path:
    """The bold face beside a font; the font itself where there is none."""
    names = (file.name.replace("-Regular", "-Bold"), f"{file.stem}-Bold{file.suffix}", f"{file.stem}B{file.suffix}")
    return next((file.with_name(name) for name in names if name != file.name and file.with_name(name).exists()), file)


def _first(names: tuple[str, ...]) -> Path | None:
    files = _files()
    return next((files[name] for name in names if name in files), None)


@cache
def _files() -> dict[str, Path]:
    wanted = {name for names in OF_LANGUAGE.values() for name in names}
    folders = [Path(folder).expanduser() for folder in FOLDERS]
    return {
        file.name: file for folder in folders if folder.is_dir() for file in folder.rglob("*") if file.name in wanted
    }
