"""Which versions of the models the installation had last: a change is an event for every organisation."""

from collections.abc import Mapping

from sqlalchemy import select, update

from gateway.platform.database.engine import Sessions
from gateway.platform.database.tables import ModelVersionRow, OrganisationRow
from gateway.records.events import record_event


class ModelVersions:
    """Remembers the versions.

    Args:
        sessions: of the installation's database.
    """

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def note(self, found: Mapping[str, str]) -> list[str]:
        """Note the versions that answer now, and tell of those that changed; what was never seen before is no change.

        Of several gateways that see a change at the same time one tells of it.

        Args:
            found: version by the model's name.

        Returns:
            The names of the models that changed.
        """
        changed = []
        async with self._sessions.begin() as session:
            known = {row.name: row.version for row in await session.scalars(select(ModelVersionRow))}
            for name, version in found.items():
                if name not in known:
                    session.add(ModelVersionRow(name=name, version=version))
                elif known[name] != version:
                    seen = (ModelVersionRow.name == name) & (ModelVersionRow.version == known[name])
                    renewed = update(ModelVersionRow).where(seen).values(version=version)
                    if await session.scalar(renewed.returning(ModelVersionRow.name)):
                        changed.append(name)
            organisations = (await session.scalars(select(OrganisationRow.id))).all() if changed else []
            for organisation in organisations:
                for name in changed:
                    await record_event(session, organisation, "model.changed", f"{name} {found[name]}"[:100])
        return changed
