"""What names Slicer has: the condensed copy in `api.json`, and for Qt classes it does not list, `extra_api.txt`."""

import json
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class ClassApi:
    """The names of one class.

    Args:
        name: `qt.QLabel`, `ctk.ctkSliderWidget`, `slicer.qMRMLNodeComboBox`.
        properties: property name to its Qt type; a trailing `!` means read-only.
        methods: everything that is called.
        signals: signatures, `clicked(bool)`; of one name the first is what `.connect()` takes.
        slots: signatures of slots, for connections in `.ui` files.
    """

    name: str
    properties: dict[str, str] = field(default_factory=dict)
    methods: frozenset[str] = frozenset()
    signals: tuple[str, ...] = ()
    slots: frozenset[str] = frozenset()

    def signatures(self, signal: str) -> list[str]:
        """Signatures of the signal of that name, the one that `.connect()` takes first."""
        return [signature for signature in self.signals if signature.partition("(")[0] == signal]

    def knows(self, name: str) -> bool:
        """Whether the class has a property, method or signal of that name."""
        return name in self.properties or name in self.methods


@cache
def document() -> dict:
    """The whole of `api.json`."""
    return json.loads((HERE / "api.json").read_text(encoding="utf-8"))


@cache
def extra() -> dict[str, dict[str, str]]:
    """The classes of `extra_api.txt`: a line `Name < Base`, then indented `kind: names` lines."""
    classes: dict[str, dict[str, str]] = {}
    entry: dict[str, str] = {}
    for line in (HERE / "extra_api.txt").read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith(" "):
            kind, _, names = line.strip().partition(": ")
            separator = ";" if kind == "signals" else " "
            entry[kind] = f"{entry[kind]}{separator}{names}" if kind in entry else names
        else:
            name, _, base = line.partition(" < ")
            entry = classes.setdefault(name.strip(), {"like": base.strip()} if base else {})
    return classes


@cache
def class_api(name: str) -> ClassApi | None:
    """Names of a class by its full name (`qt.QLabel`), or None if it is not listed."""
    entry = document()["classes"].get(name) or extra().get(name)
    if entry is None:
        return None
    base = class_api(entry["like"]) if entry.get("like") else ClassApi(name)
    if base is None:
        raise LookupError(f"{name} is described by {entry['like']}, which is not listed.")
    properties = dict(pair.split(":", 1) for pair in entry.get("properties", "").split())
    signals = tuple(filter(None, entry.get("signals", "").split(";")))
    methods = {*entry.get("methods", "").split(), *(signal.partition("(")[0] for signal in signals)}
    return ClassApi(
        name=name,
        properties=base.properties | properties,
        methods=base.methods | methods,
        signals=(*base.signals, *signals),
        slots=base.slots | frozenset(filter(None, entry.get("slots", "").split(";"))),
    )


def names_of(module: str) -> list[str]:
    """Classes listed for `qt`, `ctk` or `slicer`, without the module's name."""
    listed = [*document()["classes"], *extra()]
    return [name.partition(".")[2] for name in listed if name.startswith(f"{module}.") and "(" not in name]
