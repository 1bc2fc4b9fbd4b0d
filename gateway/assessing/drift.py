"""How today's cases differ from those of the reference: for people, for programs, and as figures for Prometheus."""

import datetime as dt
from dataclasses import dataclass, field
from uuid import UUID

from prometheus_client import CollectorRegistry, Gauge
from pydantic import BaseModel, Field

from gateway.assessing.administration import open_database, organisation_of
from gateway.assessing.drift_test import REFERENCE, WINDOWS, Changed, compared, counted
from gateway.platform.identity.accounts import Accounts
from gateway.platform.identity.scopes import Principal, operator_of
from gateway.records.observations import Observations, reference_of
from gateway.settings import GatewaySettings
from shared.problems import NotAuthorised


class FeatureView(BaseModel):
    """One feature in the last whole window of one length, beside the reference."""

    feature: str
    window: int = Field(description="Cases: 50 finds a large change soon, 250 a small one")
    p: float = Field(description="Fisher's, corrected for the values: that both are of one distribution")
    alarm: bool = Field(description="Below the level at which one window in a hundred raises a false alarm")
    now: dict[str, float] = Field(description="Share of each value in the window")
    reference: dict[str, float]

    @classmethod
    def of(cls, changed: Changed) -> "FeatureView":
        """As it travels."""
        return cls(
            feature=changed.feature,
            window=changed.window,
            p=changed.p,
            alarm=changed.alarm,
            now=dict(changed.now),
            reference=dict(changed.reference),
        )


class DriftView(BaseModel):
    """Whether cases still are as those of the reference were."""

    reference_cases: int = Field(description="Of the 300 that make a reference")
    reference_from: dt.date | None
    reference_to: dt.date | None
    cases_since: int
    features: list[FeatureView] = Field(description="The most different first; empty before the first whole window")

    @property
    def alarms(self) -> list[FeatureView]:
        """The features that raise an alarm."""
        return [feature for feature in self.features if feature.alarm]


@dataclass(frozen=True)
class DriftUseCases:
    """Looks at what cases looked like; whose they were nobody knows here."""

    observations: Observations

    async def state(self, who: Principal) -> DriftView:
        """The last whole windows beside the reference.

        Raises:
            NotAuthorised: a patient's own account asks.
        """
        if who.is_patient:
            raise NotAuthorised("How cases change over time is the clinic's to look at.")
        return await self.of(who.organisation_id)

    async def of(self, organisation_id: UUID) -> DriftView:
        """The same of one organisation; the first cases become the reference once there are enough."""
        store = self.observations
        reference = await store.reference(organisation_id)
        if reference is None:
            rows = await store.window(organisation_id, 0, 0, REFERENCE)
            if len(rows) < REFERENCE:
                return DriftView(
                    reference_cases=len(rows), reference_from=None, reference_to=None, cases_since=0, features=[]
                )
            made = reference_of(rows, counted([row.content for row in rows]))
            await store.set_reference(organisation_id, made)
            reference = await store.reference(organisation_id) or made
        count = await store.count(organisation_id, reference.until_id)
        features: list[Changed] = []
        for size in WINDOWS:
            if whole := count // size:
                rows = await store.window(organisation_id, reference.until_id, (whole - 1) * size, size)
                features += compared(reference.counts, [row.content for row in rows])
        features.sort(key=lambda changed: (not changed.alarm, changed.p))
        return DriftView(
            reference_cases=reference.cases,
            reference_from=reference.first_day,
            reference_to=reference.last_day,
            cases_since=count,
            features=[FeatureView.of(changed) for changed in features],
        )


@dataclass(frozen=True)
class DriftMetrics:
    """The figures that all gateways share; each of them shows the same."""

    alarm: Gauge = field(
        default_factory=lambda: Gauge(
            "trabecula_drift_alarm",
            "Organisations whose last window of cases differs from their reference, by feature",
            ["feature"],
            registry=None,
        )
    )
    cases: Gauge = field(
        default_factory=lambda: Gauge("trabecula_drift_cases", "Cases since the references were made", registry=None)
    )

    def register(self, registry: CollectorRegistry) -> None:
        """Show the figures."""
        for metric in (self.alarm, self.cases):
            registry.register(metric)

    async def look(self, drift: DriftUseCases) -> None:
        """Renew the figures, of all organisations."""
        views = [await drift.of(organisation) for organisation in await drift.observations.organisations()]
        self.cases.set(sum(view.cases_since for view in views))
        for feature in {feature.feature for view in views for feature in view.features}:
            self.alarm.labels(feature).set(sum(feature in {f.feature for f in view.alarms} for view in views))


async def drift_of(settings: GatewaySettings, begin_anew: bool, organisation: str | None) -> DriftView:
    """How it stands, for the operator; `begin_anew` forgets the reference and the cases first."""
    async with open_database(settings) as database:
        who = operator_of(await organisation_of(Accounts(database.sessions), settings, organisation))
        drift = DriftUseCases(Observations(database.sessions))
        if begin_anew:
            await drift.observations.begin_anew(who)
        return await drift.state(who)
