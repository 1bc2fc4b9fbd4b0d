"""The data secret: is it the right one, and its renewal."""

from typing import Any

from gateway.assessing.administration import open_database
from gateway.platform.encryption import CannotDecrypt, installation_key
from gateway.records.patients import Patients
from gateway.records.rewrap import Rewrap
from gateway.settings import GatewaySettings
from shared.kept_secrets import kept_secret
from shared.problems import InvalidInput
from shared.service import CannotStart


async def require_data_secret(settings: GatewaySettings) -> None:
    """See that the data secret is the one that the database was written with.

    Raises:
        CannotStart: it is another one; names where it comes from.
        NoSecret: a key manager does not give it.
    """
    async with open_database(settings) as database:
        try:
            await Patients(database.sessions, installation_key(settings)).check_secret()
        except CannotDecrypt as error:
            raise CannotStart(
                f"{settings.data_key_source()} gives another data secret than the one this database was written with: "
                "bring that one back. If it was renewed, give the one before as TRABECULA_OTHER_DATA_SECRET."
            ) from error


async def rewrap(settings: GatewaySettings) -> dict[str, Any]:
    """Wrap with the present data secret what the other one wrapped, and forget that one where it is a file of ours.

    Raises:
        InvalidInput: there is no other secret.
        CannotDecrypt: a key was wrapped with neither.
    """
    if settings.other_data_key() is None:
        raise InvalidInput(
            "There is no other data secret to wrap keys anew from: 'trabecula rewrap --new-secret' makes a new one in "
            "the state folder; elsewhere, give the one before as TRABECULA_OTHER_DATA_SECRET."
        )
    async with open_database(settings) as database:
        work = Rewrap(database.sessions, installation_key(settings))
        done, left = await work.run(), await work.left()
    kept = settings.other_data_secret_kept()
    if not left and settings.other_data_secret is None:
        kept.unlink()
    return {"rewrapped": done, "left": left}


def renew_data_secret(settings: GatewaySettings) -> dict[str, Any]:
    """A new data secret in the state folder; the one before stays beside it until nothing is wrapped with it.

    Raises:
        InvalidInput: the secret is not a file of the state folder, or the renewal before is not done.
    """
    kept, other = settings.data_secret_kept(), settings.other_data_secret_kept()
    if settings.data_key_source() != str(kept) or not kept.exists():
        raise InvalidInput(
            f"The data secret comes from {settings.data_key_source()}: renew it there, and give the one before as "
            "TRABECULA_OTHER_DATA_SECRET."
        )
    if settings.other_data_key() is not None:
        raise InvalidInput("The renewal before is not done: restart the gateway, and run 'trabecula rewrap'.")
    kept.rename(other)
    kept_secret(kept)
    return {"data_secret": str(kept), "other_data_secret": str(other)}
