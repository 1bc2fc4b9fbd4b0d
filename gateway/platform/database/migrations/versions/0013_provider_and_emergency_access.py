"""Accounts of the hospital's sign-in provider; restricted patients and emergency access to them."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    with op.batch_alter_table("accounts") as table:
        table.add_column(sa.Column("issuer", sa.String(length=255), nullable=True))
        table.add_column(sa.Column("subject", sa.String(length=255), nullable=True))
        table.add_column(sa.Column("confirmed_at", MOMENT, nullable=True))
        table.add_column(sa.Column("link_until", MOMENT, nullable=True))
        table.create_unique_constraint(op.f("uq_accounts_issuer_subject"), ["issuer", "subject"])
    op.add_column("sign_ins", sa.Column("provider_session", sa.String(length=255), nullable=True))
    op.add_column("sign_ins", sa.Column("provider_token", sa.LargeBinary(), nullable=True))
    op.add_column("sign_ins", sa.Column("provider_checked_at", MOMENT, nullable=True))
    op.create_index("ix_sign_ins_provider_session", "sign_ins", ["provider_session"])
    op.create_table(
        "provider_requests",
        sa.Column("state_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("browser_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("nonce", sa.String(length=64), nullable=False),
        sa.Column("verifier", sa.String(length=128), nullable=False),
        sa.Column("onward", sa.String(length=500), nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("state_hash", name=op.f("pk_provider_requests")),
    )
    op.create_index("ix_provider_requests_expires_at", "provider_requests", ["expires_at"])
    op.add_column("patients", sa.Column("restricted_at", MOMENT, nullable=True))
    op.create_table(
        "emergency_accesses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=False),
        sa.Column("opened_by", sa.String(length=100), nullable=False),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("ends_at", MOMENT, nullable=False),
        sa.Column("reason", sa.String(length=30), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=True),
        sa.Column("reviewed_at", MOMENT, nullable=True),
        sa.Column("reviewed_by", sa.String(length=100), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_emergency_accesses_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(
            ["patient_id"], ["patients.id"], name=op.f("fk_emergency_accesses_patient_id_patients")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emergency_accesses")),
    )
    op.create_index("ix_emergency_accesses_patient_id", "emergency_accesses", ["patient_id"])
    op.create_index("ix_emergency_accesses_opened_by_ends_at", "emergency_accesses", ["opened_by", "ends_at"])
    op.create_index(
        "ix_emergency_accesses_organisation_id_reviewed_at_id",
        "emergency_accesses",
        ["organisation_id", "reviewed_at", "id"],
    )


def downgrade() -> None:
    op.drop_table("emergency_accesses")
    with op.batch_alter_table("patients") as table:
        table.drop_column("restricted_at")
    op.drop_table("provider_requests")
    op.drop_index("ix_sign_ins_provider_session", "sign_ins")
    with op.batch_alter_table("sign_ins") as table:
        for name in ("provider_checked_at", "provider_token", "provider_session"):
            table.drop_column(name)
    # Without the provider nobody can sign in to its accounts.
    op.execute("UPDATE accounts SET disabled_at = CURRENT_TIMESTAMP WHERE issuer IS NOT NULL AND disabled_at IS NULL")
    with op.batch_alter_table("accounts") as table:
        table.drop_constraint(op.f("uq_accounts_issuer_subject"), type_="unique")
        for name in ("link_until", "confirmed_at", "subject", "issuer"):
            table.drop_column(name)
