"""Statements that are compiled once and run on the driver's own cursor.

SQLAlchemy still says what a statement is, for both databases; only its work per execution is
left out, which costs more than the statement itself.
"""

from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import Dialect

Params = Mapping[str, Any]
Process = Callable[[Any], Any]
Statement = sa.Select[Any] | sa.Update | sa.Delete | sa.Insert


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A statement for one dialect."""

    sql: str
    fixed: Mapping[str, Any]
    """Values that stand in the statement itself, in the driver's form."""
    binds: tuple[tuple[str, Process], ...]
    """Parameters that the driver does not take as they are."""
    row: Callable[..., Any] | None
    columns: tuple[tuple[int, Process], ...]
    """Columns that the driver does not give as we want them."""


class Rows:
    """What a statement found, read to the end."""

    __slots__ = ("_rows",)

    def __init__(self, rows: Sequence[Any]) -> None:
        """Take the rows."""
        self._rows = rows

    def all(self) -> Sequence[Any]:
        return self._rows

    def first(self) -> Any:
        """Return the first row, or None."""
        return self._rows[0] if self._rows else None

    def one(self) -> Any:
        """Return the only row; raise ValueError when there is not one."""
        (row,) = self._rows
        return row

    def scalar(self) -> Any:
        """Return the first column of the first row, or None."""
        return self._rows[0][0] if self._rows else None

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)


class Prepared:
    """One statement. Parameters are given by name, each time all of them."""

    def __init__(self, statement: Statement, *, columns: Sequence[str] | None = None) -> None:
        """Compile when it first runs; `columns` are those that an INSERT gives values for."""
        self.statement = statement
        self._columns = columns
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, connection: sa.Connection, params: Params | None = None) -> Rows:
        """Return what it finds. Raises as SQLAlchemy would."""
        compiled = self._for(connection.dialect)
        cursor = self._run(connection, compiled, params)
        try:
            found = cursor.fetchall()
        except Exception as error:
            raise _told(connection, compiled.sql, error) from error
        finally:
            cursor.close()
        return Rows([compiled_row(compiled, row) for row in found])

    def change(self, connection: sa.Connection, params: Params | None = None) -> int:
        """Return how many rows it changed."""
        cursor = self._run(connection, self._for(connection.dialect), params)
        count: int = cursor.rowcount
        cursor.close()
        return count

    def change_each(self, connection: sa.Connection, params: Sequence[Params]) -> int:
        """Run it for each; return how many rows changed in all.

        Raises ValueError for one with other names than the first: a driver ignores what a
        statement does not ask for, and a value would be lost.
        """
        compiled = self._for(connection.dialect)
        if any(row.keys() != params[0].keys() for row in params):
            raise ValueError("rows of one statement have different columns")
        cursor = _driver(connection).cursor()
        try:
            cursor.executemany(compiled.sql, [_values(compiled, p) for p in params])
            count: int = cursor.rowcount
        except Exception as error:
            raise _told(connection, compiled.sql, error) from error
        finally:
            cursor.close()
        return count

    def _run(self, connection: sa.Connection, compiled: _Compiled, params: Params | None) -> Any:
        cursor = _driver(connection).cursor()
        try:
            cursor.execute(compiled.sql, _values(compiled, params or {}))
        except Exception as error:
            cursor.close()
            raise _told(connection, compiled.sql, error) from error
        return cursor

    def _for(self, dialect: Dialect) -> _Compiled:
        found = self._compiled.get(dialect.name)
        if found is None:
            found = self._compiled[dialect.name] = _compile(self.statement, dialect, self._columns)
        return found


def compiled_row(compiled: _Compiled, row: Sequence[Any]) -> Any:
    """Return a row with its columns by name."""
    if compiled.row is None:
        return row
    values = list(row)
    for n, process in compiled.columns:
        values[n] = process(values[n])
    return compiled.row(*values)


def _values(compiled: _Compiled, params: Params) -> dict[str, Any]:
    values = {**compiled.fixed, **params}
    for name, process in compiled.binds:
        values[name] = process(values[name])
    return values


def _compile(statement: Statement, dialect: Dialect, given: Sequence[str] | None) -> _Compiled:
    # SQLite's default is by position; both drivers take parameters by name.
    kind: Any = type(dialect)
    named = kind(paramstyle="named") if dialect.name == "sqlite" else dialect
    compiled: Any = statement.compile(dialect=named, column_keys=given)
    fixed: dict[str, Any] = {}
    binds: dict[str, Process] = {}  # one that stands in two places is one parameter
    for bind, name in compiled.bind_names.items():
        process = bind.type.dialect_impl(dialect).bind_processor(dialect)
        if not bind.required:
            fixed[name] = bind.value if process is None else process(bind.value)
        elif process is not None:
            binds[name] = process
    row, columns = _shape(statement, dialect)
    return _Compiled(
        sql=str(compiled), fixed=fixed, binds=tuple(binds.items()), row=row, columns=columns
    )


def _shape(
    statement: Statement, dialect: Dialect
) -> tuple[Callable[..., Any] | None, tuple[tuple[int, Process], ...]]:
    if not isinstance(statement, sa.Select):
        return None, ()
    names, columns = [], []
    for n, column in enumerate(statement.selected_columns):
        names.append(column.key if column.key and column.key.isidentifier() else f"_{n}")
        process = column.type.dialect_impl(dialect).result_processor(dialect, None)
        if process is not None:
            columns.append((n, process))
    # The names are only known here, so there is no class to write out.
    return namedtuple("Row", names, rename=True), tuple(columns)  # noqa: PYI024


def _driver(connection: sa.Connection) -> Any:
    return connection.connection.dbapi_connection


def _told(connection: sa.Connection, sql: str, error: Exception) -> Exception:
    """Return the error as SQLAlchemy would raise it, without the parameters."""
    dialect = connection.dialect
    base = dialect.loaded_dbapi.Error
    if not isinstance(error, base):
        return error
    return sa.exc.DBAPIError.instance(sql, None, error, base, hide_parameters=True, dialect=dialect)
