"""As much of JSON Schema, draft 4, as our schema uses; any other keyword is an error."""

import re
from collections.abc import Iterator
from typing import Any

Schema = dict[str, Any]
TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}
SAYS_NOTHING = {"$schema", "title", "description", "default"}


def faults(schema: Schema, value: Any, place: str = "$") -> Iterator[str]:
    """Where a value breaks a schema, and which keyword it breaks."""
    for keyword, asked in schema.items():
        if keyword not in SAYS_NOTHING:
            yield from _faults(schema, keyword, asked, value, place)


def holds(schema: Schema, value: Any) -> bool:
    return not list(faults(schema, value))


def _faults(schema: Schema, keyword: str, asked: Any, value: Any, place: str) -> Iterator[str]:
    wrong = f"{place}: {keyword} {asked}"
    table = value if isinstance(value, dict) else {}
    number = isinstance(value, int | float) and not isinstance(value, bool)
    good = True
    match keyword:
        case "type":
            good = isinstance(value, TYPES[asked])
            good &= asked == "boolean" or not isinstance(value, bool)
        case "enum":
            good = value in asked
        case "minimum":
            good = not number or value >= asked
        case "maximum":
            good = not number or value <= asked
        case "pattern":
            good = not isinstance(value, str) or re.search(asked, value) is not None
        case "minItems":
            good = not isinstance(value, list) or len(value) >= asked
        case "uniqueItems":
            good = not asked or not isinstance(value, list) or len(set(value)) == len(value)
        case "required":
            good = not isinstance(value, dict) or value.keys() >= set(asked)
        case "not":
            good = not holds(asked, value)
        case "anyOf":
            good = any(holds(one, value) for one in asked)
        case "allOf":
            for one in asked:
                yield from faults(one, value, place)
        case "items":
            for row, one in enumerate(value if isinstance(value, list) else []):
                yield from faults(asked, one, f"{place}[{row}]")
        case "properties":
            for name in table.keys() & asked.keys():
                yield from faults(asked[name], table[name], f"{place}.{name}")
        case "additionalProperties":
            for name in sorted(table.keys() - schema.get("properties", {}).keys()):
                if asked is False:
                    yield f"{place}.{name}: unknown"
                else:
                    yield from faults(asked, table[name], f"{place}.{name}")
        case _:
            raise AssertionError(f"{keyword} is no keyword that is known here")
    if not good:
        yield wrong
