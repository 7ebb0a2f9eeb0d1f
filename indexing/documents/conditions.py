"""Conditions on a document's metadata, written as in Python: ``year >= 2020 and kind == "10-K"``.

Only comparisons, ``and``, ``or``, ``not`` and ``in`` mean something in them, and nothing in them is ever run.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pagesight.indexing.documents.metadata import Value
from pagesight.indexing.errors import BadCondition
from pagesight.indexing.pages import IS_OF_KIND

Holds = Callable[[Mapping[str, Value]], bool]

#: How the keys begin that speak of single pages: ``page_chart`` is how much a page is a chart's, 0-1.
OF_PAGES = "page_"


@dataclass(frozen=True)
class Condition:
    """What metadata has to meet, as it was written, and the ``keys`` that it speaks of."""

    holds: Holds = field(compare=False)
    keys: frozenset[str]
    expression: str

    @property
    def of_pages(self) -> bool:
        """Whether it speaks of single pages, too."""
        return any(key.startswith(OF_PAGES) for key in self.keys)

    def __call__(self, metadata: Mapping[str, Value]) -> bool:
        """Whether a document's metadata meets it."""
        return self.holds(metadata)

    def on_page(self, metadata: Mapping[str, Value], kinds: Mapping[str, float] | None) -> bool:
        """Whether a page of these kinds, of a document with this metadata, meets it."""
        return self.holds({**metadata, **{f"{OF_PAGES}{kind}": score for kind, score in (kinds or {}).items()}})


_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}
_MISSING = object()


def read_condition(expression: str) -> Condition:
    """The condition on a document's metadata; a key that the document lacks meets no comparison.

    Keys such as ``page_chart`` speak of single pages: how much each is of that kind, from 0 to 1; alone, without a
    comparison, that it is at least 0.5.

    Raises BadCondition for what is no condition, naming the part that is at fault.
    """
    try:
        tree = ast.parse(expression.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError):
        raise _bad(expression, "it cannot be read") from None
    keys = frozenset(node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
    return Condition(_condition(tree, expression), keys, expression)


def _condition(node: ast.expr, expression: str) -> Holds:
    match node:
        case ast.BoolOp(op=op, values=values):
            parts = [_condition(value, expression) for value in values]
            combine = all if isinstance(op, ast.And) else any
            return lambda metadata: combine(part(metadata) for part in parts)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            part = _condition(operand, expression)
            return lambda metadata: not part(metadata)
        case ast.Compare(left=left, ops=ops, comparators=others):
            return _comparison([_operand(one, expression) for one in (left, *others)], ops, expression)
        case ast.Name(id=key):
            if key.startswith(OF_PAGES):
                return lambda metadata: float(metadata.get(key, 0)) >= IS_OF_KIND
            return lambda metadata: bool(metadata.get(key, False))
    raise _bad(expression, f"`{ast.unparse(node)}` is no comparison")


def _comparison(operands: list[Callable[[Mapping[str, Value]], Any]], ops: list[ast.cmpop], expression: str) -> Holds:
    unknown = [op for op in ops if type(op) not in _COMPARISONS]
    if unknown:
        raise _bad(expression, "`is` compares nothing here; write == or !=")

    def holds(metadata: Mapping[str, Value]) -> bool:
        values = [operand(metadata) for operand in operands]
        if any(value is _MISSING for value in values):
            return False
        try:
            pairs = zip(ops, values, values[1:], strict=False)
            return all(_COMPARISONS[type(op)](left, right) for op, left, right in pairs)
        except TypeError:  # a text compared with a number
            return False

    return holds


def _operand(node: ast.expr, expression: str) -> Callable[[Mapping[str, Value]], Any]:
    match node:
        case ast.Name(id=key):
            return lambda metadata: metadata.get(key, _MISSING)
        case ast.Constant() | ast.List() | ast.Tuple() | ast.UnaryOp(op=ast.USub()):
            try:
                value = ast.literal_eval(node)
            except ValueError:
                raise _bad(expression, f"`{ast.unparse(node)}` is no value") from None
            return lambda metadata: value
    raise _bad(expression, f"`{ast.unparse(node)}` is neither a key nor a value")


def _bad(expression: str, fault: str) -> BadCondition:
    return BadCondition(
        f"the condition {expression!r} cannot be used: {fault}. Write it as in Python, with the keys of the metadata, "
        "such as 'year >= 2020 and kind == \"10-K\"'."
    )
