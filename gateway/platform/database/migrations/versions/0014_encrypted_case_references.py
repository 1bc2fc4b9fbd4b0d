"""What a sender calls the cases of a batch, and what was wrong with one, is encrypted with the organisation's key.

How often a service ended while it had a case's image is counted.
"""

import json
from uuid import UUID

import sqlalchemy as sa
from alembic import context, op

from gateway.platform.encryption import decrypt, encrypt, new_data_key

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

CASES = sa.table(
    "batch_cases", sa.column("id", sa.Uuid()), sa.column("batch_id", sa.Uuid()),
    sa.column("reference", sa.String()), sa.column("problem", sa.JSON(none_as_null=True)),
    sa.column("reference_encrypted", sa.LargeBinary()), sa.column("problem_encrypted", sa.LargeBinary()),
)  # fmt: skip
BATCHES = sa.table("batches", sa.column("id", sa.Uuid()), sa.column("organisation_id", sa.Uuid()))
ORGANISATIONS = sa.table("organisations", sa.column("id", sa.Uuid()), sa.column("data_key", sa.LargeBinary()))
UNIQUE = "uq_batch_cases_batch_id_reference"


def upgrade() -> None:
    with op.batch_alter_table("batch_cases") as table:
        table.add_column(sa.Column("reference_encrypted", sa.LargeBinary(), nullable=True))
        table.add_column(sa.Column("problem_encrypted", sa.LargeBinary(), nullable=True))
        table.add_column(sa.Column("services_ended", sa.Integer(), nullable=False, server_default="0"))
    for row, key in _rows_with_keys("reference", "problem"):
        problem = row.problem and encrypt(key, json.dumps(row.problem).encode(), row.id.bytes + b"problem")
        reference = encrypt(key, row.reference.encode(), row.id.bytes + b"reference")
        _write(row.id, reference_encrypted=reference, problem_encrypted=problem)
    with op.batch_alter_table("batch_cases") as table:
        table.drop_constraint(UNIQUE, type_="unique")
        table.drop_column("reference")
        table.drop_column("problem")
        table.alter_column("reference_encrypted", existing_type=sa.LargeBinary(), nullable=False)


def downgrade() -> None:
    with op.batch_alter_table("batch_cases") as table:
        table.add_column(sa.Column("reference", sa.String(64), nullable=True))
        table.add_column(sa.Column("problem", sa.JSON(), nullable=True))
    for row, key in _rows_with_keys("reference_encrypted", "problem_encrypted"):
        reference = decrypt(key, row.reference_encrypted, row.id.bytes + b"reference").decode()
        problem = row.problem_encrypted and json.loads(decrypt(key, row.problem_encrypted, row.id.bytes + b"problem"))
        _write(row.id, reference=reference, problem=problem)
    with op.batch_alter_table("batch_cases") as table:
        table.alter_column("reference", existing_type=sa.String(64), nullable=False)
        table.create_unique_constraint(UNIQUE, ["batch_id", "reference"])
        table.drop_column("reference_encrypted")
        table.drop_column("problem_encrypted")
        table.drop_column("services_ended")


def _rows_with_keys(*columns: str) -> list[tuple[sa.Row[tuple[object, ...]], bytes]]:
    """Every case with the key of its organisation, which is made where there is none yet."""
    connection, keys = op.get_bind(), dict[UUID, bytes]()
    asked = [CASES.c.id, BATCHES.c.organisation_id, *(CASES.c[name] for name in columns)]
    rows = connection.execute(sa.select(*asked).join(BATCHES, BATCHES.c.id == CASES.c.batch_id)).all()
    if not rows:
        return []
    kek = context.config.attributes["kek"]
    for organisation in {row.organisation_id for row in rows}:
        mine = ORGANISATIONS.c.id == organisation
        wrapped = connection.execute(sa.select(ORGANISATIONS.c.data_key).where(mine)).scalar()
        if wrapped is None:
            wrapped = kek.wrap(new_data_key(), organisation)
            connection.execute(ORGANISATIONS.update().where(mine).values(data_key=wrapped))
        keys[organisation] = kek.unwrap(wrapped, organisation)
    return [(row, keys[row.organisation_id]) for row in rows]


def _write(case: UUID, **values: object) -> None:
    op.get_bind().execute(CASES.update().where(CASES.c.id == case).values(**values))
