"""What a hospital still has to do before it begins, as far as a program can tell; the rest it asks."""

import datetime as dt
import shutil
from dataclasses import dataclass
from typing import Literal

import anyio

from gateway.assessing.administration import FIRST_ADMINISTRATOR
from gateway.assessing.model_cards import model_cards
from gateway.assessing.noted import noted
from gateway.assessing.services import Services
from gateway.platform.clock import now
from gateway.platform.database.engine import Database
from gateway.platform.identity.accounts import Accounts
from gateway.platform.ntp import NoTime, clock_offset_s
from gateway.records.rule_sign_offs import RuleSignOffs
from gateway.settings import GatewaySettings
from shared.contracts.models import ModelCard

# `ask`: only people know. `to do` keeps a hospital from beginning.
StepState = Literal["done", "to do", "ask"]
WRONG_CLOCK_S = 2.0
LEAST_FREE_BYTES, LEAST_FREE_SHARE = 5_000_000_000, 0.1
# Backups are made every night, and one is tried twice a year.
BACKUP_AGE, DRILL_AGE = dt.timedelta(hours=26), dt.timedelta(days=183)
RESEARCH = ("research", "unknown", "no stated licence", "no licence")


@dataclass(frozen=True)
class PreflightStep:
    """One thing that a hospital has to have done; the detail says how it stands, or how to do it."""

    name: str
    state: StepState
    detail: str


async def preflight(
    settings: GatewaySettings, database: Database, services: Services, time_server: str | None = None
) -> list[PreflightStep]:
    """Look at everything; changes nothing.

    Args:
        time_server: asked for the time by NTP where one is named.
    """
    return [
        _encryption(settings),
        await _clock(database, time_server),
        _disk(settings),
        _data_secret(settings),
        _backup(settings),
        _drill(settings),
        await _first_administrator(database),
        _second_factor(settings),
        _registration(settings),
        *await _models(settings, database, services),
        _log_server(settings),
        _database_role(settings),
        _record_systems(settings),
        *_questions(settings),
    ]


def _step(name: str, done: bool, yes: str, no: str) -> PreflightStep:
    return PreflightStep(name, "done" if done else "to do", yes if done else no)


def _encryption(settings: GatewaySettings) -> PreflightStep:
    no = (
        "Passwords and patients' data would cross the network in the clear. Put an edge with TLS in front, and name it "
        "in TRABECULA_TRUSTED_PROXIES."
    )
    if not settings.trusted_proxies and settings.listens_here():
        no = f"It listens on this machine alone. {no}"
    return _step("TLS", bool(settings.trusted_proxies), "An edge stands in front; see that its certificate renews.", no)


async def _clock(database: Database, time_server: str | None) -> PreflightStep:
    if time_server is None:
        return PreflightStep("clock", "ask", "Name a time server with --time-server, and it is compared.")
    try:
        offset = await anyio.to_thread.run_sync(clock_offset_s, time_server)
    except NoTime as error:
        return PreflightStep("clock", "to do", error.detail)
    far = f"{abs(offset):.1f} s {'behind' if offset > 0 else 'ahead of'} {time_server}"
    no = f"It is {far}: tokens and the audit trail go by it. Have the machine keep time (NTP)."
    return _step("clock", abs(offset) <= WRONG_CLOCK_S, f"It is {far}.", no)


def _disk(settings: GatewaySettings) -> PreflightStep:
    usage = shutil.disk_usage(settings.state_dir)
    free = f"{usage.free / 1e9:.0f} GB of {usage.total / 1e9:.0f} are free under {settings.state_dir.resolve()}."
    enough = usage.free >= max(LEAST_FREE_BYTES, LEAST_FREE_SHARE * usage.total)
    return _step("disk", enough, free, f"{free} Give it more: a full disk stops everything.")


def _data_secret(settings: GatewaySettings) -> PreflightStep:
    source = settings.data_key_source()
    if settings.data_secret_command is not None or settings.data_secret_file is not None:
        return PreflightStep("data secret", "done", f"It comes from a key manager ({source}).")
    detail = f"Is there a copy of {source} apart from the backups? Without it nothing about any patient can be read."
    return PreflightStep("data secret", "ask", detail)


def _backup(settings: GatewaySettings) -> PreflightStep:
    last = noted(settings, "last_backup")
    how = "Run `trabecula backup FILE` every night, and keep the file on another machine."
    if last is None:
        return PreflightStep("backup", "to do", f"None was made here yet. {how}")
    made = f"The last one was made on {last['at']:%Y-%m-%d %H:%M} UTC."
    return _step("backup", now() - last["at"] <= BACKUP_AGE, made, f"{made} {how}")


