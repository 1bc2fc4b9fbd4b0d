"""Who is looking at an emergency, and since when a second alarm is out."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

ADDED = ("acknowledged_at", "acknowledged_by", "escalated_at")
ALERTS = sa.table(
    "alerts", sa.column("kind", sa.String()), sa.column("created_at"), sa.column("escalated_at")
)  # fmt: skip


def upgrade() -> None:
    with op.batch_alter_table("alerts") as table:
        table.add_column(sa.Column("acknowledged_at", sa.DateTime(timezone=True), nullable=True))
        table.add_column(sa.Column("acknowledged_by", sa.String(100), nullable=True))
        table.add_column(sa.Column("escalated_at", sa.DateTime(timezone=True), nullable=True))
    # Nobody is called at night for what was there before anybody could say that they are looking at it.
    op.execute(ALERTS.update().where(ALERTS.c.kind == "urgent").values(escalated_at=ALERTS.c.created_at))


def downgrade() -> None:
    with op.batch_alter_table("alerts") as table:
        for name in ADDED:
            table.drop_column(name)
