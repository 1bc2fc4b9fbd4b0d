"""Files that only this user reads, replaced at once: whoever reads one meets the old content or the new, never half."""

from pathlib import Path


def replace_file(file: Path, content: str | bytes) -> None:
    """Write a file anew; its folder exists."""
    part = file.with_name(f"{file.name}.part")
    part.touch(mode=0o600)
    part.write_bytes(content.encode() if isinstance(content, str) else content)
    part.replace(file)
