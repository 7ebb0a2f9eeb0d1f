"""A condition on metadata as one of Milvus, so that a server looks through its rows and not the reader.

What Milvus lets through has all that meets the condition, and may have more: of truth values, of numbers in texts or
of a missing key it thinks otherwise than Python. Who asks looks at what comes back.
"""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Callable, Sequence
from typing import Any

from pagesight.indexing.documents.conditions import OF_PAGES
from pagesight.indexing.pages import IS_OF_KIND

_ORDER: dict[type[ast.cmpop], tuple[str, Callable[[Any, Any], bool]]] = {
    ast.Eq: ("==", lambda left, right: left == right),
    ast.Lt: ("<", lambda left, right: left < right),
    ast.LtE: ("<=", lambda left, right: left <= right),
    ast.Gt: (">", lambda left, right: left > right),
    ast.GtE: (">=", lambda left, right: left >= right),
}
_KEY = re.compile("[A-Za-z_][A-Za-z0-9_]*")
_TEXT = re.compile(r"[ !#-\[\]-~]*")  # no quotes, no backslashes, nothing beyond ASCII
_MOST_VALUES = 256  # of one `in`; a guess, not measured
_EXACT = 2**53  # up to here an integer is the same as a double


def wider_filter(expression: str) -> str:
    """What Milvus is asked for in place of a condition that can be read; empty where all pages may meet it."""
    return _wider(ast.parse(expression.strip(), mode="eval").body)


def _wider(node: ast.expr) -> str:
    match node:
        case ast.BoolOp(op=ast.And(), values=values):
            return _joined("and", [part for part in map(_wider, values) if part])
        case ast.BoolOp(values=values):
            parts = [_wider(value) for value in values]
            return _joined("or", parts) if all(parts) else ""
        case ast.Name(id=key) if key.startswith(OF_PAGES):
            return _of_key(key, ast.GtE(), [IS_OF_KIND])
        case ast.Compare(
            left=ast.Name(id=key), ops=[ast.In()], comparators=[ast.List(elts=values) | ast.Tuple(elts=values)]
        ):
            return _of_key(key, ast.Eq(), list(map(_value, values)))
        case ast.Compare(left=ast.Name(id=key), ops=[op], comparators=[other]):
            return _of_key(key, op, [_value(other)])
    return ""


def _of_key(key: str, op: ast.cmpop, values: Sequence[Any]) -> str:
    """That a key of a document, or of a page, has with one of the values what the operator says."""
    sayable = all(map(_is_sayable, values)) and 0 < len(values) <= _MOST_VALUES
    if type(op) not in _ORDER or not sayable or not _KEY.fullmatch(key):
        return ""
    if not key.startswith(OF_PAGES):
        return _joined("or", [one for value in values for one in _compared(f'metadata["{key}"]', op, value)])
    kind = f'kinds["{key.removeprefix(OF_PAGES)}"]'
    # Where a page is not told to be of the kind, metadata of this name counts.
    parts = [one for value in values for one in _compared(kind, op, value)]
    return _joined("or", [*parts, f'exists metadata["{key}"]'])


def _compared(field: str, op: ast.cmpop, value: Any) -> list[str]:
    """The comparisons of which one holds where the condition holds; in Python true is 1."""
    sign, holds = _ORDER[type(op)]
    if isinstance(value, str):
        return [f"{field} {sign} {json.dumps(value)}"]
    truths = [f"{field} == {str(truth).lower()}" for truth in (False, True) if holds(truth, value)]
    return [f"{field} {sign} {json.dumps(float(value) if isinstance(value, float) else int(value))}", *truths]


def _is_sayable(value: Any) -> bool:
    if isinstance(value, str):
        return _TEXT.fullmatch(value) is not None
    return isinstance(value, (bool, int, float)) and math.isfinite(value) and abs(value) < _EXACT


def _value(node: ast.expr) -> Any:
    """The constant; None for what is none."""
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def _joined(word: str, parts: Sequence[str]) -> str:
    return f"({f' {word} '.join(parts)})" if len(parts) > 1 else "".join(parts)
