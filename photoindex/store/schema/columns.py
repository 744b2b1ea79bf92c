"""The SQLAlchemy metadata that all tables share."""

from __future__ import annotations

from sqlalchemy import MetaData

# Constraints are named so that later migrations can change them: Alembic's batch mode finds them only by name.
metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)
