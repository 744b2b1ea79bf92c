"""What all tables are made with: the metadata that collects them."""

from __future__ import annotations

from sqlalchemy import MetaData

# Constraints have names, so that a later migration can change them: Alembic's batch mode finds them by name alone.
metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)
