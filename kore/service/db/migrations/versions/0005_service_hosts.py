"""Hosts of a platform's services, besides those of its issuer and token URL."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the tables to this version."""
    op.add_column(
        "platforms", sa.Column("service_hosts", sa.Text(), nullable=False, server_default="")
    )
