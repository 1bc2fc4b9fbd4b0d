"""Where a late order finds its films, emergencies of films that name nobody, and storage commitment.

Films that were assessed before have no hash, so that an order which comes after the upgrade is not joined to them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

INDEX = "ix_assessments_organisation_id_accession_hash"
ORDERED = "assessment.ordered"
DESTINATIONS = sa.table(
    "destinations", sa.column("id", sa.Uuid()), sa.column("kind", sa.String()), sa.column("events", sa.JSON())
)
ALERTS = sa.table("alerts", sa.column("patient_id", sa.Uuid()))


def upgrade() -> None:
    with op.batch_alter_table("assessments") as table:
        table.add_column(sa.Column("accession_hash", sa.LargeBinary(length=32), nullable=True))
        table.create_index(INDEX, ["organisation_id", "accession_hash"])
    with op.batch_alter_table("deliveries") as table:
        table.add_column(sa.Column("commitment_uid", sa.String(length=64), nullable=True))
        table.create_index(op.f("ix_deliveries_commitment_uid"), ["commitment_uid"])
    with op.batch_alter_table("alerts") as table:
        table.alter_column("patient_id", existing_type=sa.Uuid(), nullable=True)
    # Order systems that hear of every result hear of its order, too.
    for identity, events in _of_order_systems():
        if "assessment.completed" in events:
            _tell(identity, [*events, ORDERED])


def downgrade() -> None:
    op.execute("UPDATE deliveries SET state = 'waiting' WHERE state = 'committing'")
    with op.batch_alter_table("deliveries") as table:
        table.drop_index(op.f("ix_deliveries_commitment_uid"))
        table.drop_column("commitment_uid")
    for identity, events in _of_order_systems():
        _tell(identity, [event for event in events if event != ORDERED])
    op.execute(ALERTS.delete().where(ALERTS.c.patient_id.is_(None)))
    with op.batch_alter_table("alerts") as table:
        table.alter_column("patient_id", existing_type=sa.Uuid(), nullable=False)
    with op.batch_alter_table("assessments") as table:
        table.drop_index(INDEX)
        table.drop_column("accession_hash")


def _of_order_systems() -> list[tuple[object, list[str]]]:
    query = sa.select(DESTINATIONS.c.id, DESTINATIONS.c.events).where(DESTINATIONS.c.kind == "hl7")
    return [(row.id, row.events) for row in op.get_bind().execute(query)]


def _tell(identity: object, events: list[str]) -> None:
    op.execute(DESTINATIONS.update().where(DESTINATIONS.c.id == identity).values(events=events))
