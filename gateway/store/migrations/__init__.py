"""Brings the tables up to date; each version is a module in `versions`."""

from contextlib import closing
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util import CommandError

from gateway.errors import Misconfigured
from gateway.store.writer import Database


def upgrade(database: Database) -> None:
    """Make or alter the tables, in one transaction.

    Raises Misconfigured `store.version` when the database was made by a newer program.
    """
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    try:
        with closing(database.writer()) as connection:
            database.begin(connection)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            database.commit(connection)
    except CommandError as error:
        raise Misconfigured("store.version", "the database is of a newer program") from error
    except sa.exc.DatabaseError as error:
        raise Misconfigured("store.path", "the file is not a usable database") from error
