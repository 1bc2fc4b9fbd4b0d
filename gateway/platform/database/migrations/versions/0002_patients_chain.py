"""Patients with keys of their own, invitations, lockout, key rotation; the audit trail becomes a chain."""

from types import SimpleNamespace
from typing import Any

import sqlalchemy as sa
from alembic import op

from gateway.platform.database.audit_chain import HEAD, START, row_hash
from gateway.platform.database.tables import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# What the repositories never do, nobody else does by accident either.
SQLITE = [
    f"CREATE TRIGGER audit_no_{verb.lower()} BEFORE {verb} ON audit BEGIN "
    "SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
    for verb in ("UPDATE", "DELETE")
]
POSTGRESQL = [
    "CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$",
    "CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()",
]


# The trail as it was then.
AUDIT = sa.table(
    "audit", sa.column("id", sa.Uuid()), sa.column("at", UtcDateTime()), sa.column("organisation_id", sa.Uuid()),
    sa.column("actor"), sa.column("action"), sa.column("subject"), sa.column("outcome"), sa.column("address"),
    sa.column("request_id"), sa.column("sequence", sa.BigInteger()), sa.column("previous", sa.LargeBinary()),
    sa.column("hash", sa.LargeBinary()),
)  # fmt: skip


def upgrade() -> None:
    _patients_and_accounts()
    _chain_columns()
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("length", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_head")),
    )
    _chain_what_is_there()
    with op.batch_alter_table("audit", schema=None) as batch_op:
        for name in ("outcome", "sequence", "previous", "hash"):
            batch_op.alter_column(name, existing_type=_type(name), nullable=False)
        batch_op.create_unique_constraint(batch_op.f("uq_audit_sequence"), ["sequence"])
    for statement in SQLITE if op.get_bind().dialect.name == "sqlite" else POSTGRESQL:
        op.execute(statement)


def _patients_and_accounts() -> None:
    with op.batch_alter_table("organisations", schema=None) as batch_op:
        batch_op.add_column(sa.Column("data_key", sa.LargeBinary(length=128), nullable=True))
    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.add_column(sa.Column("failed_sign_ins", sa.Integer(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True))
    with op.batch_alter_table("accounts", schema=None) as batch_op:
        batch_op.alter_column("failed_sign_ins", existing_type=sa.Integer(), server_default=None)
    with op.batch_alter_table("api_keys", schema=None) as batch_op:
        batch_op.add_column(sa.Column("previous_secret_hash", sa.LargeBinary(length=32), nullable=True))
        batch_op.add_column(sa.Column("previous_valid_until", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "patients",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=64), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("data_key", sa.LargeBinary(length=128), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("erased_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_patients_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["accounts.id"], name=op.f("fk_patients_account_id_accounts")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_patients")),
        sa.UniqueConstraint("organisation_id", "reference", name=op.f("uq_patients_organisation_id_reference")),
        sa.UniqueConstraint("account_id", name=op.f("uq_patients_account_id")),
    )
    op.create_table(
        "invitations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("patient_id", sa.Uuid(), nullable=True),
        sa.Column("token_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("created_by", sa.String(length=100), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_invitations_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(["patient_id"], ["patients.id"], name=op.f("fk_invitations_patient_id_patients")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_invitations_token_hash")),
    )


def _type(name: str) -> sa.types.TypeEngine[Any]:
    if name == "sequence":
        return sa.BigInteger()
    return sa.String(length=20) if name == "outcome" else sa.LargeBinary(length=32)


def _chain_columns() -> None:
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.add_column(sa.Column("address", sa.String(length=45), nullable=True))
        for name in ("outcome", "sequence", "previous", "hash"):
            batch_op.add_column(sa.Column(name, _type(name), nullable=True))


def _chain_what_is_there() -> None:
    """Rows of the first version, in the order in which they were made; the hospital's own identifiers leave them."""
    op.execute("UPDATE audit SET subject = NULL WHERE action = 'assessments listed'")
    op.execute("UPDATE audit SET outcome = CASE WHEN action LIKE '%refused' THEN 'refused' ELSE 'done' END")
    last, connection = START, op.get_bind()
    rows = connection.execute(sa.select(AUDIT).order_by(AUDIT.c.id)).all()
    for sequence, found in enumerate(rows, 1):
        row: Any = SimpleNamespace(**{**found._mapping, "sequence": sequence, "previous": last})
        last = row_hash(row)
        chained = {"sequence": sequence, "previous": row.previous, "hash": last}
        connection.execute(AUDIT.update().where(AUDIT.c.id == row.id).values(chained))
    connection.execute(
        sa.text("INSERT INTO audit_head (id, length, hash) VALUES (:id, :length, :hash)"),
        {"id": HEAD, "length": len(rows), "hash": last},
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP TRIGGER audit_append_only ON audit")
        op.execute("DROP FUNCTION audit_append_only()")
    else:
        op.execute("DROP TRIGGER audit_no_update")
        op.execute("DROP TRIGGER audit_no_delete")
    with op.batch_alter_table("audit", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("uq_audit_sequence"), type_="unique")
        for name in ("hash", "previous", "sequence", "outcome", "address"):
            batch_op.drop_column(name)
    for table in ("audit_head", "invitations", "patients"):
        op.drop_table(table)
    for table, names in {
        "api_keys": ("previous_valid_until", "previous_secret_hash"),
        "accounts": ("locked_until", "failed_sign_ins"),
        "organisations": ("data_key",),
    }.items():
        with op.batch_alter_table(table, schema=None) as batch_op:
            for name in names:
                batch_op.drop_column(name)
