"""Hospital systems and CDS clients that sign with keys of their own, and the tokens of theirs that were used."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "client_key_sets",
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("jwks", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("jwks_url", sa.String(length=500), nullable=True),
        sa.ForeignKeyConstraint(["key_id"], ["api_keys.id"], name=op.f("fk_client_key_sets_key_id_api_keys")),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_client_key_sets")),
    )
    op.create_table(
        "used_tokens",
        sa.Column("key", sa.LargeBinary(length=32), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_used_tokens")),
    )
    op.create_index(op.f("ix_used_tokens_expires_at"), "used_tokens", ["expires_at"])
    op.create_table(
        "cds_clients",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("organisation_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("issuer", sa.String(length=500), nullable=False),
        sa.Column("jwks", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("jwks_url", sa.String(length=500), nullable=True),
        sa.Column("fhir_servers", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_cds_clients_organisation_id_organisations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cds_clients")),
        sa.UniqueConstraint("issuer", name=op.f("uq_cds_clients_issuer")),
    )
    op.create_index(op.f("ix_cds_clients_organisation_id"), "cds_clients", ["organisation_id"])


def downgrade() -> None:
    op.drop_table("cds_clients")
    op.drop_table("used_tokens")
    op.drop_table("client_key_sets")
