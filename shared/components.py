"""The registry of services: what the gateway, the locks, the images and the tests take the services' names from.

A service NAME is the folder services/NAME with `settings.Settings` and `app.create_app(settings)`; pyproject.toml has
an extra of that name, requirements/ a lock, and the Dockerfile builds it with `--build-arg SERVICE=NAME`. Only the
standard library is imported here: an image build reads this file before any package is installed.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class ServiceSpec:
    """One inference service.

    Args:
        name: its folder, lock, image and host name, and the audience of its internal tokens.
        reads_radiographs: whether it decodes radiographs, and marks on them where its network found the evidence.
        finding: whether it answers with a finding, which the recommender then reads.
        model_cards: where it shows a card of each of its models, the default one first.
    """

    name: str
    reads_radiographs: bool = False
    finding: bool = True
    model_cards: tuple[str, ...] = ("/v1/model",)


# In the order in which a request goes through them.
SERVICES = (
    ServiceSpec("imaging", reads_radiographs=True),
    ServiceSpec("staging", reads_radiographs=True),
    ServiceSpec("clinical", model_cards=("/v1/model", "/v1/model/lifestyle")),
    ServiceSpec("recommender", finding=False),
)
SERVICE_NAMES = tuple(service.name for service in SERVICES)
# What is installed, locked and built as a container of its own.
COMPONENTS = (*SERVICE_NAMES, "gateway")
