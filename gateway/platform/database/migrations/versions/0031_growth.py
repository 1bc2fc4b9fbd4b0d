"""Indexes by which lists stay quick as they grow: of a patient, of an organisation, in the work list's order."""

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

OVER = -1
ADDED = (
    ("ix_assessments_patient_id_id", "assessments", ["patient_id", "id"]),
    ("ix_assessments_organisation_id_id", "assessments", ["organisation_id", "id"]),
    ("ix_assessments_organisation_id_rank_id", "assessments", ["organisation_id", "rank", "id"]),
    ("ix_patients_organisation_id_id", "patients", ["organisation_id", "id"]),
)
ASSESSMENTS = sa.table(
    "assessments", sa.column("id", sa.Uuid()), sa.column("urgency", sa.Integer()), sa.column("rank", sa.Integer()),
    sa.column("case_status", sa.String()),
)  # fmt: skip
REVIEWS = sa.table("assessment_reviews", sa.column("assessment_id", sa.Uuid()), sa.column("action", sa.String()))


def upgrade() -> None:
    op.add_column("assessments", sa.Column("rank", sa.Integer(), nullable=False, server_default="0"))
    withdrawn = sa.exists().where(REVIEWS.c.assessment_id == ASSESSMENTS.c.id, REVIEWS.c.action == "withdrawn")
    over = sa.or_(ASSESSMENTS.c.case_status == "closed", withdrawn)
    op.execute(ASSESSMENTS.update().values(rank=sa.case((over, OVER), else_=ASSESSMENTS.c.urgency)))
    for name, table, columns in ADDED:
        op.create_index(name, table, columns)


def downgrade() -> None:
    for name, table, _ in ADDED:
        op.drop_index(name, table)
    op.drop_column("assessments", "rank")
