"""The format version of results files, and the type check of the data read from them."""

import math
from types import UnionType
from typing import Any, ClassVar, Literal, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")

FORMAT = 4
"""Version of the format of results files; files with another version are refused."""


def typed(cls: type[T], data: dict[str, Any]) -> T:
    """Create a dataclass from JSON data; raises ``TypeError`` if a field has the wrong type.

    Numbers must be finite; an integer is accepted for a float.
    """
    for name, hint in get_type_hints(cls).items():
        if get_origin(hint) is ClassVar or name not in data:
            continue
        value = data[name]
        if get_origin(hint) is Literal:
            if value not in get_args(hint):
                raise TypeError(f"{name} is {value!r}")
            continue
        hints = get_args(hint) if isinstance(hint, UnionType) else (hint,)
        allowed = {get_origin(part) or part for part in hints}
        if float in allowed:
            allowed.add(int)
        if type(value) not in allowed or (type(value) is float and not math.isfinite(value)):
            raise TypeError(f"{name} is {value!r}")
    return cls(**data)
