"""Sessions with their ends, delays of sign-ins by address in place of locked accounts, and second factors."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# Sign-ins of before go on as they were: until their last token expires.
OPEN_SESSIONS = """
INSERT INTO sign_ins (id, account_id, started_at, last_used_at, ends_at, idle_s)
SELECT family, MIN(account_id), MIN(expires_at), MIN(expires_at), MAX(expires_at), 1209600
FROM refresh_tokens GROUP BY family HAVING COUNT(revoked_at) = 0
"""


def upgrade() -> None:
    op.create_table(
        "sign_ins",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("idle_s", sa.Integer(), nullable=False),
        sa.Column("address", sa.String(length=45), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_sign_ins_account_id_accounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_ins")),
    )
    op.create_index("ix_sign_ins_account_id", "sign_ins", ["account_id"])
    op.create_index("ix_sign_ins_ends_at", "sign_ins", ["ends_at"])
    op.execute(OPEN_SESSIONS if op.get_bind().dialect.name == "sqlite" else OPEN_SESSIONS.replace(
        "MIN(account_id)", "(ARRAY_AGG(account_id))[1]"))  # fmt: skip
    with op.batch_alter_table("refresh_tokens") as table:
        table.drop_column("revoked_at")
    op.create_table(
        "sign_in_delays",
        sa.Column("key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("is_known", sa.Boolean(), nullable=False),
        sa.Column("wait_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sign_in_delays")),
    )
    op.create_index("ix_sign_in_delays_expires_at", "sign_in_delays", ["expires_at"])
    op.create_table(
        "recovery_codes",
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_recovery_codes_account_id_accounts")),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_recovery_codes")),
    )
    op.create_index("ix_recovery_codes_account_id", "recovery_codes", ["account_id"])
    with op.batch_alter_table("accounts") as table:
        table.drop_column("failed_sign_ins")
        table.drop_column("locked_until")
        table.add_column(sa.Column("must_change_password", sa.Boolean(), nullable=False, server_default=sa.false()))
        table.add_column(sa.Column("totp_secret", sa.LargeBinary(128), nullable=True))
        table.add_column(sa.Column("totp_step", sa.BigInteger(), nullable=False, server_default="0"))


def downgrade() -> None:
    with op.batch_alter_table("accounts") as table:
        for name in ("totp_step", "totp_secret", "must_change_password"):
            table.drop_column(name)
        table.add_column(sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True))
        table.add_column(sa.Column("failed_sign_ins", sa.Integer(), nullable=False, server_default="0"))
    op.drop_table("recovery_codes")
    op.drop_table("sign_in_delays")
    with op.batch_alter_table("refresh_tokens") as table:
        table.add_column(sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True))
    # A session that is over stays over.
    op.execute("DELETE FROM refresh_tokens WHERE family NOT IN (SELECT id FROM sign_ins WHERE revoked_at IS NULL)")
    op.drop_table("sign_ins")
