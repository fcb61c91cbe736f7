"""Python modules that give only listed names, and refuse the rest in plain words."""

import types
from collections.abc import Collection
from typing import Any


class StrictModule(types.ModuleType):
    """A module of Slicer: what it has, and an error for what it has not."""

    def __init__(self, name: str, doc: str, listed: Collection[str] = ()) -> None:
        super().__init__(name, doc)
        self.__dict__["_listed"] = frozenset(listed)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in self.__dict__["_listed"]:
            from standin.errors import NotInStandin

            raise NotInStandin(f"{self.__name__}.{name} exists in Slicer, but the stand-in does not have it.")
        raise AttributeError(
            f"module '{self.__name__}' has no attribute '{name}' that Slicer is known to have"
        )


class StrictObject:
    """An object with a fixed set of attributes that may be set, as C++ objects are."""

    _allowed: frozenset[str] = frozenset()

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_") and name not in self._allowed:
            raise AttributeError(
                f"'{name}' does not exist on {type(self).__name__} and creating new attributes on C++ objects is not "
                "allowed"
            )
        object.__setattr__(self, name, value)
