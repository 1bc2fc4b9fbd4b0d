"""One name for each thing: `patient_number` is the hospital's, `patient_id` is ours, `created_by` who asked for it."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("patients") as table:
        table.drop_constraint("uq_patients_organisation_id_reference", type_="unique")
        table.alter_column("reference", new_column_name="patient_number", existing_type=sa.String(64))
    with op.batch_alter_table("patients") as table:
        table.create_unique_constraint(
            "uq_patients_organisation_id_patient_number", ["organisation_id", "patient_number"]
        )
    _assessments("patient", "patient_id", "caller", "created_by")
    _batches("caller", "created_by")
    for name in ("batch_cases", "measurements", "alerts"):
        _patient_column(name, "patient", "patient_id")
    op.drop_index("ix_pictures_expires_at", "pictures")
    op.rename_table("pictures", "renderings")
    op.create_index("ix_renderings_expires_at", "renderings", ["expires_at"])


def downgrade() -> None:
    op.drop_index("ix_renderings_expires_at", "renderings")
    op.rename_table("renderings", "pictures")
    op.create_index("ix_pictures_expires_at", "pictures", ["expires_at"])
    for name in ("batch_cases", "measurements", "alerts"):
        _patient_column(name, "patient_id", "patient")
    _batches("created_by", "caller")
    _assessments("patient_id", "patient", "created_by", "caller")
    with op.batch_alter_table("patients") as table:
        table.drop_constraint("uq_patients_organisation_id_patient_number", type_="unique")
        table.alter_column("patient_number", new_column_name="reference", existing_type=sa.String(64))
    with op.batch_alter_table("patients") as table:
        table.create_unique_constraint("uq_patients_organisation_id_reference", ["organisation_id", "reference"])


def _assessments(patient: str, new_patient: str, creator: str, new_creator: str) -> None:
    with op.batch_alter_table("assessments") as table:
        table.drop_index("ix_assessments_organisation_id_patient_id")
        table.drop_constraint(f"uq_assessments_{creator}_idempotency_key", type_="unique")
        table.drop_constraint(f"fk_assessments_{patient}_patients", type_="foreignkey")
        table.alter_column(patient, new_column_name=new_patient, existing_type=sa.Uuid())
        table.alter_column(creator, new_column_name=new_creator, existing_type=sa.String(100))
    with op.batch_alter_table("assessments") as table:
        table.create_foreign_key(f"fk_assessments_{new_patient}_patients", "patients", [new_patient], ["id"])
        table.create_unique_constraint(
            f"uq_assessments_{new_creator}_idempotency_key", [new_creator, "idempotency_key"]
        )
        table.create_index("ix_assessments_organisation_id_patient_id", ["organisation_id", new_patient, "id"])


def _batches(creator: str, new_creator: str) -> None:
    with op.batch_alter_table("batches") as table:
        table.drop_constraint(f"uq_batches_{creator}_idempotency_key", type_="unique")
        table.alter_column(creator, new_column_name=new_creator, existing_type=sa.String(100))
    with op.batch_alter_table("batches") as table:
        table.create_unique_constraint(f"uq_batches_{new_creator}_idempotency_key", [new_creator, "idempotency_key"])


def _patient_column(name: str, old: str, new: str) -> None:
    with op.batch_alter_table(name) as table:
        table.drop_index(f"ix_{name}_{old}")
        table.drop_constraint(f"fk_{name}_{old}_patients", type_="foreignkey")
        table.alter_column(old, new_column_name=new, existing_type=sa.Uuid())
    with op.batch_alter_table(name) as table:
        table.create_foreign_key(f"fk_{name}_{new}_patients", "patients", [new], ["id"])
        table.create_index(f"ix_{name}_{new}", [new])
