"""Alembic's entry: runs the migrations on the connection of ``db.engine``."""

from alembic import context

from kore.service.db import exchange_models, models  # noqa: F401  (they define the tables)
from kore.service.db.base import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
