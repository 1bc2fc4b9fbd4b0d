"""Idempotency keys, which may name a patient, are kept as a hash of caller and key."""

import hashlib

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    for name in ("assessments", "batches"):
        table = sa.table(name, sa.column("id", sa.Uuid()), sa.column("created_by"), sa.column("idempotency_key"))
        query = sa.select(table).where(table.c.idempotency_key.is_not(None))
        for row in connection.execute(query).all():
            hashed = hashlib.sha256(f"{row.created_by}\n{row.idempotency_key}".encode()).hexdigest()
            connection.execute(table.update().where(table.c.id == row.id).values(idempotency_key=hashed))


def downgrade() -> None:
    """A hash does not become a key again: a request that is repeated across the two versions is a new one."""