def _drill(settings: GatewaySettings) -> PreflightStep:
    last = noted(settings, "last_restore_drill")
    how = "Run `trabecula restore-drill FILE`, twice a year."
    if last is None:
        return PreflightStep("restore drill", "to do", f"No backup was tried here yet. {how}")
    tried = f"The last one took {last.get('seconds', '?')} s, on {last['at']:%Y-%m-%d}."
    return _step("restore drill", now() - last["at"] <= DRILL_AGE, tried, f"{tried} {how}")


async def _first_administrator(database: Database) -> PreflightStep:
    account = await Accounts(database.sessions).by_email(FIRST_ADMINISTRATOR)
    fresh = account is not None and account.must_change_password
    no = f"{FIRST_ADMINISTRATOR} still has the password of the first start: sign in and change it."
    return _step("first administrator", not fresh, "The first password was changed, or the account is gone.", no)


def _second_factor(settings: GatewaySettings) -> PreflightStep:
    no = "Staff sign in with a password alone: set TRABECULA_SECOND_FACTOR=staff."
    return _step("second factor", settings.second_factor == "staff", "Staff need one to sign in.", no)


def _registration(settings: GatewaySettings) -> PreflightStep:
    if not settings.is_registration_open():
        return PreflightStep("registration", "done", "Patients do not register themselves: the clinic invites them.")
    return PreflightStep("registration", "ask", "Patients who have the code may register themselves. Is that wanted?")


async def _models(settings: GatewaySettings, database: Database, services: Services) -> list[PreflightStep]:
    cards = await model_cards(services)
    silent = f"No answer from {', '.join(cards.unavailable)}."
    steps = [_step("services", not cards.unavailable, "All of them answer.", silent)]
    restricted = [words for card in cards.models if (words := _restricted(card))]
    no = (
        f"For research only, by the licence of what they learned from: {'; '.join(restricted)}. TRABECULA_MODELS_OPEN "
        "runs without them: see docs/reference/weights.md."
    )
    steps.append(_step("licences of the models", not restricted, "Nothing in use is limited to research.", no))
    for card in cards.models:
        if card.service == "recommender":
            organisation = await Accounts(database.sessions).first_organisation(settings.organisation)
            signed = await RuleSignOffs(database.sessions).of(organisation, card.version)
            yes = f"{signed.name} ({signed.role}) signed version {card.version} off." if signed else ""
            no = f"Nobody has signed version {card.version} off: `trabecula rules sign`."
            steps.append(_step("rules", signed is not None, yes, no))
    return steps


def _restricted(card: ModelCard) -> str:
    """The parts of a model that are in use and for research only; by its licence where the card does not list them."""
    if not card.weights:
        return card.name if any(word in card.licence.lower() for word in RESEARCH) else ""
    used = [use.part for use in card.weights if use.research_only and use.part not in card.left_unused]
    return f"{card.name} ({', '.join(used)})" if used else ""


def _record_systems(settings: GatewaySettings) -> PreflightStep:
    no = "TRABECULA_CDS_OPEN answers record systems without a token, which is for a trial: unset it."
    return _step("record systems", not settings.cds_open, "They sign every call for cards.", no)


def _log_server(settings: GatewaySettings) -> PreflightStep:
    no = "The audit trail stands in the database alone: name the site's log server in TRABECULA_AUDIT_SYSLOG."
    yes = f"The audit trail goes to {settings.audit_syslog}."
    return _step("log server", settings.audit_syslog is not None, yes, no)


def _database_role(settings: GatewaySettings) -> PreflightStep:
    if settings.sqlite_file() is not None:
        detail = "It is one file on this machine. For more than a practice's load, use PostgreSQL."
        return PreflightStep("database", "ask", detail)
    no = "The gateway may change its own tables, the audit trail among them: give it a role of its own."
    return _step("database", not settings.migrate, "The migration has a role and a job of its own.", no)


def _questions(settings: GatewaySettings) -> list[PreflightStep]:
    kept = "Previews are kept, encrypted, and deleted after TRABECULA_RENDERING_DAYS. Is that wanted?"
    not_kept = "No film can be seen again or compared with a later one. Is that wanted? (TRABECULA_STORE_RENDERINGS)"
    zone = settings.time_zone or "this machine's time zone"
    return [
        PreflightStep(name, "ask", question)
        for name, question in (
            ("emergency number", f"Is {settings.emergency_number} right here? (TRABECULA_EMERGENCY_NUMBER)"),
            ("emergencies", "Who is told of one at night, and who where nobody looks? (trabecula route add-mail)"),
            ("pictures", kept if settings.store_renderings else not_kept),
            ("time zone", f"Is {zone} the one that people here read? (TRABECULA_TIME_ZONE)"),
            ("alerts", "Who is called when Prometheus raises an alert, and was that tried?"),
            ("downtime", "Do the wards know how they go on while it is down? (docs/operations.md, Downtime)"),
            ("intended use", "Has whoever answers for it read docs/intended-use.md? It is no medical device."),
        )
    ]
