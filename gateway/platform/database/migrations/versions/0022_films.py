"""Films that came in by themselves, how far sources that are asked were read, and what was turned away at the door."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "films",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("source", sa.String(length=100), nullable=False),
        sa.Column("uid_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("pixels_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("encoding", sa.String(length=64), nullable=False),
        sa.Column("patient_hash", sa.LargeBinary(length=32), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=60), nullable=True),
        sa.Column("last_error", sa.String(length=300), nullable=True),
        sa.Column("header", sa.LargeBinary(), nullable=True),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("assessment_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_films_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(
            ["assessment_id"],
            ["assessments.id"],
            name=op.f("fk_films_assessment_id_assessments"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_films")),
        sa.UniqueConstraint(
            "organisation_id", "uid_hash", "pixels_hash", name=op.f("uq_films_organisation_id_uid_hash_pixels_hash")
        ),
    )
    op.create_index("ix_films_state_priority_id", "films", ["state", "priority", "id"])
    op.create_index(op.f("ix_films_patient_hash"), "films", ["patient_hash"])
    op.create_index(op.f("ix_films_assessment_id"), "films", ["assessment_id"])
    op.create_table(
        "film_sources",
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("cursor", sa.String(length=100), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_film_sources_organisation_id_organisations")
        ),
        sa.PrimaryKeyConstraint("organisation_id", "name", name=op.f("pk_film_sources")),
    )
    op.create_table(
        "films_turned_away",
        sa.Column("reason", sa.String(length=60), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("reason", name=op.f("pk_films_turned_away")),
    )


def downgrade() -> None:
    for table in ("films_turned_away", "film_sources", "films"):
        op.drop_table(table)
