"""Where the large parts of a form lie while it is read: on the disk, encrypted with a key that nobody keeps."""

import os
from io import BytesIO
from tempfile import SpooledTemporaryFile, TemporaryFile
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from starlette import formparsers

KEY_BYTES, COUNTER_BYTES, PIECE_BYTES = 32, 16, 1_000_000


class EncryptedFile:
    """A temporary file without a name, written from end to end and then read from its start, as often as need be.

    AES-256 in counter mode: the key is this file's own and lives in memory only, so what stays on the disk after a
    crash, or where the file was, is noise. Nobody else writes to it, so it needs no authentication.
    """

    def __init__(self) -> None:
        self._file = TemporaryFile()  # noqa: SIM115 -- closed with this one
        self._cipher = Cipher(algorithms.AES(os.urandom(KEY_BYTES)), modes.CTR(bytes(COUNTER_BYTES)))
        self._stream = self._cipher.encryptor()
        self._is_written = False

    def write(self, data: bytes) -> int:
        """Append bytes; gives their number.

        Raises:
            ValueError: it was read before. Writing twice in one place would give away both.
        """
        if self._is_written:
            raise ValueError("an encrypted file is written once, from end to end")
        return self._file.write(self._stream.update(data))

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go back to the start, the only place that reading begins at.

        Raises:
            ValueError: another place.
        """
        if (offset, whence) != (0, os.SEEK_SET):
            raise ValueError("an encrypted file is read from its start")
        self._is_written, self._stream = True, self._cipher.decryptor()
        return self._file.seek(0)

    def read(self, size: int = -1) -> bytes:
        """The next bytes, all of them by default; decrypted in pieces, so that they are in memory once."""
        decrypted = BytesIO()
        while size and (piece := self._file.read(PIECE_BYTES if size < 0 else min(size, PIECE_BYTES))):
            decrypted.write(self._stream.update(piece))
            size -= len(piece) if size > 0 else 0
        return decrypted.getvalue()

    def tell(self) -> int:
        """How far reading or writing is."""
        return self._file.tell()

    @property
    def closed(self) -> bool:
        """Whether it was removed."""
        return self._file.closed

    def close(self) -> None:
        """Remove it."""
        self._file.close()


class EncryptedSpool(SpooledTemporaryFile[bytes]):
    """In memory up to `max_size` bytes, and beyond in an `EncryptedFile`."""

    _file: Any
    _rolled: bool

    def rollover(self) -> None:
        """Go from memory to the disk, at the end of what was written so far."""
        if not self._rolled:
            in_memory, self._file = self._file, EncryptedFile()
            self._file.write(in_memory.getvalue())
            self._rolled = True


def encrypt_spooled_uploads() -> None:
    """Have every form that this process reads spool its parts encrypted.

    Starlette lets a subclass choose how much stays in memory, not what the rest goes to; forms are read by FastAPI too,
    which asks nobody for a subclass.
    """
    vars(formparsers)["SpooledTemporaryFile"] = EncryptedSpool
