"""Results as DICOM objects in the source's own study, and how they get to an archive. Needs the extra `interop`."""
