"""The rights of a gateway's own PostgreSQL role: it reads and writes rows, only adds to the trail, and owns nothing.

The migration, whose role owns the tables, grants them after every change of the schema. So nobody who has come into the
gateway can take the triggers off the audit trail, or change a line of it.
"""

from sqlalchemy import Connection, text

from gateway.platform.database.tables import AuditHeadRow, AuditRow, AuditStreamRow, Table

ALL = "SELECT, INSERT, UPDATE, DELETE"
NARROWER = {
    AuditRow.__tablename__: "SELECT, INSERT",
    AuditHeadRow.__tablename__: "SELECT, UPDATE",
    AuditStreamRow.__tablename__: "SELECT, UPDATE",
    "alembic_version": "SELECT",
}
# The first version that lets anybody but a table's owner have it written anew (VACUUM).
MAINTAIN_SINCE = (17,)


class OwnsTables(ValueError):
    """The gateway's role is the one that migrates, or a superuser: its rights would be no less."""


def grant(connection: Connection, role: str, rewritten: tuple[str, ...]) -> bool:
    """Give a role what a gateway needs, and take what else it had; whether it may have tables written anew.

    Args:
        connection: of the role that owns the tables, in a transaction.
        role: the gateway's, which exists.
        rewritten: the tables that the gateway writes anew after an erasure.

    Raises:
        OwnsTables: it may do everything anyway.
    """
    about = text("SELECT rolsuper OR pg_has_role(rolname, current_user, 'MEMBER') FROM pg_roles WHERE rolname = :role")
    if connection.execute(about, {"role": role}).scalar():
        raise OwnsTables(role)
    quoted = connection.dialect.identifier_preparer.quote
    to = quoted(role)
    connection.execute(text(f"GRANT USAGE ON SCHEMA public TO {to}"))
    connection.execute(text(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {to}"))
    for name in (*Table.metadata.tables, "alembic_version"):
        connection.execute(text(f"GRANT {NARROWER.get(name, ALL)} ON {quoted(name)} TO {to}"))
    if not _has_maintain(connection):
        return False
    for name in rewritten:
        connection.execute(text(f"GRANT MAINTAIN ON {quoted(name)} TO {to}"))
    return True


def may_rewrite(connection: Connection, tables: tuple[str, ...]) -> bool:
    """Whether this role may have tables written anew; one that may not would be warned only, and they be skipped."""
    right = "has_table_privilege(oid, 'MAINTAIN')" if _has_maintain(connection) else "pg_has_role(relowner, 'USAGE')"
    of_all = text(f"SELECT bool_and({right}) FROM pg_class WHERE oid = ANY(CAST(:tables AS regclass[]))")  # noqa: S608
    return bool(connection.execute(of_all, {"tables": list(tables)}).scalar())


def _has_maintain(connection: Connection) -> bool:
    return (connection.dialect.server_version_info or ()) >= MAINTAIN_SINCE
