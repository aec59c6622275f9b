"""Groups of keys that can be read as far as they are sound, so that one run tells everything that is wrong with a document."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar, Self, get_args, get_origin

from pydantic import BaseModel, ValidationError, create_model

from platform_meter.model.scalars import Definition
from platform_meter.problems.problem import nearest


class Keys(Definition):
    """A group of keys. Read by `partly`, what of it is no good is None, whatever its type says: that is told already."""

    unsound: ClassVar[frozenset[str] | None] = frozenset()
    """Keys that are given and no good; None: what stands for the group is no group. A group read partly has its own."""

    def has(self, key: str) -> bool:
        """Whether the key is given, sound or not."""
        return getattr(self, key) is not None or key in (self.unsound or ())

    def lacks(self, key: str) -> bool:
        """Whether the key is missing. What is no group lacks nothing."""
        return self.unsound is not None and not self.has(key)

    def has_one_of(self, *keys: str) -> bool:
        """Whether exactly one of the keys is given. What is no group has it."""
        return self.unsound is None or sum(map(self.has, keys)) == 1

    @classmethod
    def partly(cls, value: object) -> Self:
        """As much of `value` as is sound, with the groups in it read so too. A misspelt key is read as the one it may mean."""
        names = {info.alias or name: name for name, info in cls.model_fields.items()}
        written = value if isinstance(value, Mapping) else {}
        meant = {nearest(key, names): one for key, one in written.items() if key not in names}
        given = {key: one for key, one in {**meant, **written}.items() if key in names}
        values: dict[str, Any] = {}
        for key, name in names.items():
            try:
                alone = _alone(cls, name).model_validate({k: one for k, one in given.items() if k == key})
                values[key] = getattr(alone, name)
            except ValidationError:
                values[key] = _groups(cls.model_fields[name].annotation, given.get(key))
        found = cls.model_construct(**values)
        unsound = frozenset(names[key] for key, one in given.items() if one is not None and values[key] is None)
        vars(found)["unsound"] = unsound if written is value else None
        return found


@cache
def _alone(model: type[BaseModel], name: str) -> type[BaseModel]:
    """A group of this key alone."""
    info = model.model_fields[name]
    fields: dict[str, Any] = {name: (info.annotation, info)}
    return create_model(model.__name__, __base__=Definition, **fields)


def _groups(kind: Any, value: object) -> Any:
    """A value that is not sound, where it is a group or a list of them: as far as these are sound. Else None."""
    if get_origin(kind) is list:
        return [_groups(get_args(kind)[0], one) for one in value] if isinstance(value, list) else []
    groups = (one for one in (kind, *get_args(kind)) if isinstance(one, type) and issubclass(one, Keys))
    return next((one.partly(value) for one in groups), None)
