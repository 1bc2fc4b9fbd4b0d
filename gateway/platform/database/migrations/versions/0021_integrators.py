"""Requests that may be sent again in one place, test keys, and which models were seen last."""

import json

import sqlalchemy as sa
from alembic import context, op

from gateway.platform.encryption import decrypt

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

MADE = {"assessments": "assessment", "batches": "batch"}
TESTED = ("api_keys", "assessments", "events")
ASSESSMENTS = sa.table(
    "assessments", sa.column("id", sa.Uuid()), sa.column("organisation_id", sa.Uuid()),
    sa.column("patient_id", sa.Uuid()), sa.column("content", sa.LargeBinary()), sa.column("status", sa.String()),
)  # fmt: skip


def upgrade() -> None:
    op.create_table(
        "model_versions",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("version", sa.String(length=50), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_model_versions")),
    )
    requests = op.create_table(
        "idempotent_requests",
        sa.Column("made", sa.String(length=20), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("subject", sa.String(length=36), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("made", "key", name=op.f("pk_idempotent_requests")),
    )
    op.create_index(op.f("ix_idempotent_requests_subject"), "idempotent_requests", ["subject"])
    op.create_index(op.f("ix_idempotent_requests_created_at"), "idempotent_requests", ["created_at"])
    for name, made in MADE.items():
        _move(name, made, requests)
    with op.batch_alter_table("assessments") as table:
        table.add_column(sa.Column("status", sa.String(length=10), nullable=False, server_default="complete"))
    _note_partial_ones()
    with op.batch_alter_table("assessments") as table:
        table.alter_column("status", existing_type=sa.String(length=10), server_default=None)
    for name in TESTED:
        with op.batch_alter_table(name) as table:
            table.add_column(sa.Column("is_test", sa.Boolean(), nullable=False, server_default=sa.false()))
        with op.batch_alter_table(name) as table:
            table.alter_column("is_test", existing_type=sa.Boolean(), server_default=None)


def downgrade() -> None:
    for name, made in MADE.items():
        _move_back(name, made)
    for name in TESTED:
        with op.batch_alter_table(name) as table:
            table.drop_column("is_test")
    with op.batch_alter_table("assessments") as table:
        table.drop_column("status")
    op.drop_table("idempotent_requests")
    op.drop_table("model_versions")


def _move(name: str, made: str, requests: sa.Table) -> None:
    table, connection = _with_keys(name), op.get_bind()
    for row in connection.execute(sa.select(table).where(table.c.idempotency_key.is_not(None))).all():
        known = {"key": row.idempotency_key, "digest": row.request_hash, "created_at": row.created_at}
        connection.execute(requests.insert().values(made=made, subject=str(row.id), **known))
    with op.batch_alter_table(name) as altered:
        altered.drop_constraint(f"uq_{name}_created_by_idempotency_key", type_="unique")
        altered.drop_column("idempotency_key")
        altered.drop_column("request_hash")


def _move_back(name: str, made: str) -> None:
    with op.batch_alter_table(name) as altered:
        altered.add_column(sa.Column("idempotency_key", sa.String(length=255), nullable=True))
        altered.add_column(sa.Column("request_hash", sa.LargeBinary(length=32), nullable=True))
        altered.create_unique_constraint(f"uq_{name}_created_by_idempotency_key", ["created_by", "idempotency_key"])
    texts = (sa.column(column, sa.String()) for column in ("made", "key", "subject"))
    requests = sa.table("idempotent_requests", sa.column("digest", sa.LargeBinary()), *texts)
    table, connection = _with_keys(name), op.get_bind()
    identities = {str(row.id): row.id for row in connection.execute(sa.select(table.c.id))}
    for row in connection.execute(sa.select(requests).where(requests.c.made == made)).all():
        if row.subject in identities:
            mine = table.c.id == identities[row.subject]
            known = {"idempotency_key": row.key, "request_hash": row.digest}
            connection.execute(table.update().where(mine).values(known))


def _note_partial_ones() -> None:
    """The status of each assessment, which is within what is encrypted."""
    connection, keys = op.get_bind(), dict[object, bytes]()
    patients, organisations = _with_data_key("patients"), _with_data_key("organisations")
    query = sa.select(ASSESSMENTS, patients.c.data_key.label("patient_key"), organisations.c.data_key)
    query = query.outerjoin(patients, patients.c.id == ASSESSMENTS.c.patient_id)
    query = query.join(organisations, organisations.c.id == ASSESSMENTS.c.organisation_id)
    for row in connection.execute(query).all():
        owner = row.patient_id or row.organisation_id
        if owner not in keys:
            keys[owner] = context.config.attributes["kek"].unwrap(row.patient_key or row.data_key, owner)
        status = json.loads(decrypt(keys[owner], row.content, row.id.bytes))["assessment"]["status"]
        if status != "complete":
            mine = ASSESSMENTS.c.id == row.id
            connection.execute(ASSESSMENTS.update().where(mine).values(status=status))


def _with_data_key(name: str) -> sa.TableClause:
    return sa.table(name, sa.column("id", sa.Uuid()), sa.column("data_key", sa.LargeBinary()))


def _with_keys(name: str) -> sa.TableClause:
    return sa.table(
        name,
        sa.column("id", sa.Uuid()),
        sa.column("created_at", sa.DateTime(timezone=True)),
        sa.column("idempotency_key", sa.String()),
        sa.column("request_hash", sa.LargeBinary()),
    )
