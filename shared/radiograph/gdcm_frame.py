"""One JPEG lossless or JPEG-LS frame decoded with gdcm.

gdcm answers some damaged streams by ending its process (an uncaught C++ exception, a corrupt heap), which is why
uploads are decoded in processes of their own (`shared.radiograph.decoder`).
"""


def decoded(stream: bytes, syntax: str, rows: int, columns: int, allocated: int, precision: int) -> bytes:
    """The raw little-endian samples of one gray frame.

    Args:
        syntax: the UID of the transfer syntax. allocated: bits a sample in the result, 8 or 16.
        precision: bits a sample in the stream.
    """
    import gdcm  # costs memory that only these rare files need

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
