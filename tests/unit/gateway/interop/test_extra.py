"""What the gateway does without the extra: it starts, and only the objects are missing."""

import subprocess
import sys

WITHOUT = """
import sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        extra = {"highdicom", "pynetdicom", "dicomweb_client", "pydicom", "numpy", "PIL", "requests", "hl7"}
        if name.split(".")[0] in extra:
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Absent())
import gateway.api.dicom, gateway.interop.dicom.deliver, gateway.interop.hl7.deliver, gateway.cli.route
"""


def test_every_module_is_imported_without_it():
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
