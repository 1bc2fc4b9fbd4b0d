"""The JSON of another system: strict, and no more of it than one patient has."""

import json
from typing import Any, NoReturn

from gateway.platform.json_size import may_hold_more, without_repeats
from shared.problems import InvalidInput, MalformedBody

# An International Patient Summary has some thousands.
MOST_VALUES = 60_000


def parse_json(data: bytes) -> Any:
    """What the JSON in some bytes holds.

    Raises:
        InvalidInput: it holds more values than are read.
        MalformedBody: it is no JSON, or is nested too deeply.
    """
    if may_hold_more(data, MOST_VALUES):
        raise InvalidInput(f"It holds more than {MOST_VALUES} values: send the resources of one patient.")
    try:
        return json.loads(data.decode("utf-8-sig"), object_pairs_hook=without_repeats, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise MalformedBody(f"The body is no JSON: {str(error)[:200]}.") from error


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number of JSON")
