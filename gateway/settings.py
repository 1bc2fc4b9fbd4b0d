"""Settings of the gateway: `TRABECULA_*` in the environment, a `.env` file, or files under /run/secrets."""

import ipaddress
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AliasChoices, Field, PrivateAttr, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from shared.components import SERVICE_NAMES
from shared.contracts.policy import ClinicPolicy, FraxLine
from shared.contracts.record import FraxCountry
from shared.kept_secrets import kept_secret, new_code, new_secret, secret_of_command, secret_of_file
from shared.outside import is_secure_url
from shared.settings import SECRETS

DicomReport = Literal["comprehensive_3d", "comprehensive"]
ProviderRole = Literal["clinician", "administrator"]
# Of what sign-in by a provider needs, all or nothing is set.
OIDC_NEEDS = ("oidc_issuer", "oidc_client_id", "oidc_client_secret", "oidc_roles", "public_url")


class GatewaySettings(BaseSettings):
    """What one installation decides. Secrets left out are made on the first start and kept in the state folder."""

    model_config = SettingsConfigDict(
        env_prefix="TRABECULA_",
        env_nested_delimiter="__",
        env_file=".env",
        secrets_dir=SECRETS if SECRETS.is_dir() else None,
        extra="ignore",
        validate_by_name=True,  # a field with another name in the environment has its own name in code
    )

    host: str = Field("127.0.0.1", description="Address to listen on; the edge in front of it adds TLS")
    port: int = Field(8080, ge=0, le=65535, description="Port to listen on")
    state_dir: Path = Field(Path("state"), description="Database, keys and kept previews live here and nowhere else")
    database_url: SecretStr | None = Field(
        None, description="SQLAlchemy URL; a SQLite file in the state folder if unset"
    )
    migrate: bool = Field(
        True, description="Bring the database to the newest schema at the start; off where a job does"
    )
    gateway_role: str | None = Field(
        None,
        pattern=r"^[a-z_][a-z0-9_]{0,62}$",
        description="PostgreSQL role of the gateways, which the migration gives what they need; unset: its own",
    )
    public_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s/?#]+(/[^\s?#]*[^\s/?#])?$",
        description="Where people and systems reach the gateway, as https://trabecula.hospital.example; sign-in by a "
        "provider needs it, and links in FHIR begin with it, else with the address that the caller used",
    )
    trusted_proxies: tuple[str, ...] = Field(
        (),
        description="Addresses or networks of the edge, which tells the caller's address; nobody else is believed",
    )
    allowed_private_networks: tuple[str, ...] = Field(
        (),
        description="Private networks in which addresses may lie that others name: keys of hospital systems, FHIR "
        "servers of CDS clients, webhooks. Elsewhere only public addresses are asked",
    )
    cds_store: bool = Field(False, description="Store an assessment for each call of a CDS service that had a record")
    cds_open: bool = Field(
        False, description="Answer CDS clients without a token, for a trial; only where this machine alone is listening"
    )
    services: dict[str, str] | None = Field(
        None, description='URL of each service as {"imaging": "http://..."}; all in this process if unset'
    )
    internal_secret: SecretStr | None = Field(None, min_length=32, description="Shared with the services")
    token_secret: SecretStr | None = Field(None, min_length=32, description="Signs people's access tokens")
    data_secret: SecretStr | None = Field(
        None, min_length=32, description="Encrypts what is stored about patients: whoever loses it loses them all"
    )
    data_secret_command: str | None = Field(
        None, min_length=1, description="A key manager's command, run without a shell, that prints the data secret"
    )
    data_secret_file: Path | None = Field(None, description="A file in which a key manager puts the data secret")
    other_data_secret: SecretStr | None = Field(
        None,
        min_length=32,
        description="A second one that opens what it encrypted, until `trabecula rewrap` is done; `none` is none",
    )
    metrics_token: SecretStr | None = Field(
        None, min_length=16, description="What Prometheus sends to see /metrics, as its bearer token"
    )
    audit_syslog: str | None = Field(
        None,
        pattern=r"^(tls|tcp|udp)://(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$",
        description="The site's log server, which gets every line of the audit trail (RFC 5424), as "
        "tls://siem.hospital.example:6514; `tcp` and `udp` are not encrypted",
    )
    audit_syslog_ca: Path | None = Field(
        None, description="PEM file of the authorities that may vouch for it; the system's if unset"
    )
    access_token_minutes: int = Field(15, ge=1, le=120, description="How long an access token lasts")
    refresh_token_days: int = Field(
        14, ge=1, le=90, description="How long a patient stays signed in who asked for it, at most"
    )
    session_idle_minutes: int = Field(30, ge=15, le=1440, description="Without use, other sessions end after so long")
    session_hours: int = Field(12, ge=1, le=168, description="How long other sessions last at most, staff's above all")
    second_factor: Literal["off", "staff"] = Field(
        "off", description="Whether clinicians and administrators need an authenticator app to sign in"
    )
    logins_per_minute: int = Field(10, ge=1, description="Attempts at one account from one address")
    logins_per_address_per_minute: int = Field(
        60, ge=1, description="Attempts from one address at accounts that it has not signed in to before"
    )
    lockout_failures: int = Field(
        10, ge=3, description="Wrong passwords in a row, after which that address waits for that account: 2 s, 4 s, ..."
    )
    lockout_minutes: int = Field(15, ge=1, le=1440, description="The longest such wait")
    registration: bool | None = Field(
        None,
        description="Whether patients may register themselves, with the registration code; unset: where gateway and "
        "services are one process that listens on this machine alone",
    )
    registration_code: SecretStr | None = Field(
        None, min_length=8, description="The clinic's code, which it gives to patients who may register"
    )
    oidc_issuer: str | None = Field(
        None, description="The hospital's OpenID Connect provider, exactly as it names itself; unset: no such sign-in"
    )
    oidc_client_id: str | None = Field(None, min_length=1, description="What this installation is called there")
    oidc_client_secret: SecretStr | None = Field(None, min_length=8, description="Its secret there")
    oidc_roles: dict[str, ProviderRole] = Field(
        default_factory=dict,
        description='What members of the provider\'s groups are here, as {"Radiology": "clinician"}; others stay out',
    )
    oidc_groups_claim: str = Field("groups", min_length=1, description="Claim that names a person's groups")
    oidc_scopes: str = Field(
        "openid profile email", pattern=r"^openid( |$)", description="Scopes to ask for; some need `offline_access` too"
    )
    oidc_label: str = Field("hospital account", max_length=60, description='The button says "Sign in with ..."')
    oidc_organisation: str | None = Field(
        None, max_length=200, description="Whose staff these people are; the first organisation's if unset"
    )
    oidc_second_factor: tuple[str, ...] = Field(
        (), description="One of these must be the token's `acr` or in its `amr`; empty: the provider sees to it"
    )
    oidc_recheck_minutes: int = Field(
        15, ge=5, le=720, description="How often the provider is asked whether a session may go on"
    )
    oidc_unconfirmed_days: int = Field(
        90, ge=7, le=3650, description="A provider's account that it has not confirmed for so long is disabled"
    )
    emergency_access_hours: int = Field(
        4, ge=1, le=24, description="How long emergency access to a restricted patient's record lasts"
    )
    max_upload_bytes: int = Field(40_000_000, ge=1, description="Largest request with a radiograph")
    upload_piece_s: float = Field(15, gt=0, description="Seconds that the next piece of a body may take")
    upload_whole_s: float = Field(300, gt=0, description="Seconds that a whole body may take")
    dicom_patient_id: Literal["use", "check", "ignore"] = Field(
        "check",
        description="PatientID of a DICOM file: `use` it where no patient_number was sent, only `check` that the two "
        "agree, or `ignore` it",
    )
    fhir_patient_system: str | None = Field(
        None,
        pattern=r"^[a-z][a-z0-9+.-]*:\S+$",
        description="Identifier system of the hospital's patient numbers in FHIR, as urn:oid:1.2.3; if unset "
        "`urn:trabecula:organisation:` and the organisation's id",
    )
    fhir_femur_site: Literal["unused", "femoral_neck"] = Field(
        "unused", description="What a bone density of the femur means that names no part of it, in FHIR that is read"
    )
    dicom_aet: str = Field(
        "TRABECULA",
        pattern=r"^[!-\[\]-~]([ -\[\]-~]{0,14}[!-\[\]-~])?$",
        description="AE title of `trabecula route serve`, which senders of films call",
    )
    dicom_host: str = Field("127.0.0.1", description="Address that it listens on for films")
    dicom_port: int = Field(11112, ge=0, le=65535, description="Port that it listens on for films")
    dicom_peers: dict[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description='Who may send films, by AE title with addresses or networks, as {"CR1": ["10.0.0.5"]}',
    )
    dicom_certificate: Path | None = Field(None, description="PEM file of its certificate; unset: no TLS")
    dicom_key: Path | None = Field(None, description="PEM file of the certificate's key")
    dicom_ca: Path | None = Field(
        None, description="PEM file of who vouches for senders, which then need a certificate of their own"
    )
    dicom_orthanc: str | None = Field(
        None, pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$", description="Orthanc that is asked for new films"
    )
    dicom_qido: str | None = Field(
        None, pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$", description="DICOMweb service that is asked for new films"
    )
    dicom_pull_authorization: SecretStr | None = Field(
        None, description="Value of the header that these two want, such as `Bearer ...`"
    )
    dicom_organisation: str | None = Field(
        None, max_length=200, description="Whose films these are; the first organisation's if unset"
    )
    hl7_port: int | None = Field(
        None, ge=0, le=65535, description="Port on which it takes HL7 v2 messages over MLLP, such as 2575; unset: none"
    )
    hl7_host: str = Field("127.0.0.1", description="Address that it listens on for them")
    hl7_peers: dict[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description="Who may send them, by sending application and facility (MSH-3, MSH-4) with addresses or networks, "
        'as {"RIS|HOSPITAL": ["10.0.0.9"]}',
    )
    hl7_certificate: Path | None = Field(None, description="PEM file of its certificate for them; unset: no TLS")
    hl7_key: Path | None = Field(None, description="PEM file of that certificate's key")
    hl7_ca: Path | None = Field(
        None, description="PEM file of who vouches for their senders, which then need a certificate of their own"
    )
    hl7_accession: str = Field(
        "OBR-18",
        pattern=r"^(OBR|ORC)-[1-9][0-9]?$",
        description="Field of an order that has the accession number; where it is empty OBR-3 has it",
    )
    dicom_report: DicomReport = Field(
        "comprehensive_3d",
        description="The structured report that goes to archives; `comprehensive` where viewers do not read 3D ones",
    )
    cors_origins: tuple[str, ...] = Field(
        (), description="Web applications of other origins that may call the API, as https://app.hospital.example"
    )
    store_renderings: bool = Field(
        False,
        description="Keep previews and heat maps, encrypted",
        validation_alias=AliasChoices("TRABECULA_STORE_RENDERINGS", "TRABECULA_KEEP_PICTURES"),
    )
    rendering_days: int = Field(
        30,
        ge=1,
        le=3650,
        description="Days until a kept preview or heat map is deleted",
        validation_alias=AliasChoices("TRABECULA_RENDERING_DAYS", "TRABECULA_PICTURE_DAYS"),
    )
    retention_days: int = Field(
        90,
        ge=1,
        le=3650,
        description="Days that ended sessions, used invitations, ended batches and request keys are kept",
    )
    validation_days: int = Field(
        730,
        ge=30,
        le=3650,
        description="Days until what cases looked like, for drift, and answers of versions in the shadow are deleted",
    )
    release_medication: Literal["by_clinician", "at_once"] = Field(
        "by_clinician", description="When a patient's own account sees medication items"
    )
    least_significant_change_percent: dict[str, Annotated[float, Field(gt=0, le=50)]] = Field(
        default_factory=dict,
        description='The centre\'s own, by site, as {"total_hip": 3.1}; else the largest ISCD accepts',
    )
    postmenopausal_assumed_from: Literal["50", "60", "never"] = Field(
        "50", description="Age from which a menopause that nobody recorded is taken as past"
    )
    frax_thresholds: dict[FraxCountry | Literal["unknown"], FraxLine] = Field(
        default_factory=dict,
        description='From which FRAX risk the site treats, per cent, as {"india": {"major": 15, "hip": 4}}; '
        "`unknown` is FRAX without a country",
    )
    emergency_number: str = Field(
        "112",
        pattern=r"^[0-9][0-9 ]{1,14}$",
        description="The country's: results that advise an emergency lead with it",
    )
    escalate_after_minutes: int = Field(
        15, ge=1, le=1440, description="Nobody acknowledged an emergency for so long: a second alarm goes out"
    )
    smtp_host: str | None = Field(
        None, min_length=1, max_length=255, description="The site's mail server, for alarms by mail; unset: none"
    )
    smtp_port: int = Field(
        587, ge=1, le=65535, description="Its port: 587 with `starttls`, 465 with `tls`, 25 with neither"
    )
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="How the connection with it is encrypted; with `none` no password is sent"
    )
    smtp_ca: Path | None = Field(
        None, description="PEM file of the authorities that may vouch for it; the system's if unset"
    )
    smtp_user: str | None = Field(None, min_length=1, description="How this installation signs in there, if it has to")
    smtp_password: SecretStr | None = Field(None, min_length=1, description="Its password there")
    smtp_from: str | None = Field(
        None, pattern=r"^[^@\s<>]+@[^@\s<>]+$", description="Address that alarms are sent from"
    )
    viewer_url: str | None = Field(
        None,
        pattern=r"^https?://[^\s{}]*\{study\}[^\s{}]*$",
        description="The hospital's own viewer, as https://pacs.hospital.example/viewer?StudyInstanceUIDs={study}: "
        "results of DICOM films link to their study there; unset: no link",
    )
    max_batch_bytes: int = Field(200_000_000, ge=1, description="Largest request body of a batch")
    batch_concurrency: int = Field(1, ge=1, le=32, description="Cases of batches worked on at the same time")
    max_in_flight: int = Field(16, ge=1, description="Assessments worked on at the same time, by each gateway")
    max_in_flight_per_caller: int = Field(
        16, ge=1, description="Of those, one person's or system's, worked on and waiting; of a patient's account 2"
    )
    staff_share: float = Field(
        0.9, ge=0, lt=1, description="Of those, the share that patients' accounts leave to staff and hospital systems"
    )
    place_wait_s: float = Field(10, gt=0, le=120, description="Seconds that an assessment waits for its turn")
    assessments_per_minute: int = Field(1200, ge=1, description="Of one member of staff or hospital system")
    organisation_assessments_per_minute: int = Field(2400, ge=1, description="Of all staff and systems of one together")
    patient_assessments_per_hour: int = Field(20, ge=1, description="Of one patient's account")
    requests_per_minute: int = Field(6000, ge=1, description="Of any kind, of one member of staff or hospital system")
    patient_requests_per_minute: int = Field(240, ge=1, description="Of any kind, of one patient's account")
    organisation: str = Field("First organisation", description="Name of the organisation made on the first start")
    first_admin_password: SecretStr | None = Field(
        None, min_length=12, description="Of the administrator made on the first start; made and printed if unset"
    )
    time_zone: str | None = Field(
        None, description="Zone of the times that people read, as Asia/Kolkata (IANA); the machine's if unset"
    )
    log_level: str = Field("INFO", description="`DEBUG`, `INFO`, `WARNING` or `ERROR`")

    _of_command: str | None = PrivateAttr(None)  # a key manager is asked once

    @field_validator("other_data_secret", mode="before")
    @classmethod
    def _none(cls, given: object) -> object:
        # An orchestrator's secret cannot be left out, and Swarm's cannot be empty.
        return None if isinstance(given, str) and given.strip() in ("", "none") else given

    @field_validator("smtp_host", "smtp_from", "smtp_user", "smtp_password", mode="before")
    @classmethod
    def _no_mail(cls, given: object) -> object:
        # What a compose file passes on is empty where the site has none, and a secret cannot be left out.
        return None if isinstance(given, str) and given.strip() in ("", "none") else given

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, name: str | None) -> str | None:
        try:
            ZoneInfo(name if name is not None else "UTC")
        except (OSError, ValueError, LookupError) as error:
            raise ValueError(f"no time zone {name!r} is known here: give one such as Asia/Kolkata (IANA)") from error
        return name

    @field_validator("trusted_proxies", "allowed_private_networks")
    @classmethod
    def _addresses(cls, proxies: tuple[str, ...]) -> tuple[str, ...]:
        for proxy in proxies:
            try:
                ipaddress.ip_network(proxy)
            except ValueError as error:
                raise ValueError(f"{error}: give addresses or networks such as 10.231.77.0/24") from error
        return proxies

    @field_validator("cors_origins")
    @classmethod
    def _origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            parts = urlsplit(origin)
            if not is_secure_url(origin) or parts.path or parts.query:
                raise ValueError(f"{origin}: an origin has no path, such as https://app.hospital.example")
        return origins

    @field_validator("dicom_peers", "hl7_peers")
    @classmethod
    def _peers(cls, peers: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for networks in peers.values():
            cls._addresses(networks)
        return peers

    @model_validator(mode="after")
    def _certificate_whole(self) -> Self:
        for door in ("dicom", "hl7"):
            certificate, key, ca = (getattr(self, f"{door}_{part}") for part in ("certificate", "key", "ca"))
            names = f"TRABECULA_{door.upper()}_CERTIFICATE and TRABECULA_{door.upper()}_KEY"
            if (certificate is None) != (key is None):
                raise ValueError(f"{names} come together")
            if ca is not None and certificate is None:
                raise ValueError(f"TRABECULA_{door.upper()}_CA needs {names}")
        return self

    @model_validator(mode="after")
    def _mail_whole(self) -> Self:
        if self.smtp_host is not None and self.smtp_from is None:
            raise ValueError("TRABECULA_SMTP_HOST needs TRABECULA_SMTP_FROM")
        if (self.smtp_user is None) != (self.smtp_password is None):
            raise ValueError("TRABECULA_SMTP_USER and TRABECULA_SMTP_PASSWORD come together")
        if self.smtp_security == "none" and self.smtp_password is not None:
            raise ValueError("TRABECULA_SMTP_PASSWORD is sent encrypted only: TRABECULA_SMTP_SECURITY=starttls or tls")
        return self

    @field_validator("services")
    @classmethod
    def _every_service(cls, services: dict[str, str] | None) -> dict[str, str] | None:
        if services is not None and set(services) != set(SERVICE_NAMES):
            raise ValueError(f"name the URL of each of {', '.join(SERVICE_NAMES)}")
        return services

    @model_validator(mode="after")
    def _one_data_secret(self) -> Self:
        if sum(given is not None for given in (self.data_secret, self.data_secret_command, self.data_secret_file)) > 1:
            raise ValueError(
                "set one of TRABECULA_DATA_SECRET, TRABECULA_DATA_SECRET_COMMAND and TRABECULA_DATA_SECRET_FILE"
            )
        return self

    @model_validator(mode="after")
    def _code_of_all_gateways(self) -> Self:
        if self.registration and self.services is not None and self.registration_code is None:
            raise ValueError("TRABECULA_REGISTRATION=true needs TRABECULA_REGISTRATION_CODE: gateways share it")
        return self

    @model_validator(mode="after")
    def _open_to_this_machine(self) -> Self:
        if self.cds_open and (not self.listens_here() or self.trusted_proxies):
            raise ValueError("TRABECULA_CDS_OPEN=true is for a gateway that this machine alone reaches, with no edge")
        return self

    @field_validator("oidc_issuer")
    @classmethod
    def _https(cls, url: str | None) -> str | None:
        if url is not None and (not is_secure_url(url) or "?" in url):
            raise ValueError("an address that begins with https://; http:// only for this very machine")
        return url

    @model_validator(mode="after")
    def _provider_whole(self) -> Self:
        if any(name.startswith("oidc_") for name in self.model_fields_set):
            missing = [f"TRABECULA_{name.upper()}" for name in OIDC_NEEDS if not getattr(self, name)]
            if missing:
                raise ValueError(f"sign-in by a provider also needs {', '.join(missing)}")
            if not is_secure_url(self.public_url or ""):
                raise ValueError("sign-in by a provider needs a TRABECULA_PUBLIC_URL that begins with https://")
        return self

    def clinic_policy(self) -> ClinicPolicy:
        """How this site reads a record; it travels with every question of a case."""
        ages: dict[str, Literal[50, 60] | None] = {"50": 50, "60": 60, "never": None}
        return ClinicPolicy(
            postmenopausal_from=ages[self.postmenopausal_assumed_from], frax_thresholds=self.frax_thresholds
        )

    def zone(self) -> ZoneInfo | None:
        """The zone of the times that people read; null is the machine's."""
        return None if self.time_zone is None else ZoneInfo(self.time_zone)

    def is_private(self) -> bool:
        """Whether what is said to the gateway is overheard by nobody: on this machine, or behind an edge with TLS."""
        return bool(self.trusted_proxies) or self.listens_here()

    def listens_here(self) -> bool:
        """Whether this machine alone reaches the gateway."""
        return self.host in ("127.0.0.1", "::1", "localhost")

    def sqlalchemy_url(self) -> str:
        """The database's URL with its asynchronous driver."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite+aiosqlite:///{(self.state_dir / 'trabecula.db').resolve()}"

    def sqlite_file(self) -> Path | None:
        """The database's file; null where the database is a server."""
        url = self.sqlalchemy_url()
        return Path(url.partition(":///")[2].partition("?")[0]) if url.startswith("sqlite") else None

    def audit_head_file(self) -> Path:
        """Where the end of the audit trail is noted, outside the database."""
        return self.state_dir / "audit_head"

    def internal_key(self) -> str:
        """The secret shared with the services."""
        return self._secret("internal_secret", self.internal_secret)

    def token_key(self) -> str:
        """The secret that signs access tokens."""
        return self._secret("token_secret", self.token_secret)

    def data_key(self) -> str:
        """The secret that the keys of patients and organisations are wrapped with.

        Raises:
            NoSecret: a key manager does not give it.
        """
        if self.data_secret_command is not None:
            if self._of_command is None:
                self._of_command = secret_of_command(self.data_secret_command, "TRABECULA_DATA_SECRET_COMMAND")
            return self._of_command
        if self.data_secret_file is not None:
            return secret_of_file(self.data_secret_file, "TRABECULA_DATA_SECRET_FILE")
        return self._secret("data_secret", self.data_secret)

    def data_key_source(self) -> str:
        """Where the data secret comes from, for who has to mend it."""
        if self.data_secret_command is not None:
            return "TRABECULA_DATA_SECRET_COMMAND"
        if self.data_secret_file is not None:
            return "TRABECULA_DATA_SECRET_FILE"
        return "TRABECULA_DATA_SECRET" if self.data_secret is not None else str(self.data_secret_kept())

    def data_secret_kept(self) -> Path:
        """The data secret's file in the state folder, where nothing else gives it."""
        return self.state_dir / "data_secret"

    def other_data_secret_kept(self) -> Path:
        """The file of the secret before in the state folder, while there are keys that it wrapped."""
        return self.state_dir / "other_data_secret"

    def other_data_key(self) -> str | None:
        """The secret before, or the next one, while there are keys of both."""
        if self.other_data_secret is not None:
            return self.other_data_secret.get_secret_value()
        file = self.other_data_secret_kept()
        return file.read_text().strip() if file.exists() else None

    def metrics_key(self) -> str:
        """What Prometheus sends to see the metrics."""
        return self._secret("metrics_token", self.metrics_token)

    def is_registration_open(self) -> bool:
        """Whether patients may register themselves."""
        return self.services is None and self.listens_here() if self.registration is None else self.registration

    def registration_secret(self) -> str:
        """The code that patients register with."""
        return self._secret("registration_code", self.registration_code, new_code)

    def _secret(self, name: str, given: SecretStr | None, make: Callable[[], str] = new_secret) -> str:
        return given.get_secret_value() if given is not None else kept_secret(self.state_dir / name, make)
