"""Whether the packages for DICOM and HL7 v2 are there: they come with an extra, and the default install has none."""

import logging
import warnings
from importlib import import_module
from importlib.util import find_spec

from shared.problems import NotInstalled

EXTRA = "interop"
PACKAGES = ("highdicom", "pynetdicom", "dicomweb_client", "hl7")
# Their messages repeat a value that they do not like, and that value can be a patient's name.
LOGGERS = ("pydicom", "highdicom", "pynetdicom", "dicomweb_client")


def missing_packages() -> list[str]:
    """The packages of the extra that are not there."""
    return [name for name in PACKAGES if find_spec(name) is None]


def require_installed() -> None:
    """See that the packages are there, and that they tell nobody about patients.

    Raises:
        NotInstalled: one is missing.
    """
    if missing := missing_packages():
        raise NotInstalled(
            f"DICOM and HL7 need packages that are not installed ({', '.join(missing)}): "
            f"pip install 'trabecula[{EXTRA}]', and start again."
        )
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    for part in ("containers", "util"):  # which name their loggers after their files
        logging.getLogger(import_module(f"hl7.{part}").__file__).disabled = True
    warnings.filterwarnings("ignore", module=r"(pydicom|highdicom|hl7)(\.|$)")
