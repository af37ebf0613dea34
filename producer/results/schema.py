"""The format version of results files, and the type check of what is read from them."""

import math
from types import UnionType
from typing import Any, ClassVar, Literal, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")

FORMAT = 4
"""Version of the file's format; a file of another version is refused."""


def typed(cls: type[T], data: dict[str, Any]) -> T:
    """An instance of the dataclass; raises ``TypeError`` if a field has another type.

    A number must be finite, and a float may have been written without a fraction.
    """
    for name, wanted in get_type_hints(cls).items():
        if get_origin(wanted) is ClassVar:
            continue
        value = data[name]
        if get_origin(wanted) is Literal:
            if value not in get_args(wanted):
                raise TypeError(f"{name} is {value!r}")
            continue
        kinds = get_args(wanted) if isinstance(wanted, UnionType) else (wanted,)
        allowed = {get_origin(kind) or kind for kind in kinds}
        if float in allowed:
            allowed.add(int)
        if type(value) not in allowed or (type(value) is float and not math.isfinite(value)):
            raise TypeError(f"{name} is {value!r}")
    return cls(**data)
