"""A script that compresses the pixels of a DICOM file: `python gdcm_compressor.py SYNTAX SOURCE TARGET`."""

import sys

import gdcm


def main(syntax: str, source: str, target: str) -> None:
    reader = gdcm.ImageReader()
    reader.SetFileName(source)
    assert reader.Read()
    change = gdcm.ImageChangeTransferSyntax()
    change.SetTransferSyntax(gdcm.TransferSyntax(gdcm.TransferSyntax.GetTSType(syntax)))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer = gdcm.ImageWriter()
    writer.SetFileName(target)
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()


if __name__ == "__main__":
    main(*sys.argv[1:])
