"""Which patients were read by a version of a model, as a list and as alerts on request."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

from gateway.assessing.administration import open_database, organisation_of
from gateway.platform.encryption import installation_key
from gateway.platform.identity.accounts import Accounts
from gateway.platform.identity.scopes import RESTRICTED, Principal, operator_of
from gateway.records.recall import ModelVersionName, Recall, RecallStep
from gateway.settings import GatewaySettings
from shared.problems import InvalidInput

WRITTEN = re.compile(r"([A-Za-z][A-Za-z0-9_-]{0,49}):([0-9A-Za-z][0-9A-Za-z._+-]{0,63})")


@dataclass(frozen=True)
class RecallUseCases:
    """What an administrator does when a version of a model turns out to be wrong."""

    recall: Recall

    async def step(self, who: Principal, model: str, after: UUID | None, alert: bool) -> RecallStep:
        """The next part of the assessments that the version had a part in; with alerts for their patients.

        Raises:
            InvalidInput: the model is not written as `staging:0.4.0`.
        """
        return await self.recall.step(who, model_version(model), after, alert)


def model_version(written: str) -> ModelVersionName:
    """A model's name and version, as `staging:0.4.0`.

    Raises:
        InvalidInput: it is written otherwise.
    """
    found = WRITTEN.fullmatch(written)
    if found is None:
        raise InvalidInput("model: write name and version as answers have them, such as staging:0.4.0.", field="model")
    return ModelVersionName(found[1], found[2])


async def recalled(
    settings: GatewaySettings, model: str, alert: bool, organisation: str | None
) -> AsyncIterator[RecallStep]:
    """The same for the operator, part by part to the end."""
    version = model_version(model)
    async with open_database(settings) as database:
        operator = operator_of(await organisation_of(Accounts(database.sessions), settings, organisation))
        who = Principal(operator.id, operator.organisation_id, operator.scopes - {RESTRICTED}, operator.role)
        recall, after = Recall(database.sessions, installation_key(settings)), None
        while True:
            step = await recall.step(who, version, after, alert)
            yield step
            after = step.next
            if after is None:
                return
