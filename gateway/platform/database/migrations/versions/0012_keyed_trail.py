"""Every row of the audit trail, and its head, shows that this installation wrote it; how much a log server has."""

import sqlalchemy as sa
from alembic import context, op

from gateway.platform.database.audit_chain import HEAD, TRAIL, head_mac, row_mac
from gateway.platform.encryption import new_data_key

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ROWS_AT_ONCE = 1000
AUDIT = sa.table(
    "audit", sa.column("sequence", sa.BigInteger()), sa.column("hash", sa.LargeBinary()),
    sa.column("mac", sa.LargeBinary()),
)  # fmt: skip
HEADS = sa.table(
    "audit_head", sa.column("id", sa.Integer()), sa.column("length", sa.BigInteger()),
    sa.column("hash", sa.LargeBinary()), sa.column("mac_key", sa.LargeBinary()), sa.column("mac", sa.LargeBinary()),
)  # fmt: skip
APPEND_ONLY = [
    f"CREATE TRIGGER audit_no_{verb.lower()} BEFORE {verb} ON audit BEGIN "
    "SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
    for verb in ("UPDATE", "DELETE")
]


def upgrade() -> None:
    op.create_table(
        "audit_stream",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("sent", sa.BigInteger(), nullable=False),
        sa.Column("sender", sa.Uuid(), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_stream")),
    )
    op.get_bind().execute(sa.text("INSERT INTO audit_stream (id, sent) VALUES (:id, 0)"), {"id": HEAD})
    op.add_column("audit", sa.Column("mac", sa.LargeBinary(length=32), nullable=True))
    op.add_column("audit_head", sa.Column("mac_key", sa.LargeBinary(length=128), nullable=True))
    op.add_column("audit_head", sa.Column("mac", sa.LargeBinary(length=32), nullable=True))
    _may_change(True)
    _authenticate_what_is_there()
    with op.batch_alter_table("audit_head", schema=None) as table:
        table.alter_column("mac_key", existing_type=sa.LargeBinary(length=128), nullable=False)
        table.alter_column("mac", existing_type=sa.LargeBinary(length=32), nullable=False)
    with op.batch_alter_table("audit", schema=None) as table:
        table.alter_column("mac", existing_type=sa.LargeBinary(length=32), nullable=False)
    _may_change(False)


def _authenticate_what_is_there() -> None:
    connection, key = op.get_bind(), new_data_key()
    sequence = 0
    page = sa.select(AUDIT.c.sequence, AUDIT.c.hash).order_by(AUDIT.c.sequence).limit(ROWS_AT_ONCE)
    one = AUDIT.update().where(AUDIT.c.sequence == sa.bindparam("which")).values(mac=sa.bindparam("made"))
    while rows := connection.execute(page.where(AUDIT.c.sequence > sequence)).all():
        connection.execute(one, [{"which": row.sequence, "made": row_mac(key, row.hash)} for row in rows])
        sequence = rows[-1].sequence
    head = connection.execute(sa.select(HEADS.c.length, HEADS.c.hash).where(HEADS.c.id == HEAD)).one()
    wrapped = context.config.attributes["kek"].wrap(key, TRAIL)
    made = {"mac_key": wrapped, "mac": head_mac(key, head.length, head.hash)}
    connection.execute(HEADS.update().where(HEADS.c.id == HEAD).values(made))


def _may_change(allowed: bool) -> None:
    """Lift the guard that makes the trail append-only, or put it back."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE audit {'DISABLE' if allowed else 'ENABLE'} TRIGGER audit_append_only")
        return
    for statement in (f"DROP TRIGGER audit_no_{verb}" for verb in ("update", "delete")) if allowed else APPEND_ONLY:
        op.execute(statement)


def downgrade() -> None:
    _may_change(True)
    op.drop_table("audit_stream")
    with op.batch_alter_table("audit_head", schema=None) as table:
        table.drop_column("mac")
        table.drop_column("mac_key")
    with op.batch_alter_table("audit", schema=None) as table:
        table.drop_column("mac")
    _may_change(False)
