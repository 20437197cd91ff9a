"""Many texts in one bind: a JSON array that the engine takes apart, so that a statement has one form only.

An `IN` with one bind for each value would be another statement, compiled and planned anew, for each number of
values.
"""

from collections.abc import Iterable
from typing import Any

import orjson
from sqlalchemy import JSON, BindParameter, ColumnElement, Text, cast, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction


class JSONTexts(GenericFunction[str]):
    """The texts of a JSON array as rows with the one column `value`."""

    name = "json_each"
    inherit_cache = True


@compiles(JSONTexts, "postgresql")
def _on_postgresql(element: JSONTexts, compiler: SQLCompiler, **context: Any) -> str:
    (array,) = element.clauses
    return f"json_array_elements_text({compiler.process(cast(array, JSON), **context)})"


def one_of(column: ColumnElement[str], texts: BindParameter[Any]) -> ColumnElement[bool]:
    """Return the condition that a column holds one of the texts in a bind, as `text_list` makes it."""
    each = JSONTexts(cast(texts, Text)).table_valued("value")
    return column.in_(select(each.c.value))


def text_list(texts: Iterable[str]) -> str:
    """Return texts as the value of such a bind."""
    return orjson.dumps(list(texts)).decode()
