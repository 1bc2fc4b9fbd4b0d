"""A process of its own that decodes one JPEG lossless or JPEG-LS frame with gdcm and ends.

gdcm answers some damaged streams by ending its process (an uncaught C++ exception, a corrupt heap). Here that costs
one upload instead of the service. Run as a script, without importing anything of this package:

    python gdcm_process.py SYNTAX ROWS COLUMNS ALLOCATED PRECISION < frame > pixels
"""

import sys

import gdcm


def decoded(stream: bytes, syntax: str, rows: int, columns: int, allocated: int, precision: int) -> bytes:
    """The raw little-endian samples of one gray frame."""
    fragment = gdcm.Fragment()
    fragment.SetByteStringValue(stream)
    fragments = gdcm.SequenceOfFragments.New()
    fragments.AddFragment(fragment)
    element = gdcm.DataElement(gdcm.Tag(0x7FE0, 0x0010))
    element.SetValue(fragments.__ref__())
    image = gdcm.Image()
    image.SetNumberOfDimensions(2)
    image.SetDimensions((columns, rows, 1))
    image.SetDataElement(element)
    kind = gdcm.PhotometricInterpretation.GetPIType("MONOCHROME2")
    image.SetPhotometricInterpretation(gdcm.PhotometricInterpretation(kind))
    image.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(syntax)))
    image.SetPixelFormat(gdcm.PixelFormat(1, allocated, precision, precision - 1, 0))
    # gdcm gives a char* as str; this turns it back into the bytes it was.
    pixels: str = image.GetBuffer()
    return pixels.encode("utf-8", "surrogateescape")


if __name__ == "__main__":
    frame = sys.stdin.buffer.read()
    sys.stdout.buffer.write(decoded(frame, sys.argv[1], *(int(number) for number in sys.argv[2:6])))
