"""HL7 v2 messages against the standard's own structure (2.5.1), by a library that had no part in writing them."""

from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.exceptions import HL7apyException
from hl7apy.parser import parse_message


def faults(text):
    """What of a message is not as the standard has it: segments, their order, fields, data types; empty where all is.

    Args:
        text: the message, its segments ended by carriage returns.
    """
    try:
        # Not strictly: that would take an OBX-5 of whatever type for a string of 199 characters.
        parse_message(text, validation_level=VALIDATION_LEVEL.TOLERANT, find_groups=True).validate()
    except (HL7apyException, ValueError) as error:  # a value that its data type does not have
        return [f"{type(error).__name__}: {error}"]
    return []
