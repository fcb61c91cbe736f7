"""Values out of a foreign MONAI configuration without running anything of it.

MONAI's own parser calls whatever ``_target_`` names and evaluates whatever follows ``$``. This one knows literals,
references to literals (``@name``) and arithmetic on them, and refuses the rest in words. Only what is asked for is
looked at: expressions elsewhere in the file do no harm.
"""

from __future__ import annotations

import ast
import json
import operator
import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from SegClassifyLib.errors import ModelPackageError
from SegClassifyLib.package.files import read_text

_MAX_DEPTH = 32
_MAX_VALUES = 20_000
_MAX_NUMBER = 1e15
_MAX_LENGTH = 10_000
_REFERENCE = re.compile(r"@([A-Za-z_]\w*(?:(?:#|::)\w+)*)")
_SPECIAL = ("_desc_", "_requires_", "_disabled_", "_mode_", "_target_")

_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
    ast.Not: operator.not_,
}


class ForeignConfig:
    """One configuration file.

    Args:
        path: a ``.json``, or ``.yaml``/``.yml`` where PyYAML is installed.

    Raises:
        ModelPackageError: it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._document = read_document(path)
        self._left = _MAX_VALUES

    def __contains__(self, name: str) -> bool:
        return name in self._document

    def raw(self, name: str) -> Any:
        """What the file says under ``name``, unresolved; ``None`` when nothing."""
        return self._document.get(name)

    def target(self, component: Any) -> str:
        """The last part of a component's ``_target_`` ("UNet" of "monai.networks.nets.UNet"), or ""."""
        target = component.get("_target_") if isinstance(component, dict) else None
        return target.rsplit(".", 1)[-1] if isinstance(target, str) else ""

    def arguments(self, component: dict[str, Any]) -> dict[str, Any]:
        """All arguments of a component as plain values.

        Raises:
            ModelPackageError: one of them is neither literal nor arithmetic.
        """
        if component.get("_mode_", "default") != "default":
            raise self._refused(f"{component.get('_target_')} with _mode_ {component['_mode_']!r}")
        return {key: self.value(item) for key, item in component.items() if key not in _SPECIAL}

    def argument(self, component: dict[str, Any], name: str, default: Any = None) -> Any:
        """One argument; the others are not looked at."""
        return self.value(component[name]) if name in component else default

    def value(self, item: Any, depth: int = 0) -> Any:
        """A plain value: literals as they are, references and arithmetic worked out.

        Raises:
            ModelPackageError: anything that would have to be run, or goes round in circles.
        """
        self._left -= 1
        if depth > _MAX_DEPTH or self._left < 0:
            raise ModelPackageError(f"{self.path} refers to itself without end: do not use this bundle.")
        if isinstance(item, dict):
            if "_target_" in item:
                raise self._refused(f"a call of {item['_target_']!r} as a value")
            return {key: self.value(part, depth + 1) for key, part in item.items()}
        if isinstance(item, list):
            return [self.value(part, depth + 1) for part in item]
        if not isinstance(item, str):
            return item
        if item.startswith("%"):
            raise self._refused(f"the reference {item!r} to another file")
        if item.startswith("$"):
            return self._expression(item[1:].strip(), depth)
        if item.startswith("@"):
            if _REFERENCE.fullmatch(item) is None:
                raise self._refused(f"the reference {item!r}")
            return self._referred(item[1:], depth)
        return item

    def _referred(self, name: str, depth: int) -> Any:
        found: Any = self._document
        for part in re.split(r"#|::", name):
            try:
                found = found[int(part)] if isinstance(found, list) else found[part]
            except (KeyError, IndexError, ValueError, TypeError):
                raise ModelPackageError(
                    f"{self.path} refers to {name!r}, which is not in it: this bundle cannot be used."
                ) from None
        return self.value(found, depth + 1)

    def _expression(self, text: str, depth: int) -> Any:
        names: dict[str, str] = {}

        def stand_in(match: re.Match[str]) -> str:
            names[f"_reference_{len(names)}"] = match.group(1)
            return f"_reference_{len(names) - 1}"

        if len(text) > _MAX_LENGTH:
            raise self._refused("a very long expression")
        try:
            tree = ast.parse(_REFERENCE.sub(stand_in, text), mode="eval")
            return self._evaluate(tree.body, names, depth)
        except (
            SyntaxError,
            ValueError,
            TypeError,
            ArithmeticError,
            LookupError,
            RecursionError,
            MemoryError,
        ):
            raise self._refused(f"the expression {'$' + text!r}") from None

    def _evaluate(self, node: ast.expr, names: dict[str, str], depth: int) -> Any:
        """Literals, arithmetic, choices and indexing; ``ValueError`` on anything else."""

        def go(part: ast.expr) -> Any:
            return self._evaluate(part, names, depth)

        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.List | ast.Tuple):
            return [go(part) for part in node.elts]
        if isinstance(node, ast.Name) and node.id in names:
            return self._referred(names[node.id], depth)
        if isinstance(node, ast.UnaryOp) and type(node.op) in _UNARY:
            return _UNARY[type(node.op)](go(node.operand))
        if isinstance(node, ast.BinOp):
            return _calculate(node.op, go(node.left), go(node.right))
        if isinstance(node, ast.IfExp):
            return go(node.body) if go(node.test) else go(node.orelse)
        if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
            return go(node.value)[node.slice.value]
        raise ValueError(ast.dump(node)[:80])

    def _refused(self, what: str) -> ModelPackageError:
        return ModelPackageError(
            f"{self.path} contains {what}, which is code and is not run here: replace it by plain values in a copy "
            "of the bundle."
        )


def read_document(path: Path) -> dict[str, Any]:
    """A JSON or YAML file whose top is a mapping.

    Raises:
        ModelPackageError: it cannot be read, or holds something else.
    """
    text = read_text(path)
    try:
        document = json.loads(text) if path.suffix.lower() == ".json" else _load_yaml(path, text)
    except (ValueError, RecursionError) as error:
        raise ModelPackageError(f"{path} cannot be parsed ({error}): fetch the bundle again.") from error
    if not isinstance(document, dict):
        raise ModelPackageError(f"{path} is not a bundle configuration: its top level is no mapping.")
    return document


def _load_yaml(path: Path, text: str) -> Any:
    try:
        yaml = import_module("yaml")
    except ImportError as error:
        raise ModelPackageError(f"{path} is YAML: install pyyaml, or convert it to JSON.") from error
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error).split("\n")[0]) from error


def _calculate(op: ast.operator, left: Any, right: Any) -> Any:
    """Arithmetic that can neither take for ever nor fill the memory."""
    if type(op) not in _BINARY or any(not isinstance(v, int | float | list | str) for v in (left, right)):
        raise ValueError("not arithmetic")
    if isinstance(left, str) or isinstance(right, str):
        if not isinstance(op, ast.Add) or len(left) + len(right) > _MAX_LENGTH:
            raise ValueError("not arithmetic")
    elif isinstance(left, list) or isinstance(right, list):
        lists = [v for v in (left, right) if isinstance(v, list)]
        times = 1 if len(lists) == 2 else next(v for v in (left, right) if not isinstance(v, list))
        if sum(map(len, lists)) * times > _MAX_LENGTH:
            raise ValueError("too long")
    elif abs(left) > _MAX_NUMBER or abs(right) > _MAX_NUMBER:
        raise ValueError("too large")
    return _BINARY[type(op)](left, right)
