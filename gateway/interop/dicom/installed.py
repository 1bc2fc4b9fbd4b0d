"""Whether the packages for DICOM objects are there: they come with an extra, and the default install has none."""

import logging
import warnings
from importlib.util import find_spec

from shared.problems import NotInstalled

EXTRA = "interop"
PACKAGES = ("highdicom", "pynetdicom", "dicomweb_client")
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
            f"DICOM results need packages that are not installed ({', '.join(missing)}): "
            f"pip install 'trabecula[{EXTRA}]', and start again."
        )
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    warnings.filterwarnings("ignore", module=r"(pydicom|highdicom)(\.|$)")
