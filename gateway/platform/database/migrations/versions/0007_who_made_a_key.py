"""Whom a key hangs on: who made it, or gave it its last secret. Older keys get it from the audit trail."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

MAKERS = """
UPDATE api_keys SET parent = (
    SELECT audit.actor FROM audit
    WHERE audit.subject = 'key:' || api_keys.id AND audit.action = 'key made' AND audit.outcome = 'done'
    ORDER BY audit.sequence LIMIT 1)
"""


def upgrade() -> None:
    with op.batch_alter_table("api_keys") as table:
        table.add_column(sa.Column("parent", sa.String(100), nullable=True))
        table.add_column(sa.Column("previous_parent", sa.String(100), nullable=True))
    op.execute(MAKERS)
    op.create_index("ix_api_keys_parent", "api_keys", ["parent"])


def downgrade() -> None:
    op.drop_index("ix_api_keys_parent", "api_keys")
    with op.batch_alter_table("api_keys") as table:
        table.drop_column("previous_parent")
        table.drop_column("parent")
