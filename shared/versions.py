"""Several versions of one package in a service: that of the settings, and others, loaded when they are asked for."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

from shared.manifest import DamagedModel
from shared.problems import ServiceUnavailable
from shared.weights import RestrictedWeights

Loaded = TypeVar("Loaded")
# Beside that of the settings: one that was promoted, one in the shadow.
MOST_BESIDE = 2


class Versions(Generic[Loaded]):
    """What a service has loaded, by version. Safe to ask from several threads.

    Args:
        own: what was loaded at the start. version: its version.
        load: loads another version, once its package was verified; null where the service has one version alone.
    """

    def __init__(self, own: Loaded, version: str, load: Callable[[str], Loaded] | None) -> None:
        self._own, self._version, self._load = own, version, load
        self._beside: OrderedDict[str, Loaded] = OrderedDict()
        self._lock, self._loading = threading.Lock(), threading.Lock()

    def of(self, version: str) -> Loaded:
        """What answers as this version; that of the settings for an empty one. The first call may take a second.

        Raises:
            ServiceUnavailable: there is no such package here, or it may not be loaded; the detail says why.
        """
        if version in ("", self._version):
            return self._own
        if (known := self._known(version)) is not None:
            return known
        with self._loading:
            return self._known(version) or self._loaded(version)

    def _known(self, version: str) -> Loaded | None:
        with self._lock:
            if version in self._beside:
                self._beside.move_to_end(version)
            return self._beside.get(version)

    def _loaded(self, version: str) -> Loaded:
        if self._load is None:
            raise ServiceUnavailable(f"This service has the version {self._version} alone.")
        try:
            loaded = self._load(version)
        except (DamagedModel, RestrictedWeights) as error:
            raise ServiceUnavailable(error.detail) from error
        with self._lock:
            self._beside[version] = loaded
            while len(self._beside) > MOST_BESIDE:
                self._beside.popitem(last=False)
        return loaded
