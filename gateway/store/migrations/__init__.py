"""Brings the tables up to date; each version is a module in `versions`.

A version only adds, so that processes of the version before go on working while newer ones
start (a rolling upgrade). One that does more raises `oldest` in the table `compatibility`.
"""

from contextlib import closing
from functools import cache
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from gateway.errors import Misconfigured
from gateway.store.engine import Engine
from gateway.store.faults import code_of, ours
from gateway.store.tables import compatibility


def upgrade(engine: Engine) -> None:
    """Make or alter the tables, in one transaction, one process at a time.

    A database of a newer program is left as it is when it says that this one may work on it.
    Raises Misconfigured `store.version` when it does not, `store.path` when the file is no
    database, StoreUnavailable when the database can not be used now.
    """
    script = _versions()
    try:
        with closing(engine.writer()) as connection:
            engine.begin(connection)
            engine.alone(connection)
            if _older(connection, script):
                config = _config()
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
                connection.execute(sa.update(compatibility).values(version=_head(script)))
            engine.commit(connection)
    except sa.exc.SQLAlchemyError as error:
        if code_of(error) == "store.damaged":
            raise Misconfigured("store.path", "the file is not a usable database") from error
        raise ours(error) from error


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return config


@cache
def _versions() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _head(script: ScriptDirectory) -> int:
    return int(script.get_current_head() or 0)


def _older(connection: sa.Connection, script: ScriptDirectory) -> bool:
    """Tell whether the tables must be altered; raise when this program may not use them."""
    current = MigrationContext.configure(connection).get_current_revision()
    if current is None or current in {revision.revision for revision in script.walk_revisions()}:
        return current != script.get_current_head()
    if _oldest(connection) > _head(script):
        raise Misconfigured("store.version", "the database is of a newer program")
    return False


def _oldest(connection: sa.Connection) -> int:
    return int(connection.execute(sa.select(compatibility.c.oldest)).scalar_one())
