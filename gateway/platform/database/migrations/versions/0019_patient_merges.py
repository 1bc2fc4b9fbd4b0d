"""Two numbers of one patient: merged by a person, and taken apart again."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    with op.batch_alter_table("patients") as table:
        table.add_column(sa.Column("merged_into", sa.Uuid(), nullable=True))
        table.create_foreign_key(op.f("fk_patients_merged_into_patients"), "patients", ["merged_into"], ["id"])
    op.create_index("ix_patients_merged_into", "patients", ["merged_into"])
    op.create_table(
        "patient_merges",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("surviving_id", sa.Uuid(), nullable=False),
        sa.Column("retired_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(length=10), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("proposed_at", MOMENT, nullable=False),
        sa.Column("proposed_by", sa.String(length=100), nullable=False),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("decided_by", sa.String(length=100), nullable=True),
        sa.Column("undone_at", MOMENT, nullable=True),
        sa.Column("undone_by", sa.String(length=100), nullable=True),
        sa.Column("moved", sa.JSON(), nullable=False),
        sa.Column("repointed", sa.JSON(), nullable=False),
        *(
            sa.ForeignKeyConstraint([f"{column}_id"], [f"{table}.id"], name=f"fk_patient_merges_{column}_id_{table}")
            for column, table in (("organisation", "organisations"), ("surviving", "patients"), ("retired", "patients"))
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patient_merges")),
    )
    op.create_index("ix_patient_merges_surviving_id", "patient_merges", ["surviving_id"])
    op.create_index("ix_patient_merges_retired_id", "patient_merges", ["retired_id"])
    op.create_index(
        "ix_patient_merges_organisation_id_status_id", "patient_merges", ["organisation_id", "status", "id"]
    )


def downgrade() -> None:
    # What was merged stays with the surviving patient: the version before finds it there, under that number alone.
    op.drop_table("patient_merges")
    op.drop_index("ix_patients_merged_into", "patients")
    with op.batch_alter_table("patients") as table:
        table.drop_constraint(op.f("fk_patients_merged_into_patients"), type_="foreignkey")
        table.drop_column("merged_into")
