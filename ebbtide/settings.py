"""Settings from the environment (``EBBTIDE_...``), with defaults for one machine."""

from __future__ import annotations

import ipaddress
import os
import re
from pathlib import Path
from typing import Literal, Self

import platformdirs
from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PasswordUsers = Literal["everybody", "patients", "nobody"]
_TIME_OF_DAY = re.compile(r"([01]\d|2[0-3]):[0-5]\d")
_WEB_ADDRESS = re.compile(r"https?://[^\s/?#]+([/?#]\S*)?")
StaffSecondFactor = Literal["off", "required"]
_NAMED_SERVER = re.compile(r"([a-z][a-z0-9-]{0,29})=(\S+)")
_SECRETS = Path(os.environ.get("EBBTIDE_SECRETS_DIR", "/run/secrets"))


class Settings(BaseSettings):
    """All settings, by section. ``EBBTIDE_`` and the name in capitals is the variable."""

    # Docker and systemd give secrets as files, such as /run/secrets/ebbtide_records_url.
    model_config = SettingsConfigDict(
        env_prefix="EBBTIDE_", secrets_dir=_SECRETS if _SECRETS.is_dir() else None
    )

    # Files
    data_dir: Path = Field(
        default_factory=lambda: Path(platformdirs.user_data_dir("ebbtide", appauthor=False)),
        description="Folder of the embedded store and of the outbox",
    )

    # API server
    api_host: str = "127.0.0.1"
    api_port: int = Field(default=8420, ge=0, le=65535)
    api_workers: int = Field(default=1, ge=1, le=64, description="Processes that answer")
    requests_a_minute: int = Field(
        default=1200, ge=10, description="That one account may send, to all workers together"
    )
    anonymous_requests_a_minute: int = Field(
        default=120, ge=10, description="That one address may send without a valid token"
    )
    trusted_proxies: str = Field(
        default="",
        description="Addresses and networks (CIDR), separated by commas, of the proxies and pages "
        "before the API; only their X-Forwarded-For and X-Forwarded-Proto are read",
        examples=["127.0.0.1, 10.0.3.0/24"],
    )
    passwords: PasswordUsers = Field(
        default="everybody",
        description="Who signs in with a password; all others with the clinic's OpenID Connect "
        "provider alone",
    )
    staff_second_factor: StaffSecondFactor = Field(
        default="off",
        description="required: therapists, analysts and administrators sign in with a passkey, or "
        "with a password and a code of an app; without one they can only set it up. Sign-in by the "
        "OpenID Connect provider is the provider's matter",
    )
    password_hashes_at_once: int = Field(
        default=2, ge=1, le=64, description="In each worker; each takes 64 MiB and a core"
    )

    # Mail
    smtp_host: str | None = Field(
        default=None,
        description="Server that takes mail, for links to set a new password; none if left out",
        examples=["mail.clinic.example"],
    )
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="tls: from the first byte, as on port 465"
    )
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    smtp_from: str | None = Field(
        default=None, description="Address of the sender", examples=["ebbtide@clinic.example"]
    )
    smtp_ca_file: Path | None = Field(
        default=None, description="Certificates to trust, where the server's is of one's own"
    )

    # Prompts
    push_services: str = Field(
        default="https://fcm.googleapis.com, https://*.push.services.mozilla.com, "
        "https://*.notify.windows.com, https://*.push.apple.com",
        description="The push services of browsers to which notifications may be posted; nothing "
        "is posted anywhere else, whatever address a browser names",
    )
    push_contact: str = Field(
        default="mailto:ebbtide@localhost.localdomain",
        description="Whom a push service may write to about the pushes of this service",
        examples=["mailto:it@clinic.example"],
    )

    # Exports by ranges
    export_snapshot_mb: int = Field(
        default=1024,
        ge=1,
        description="Room for exports that are read by ranges; larger ones come without ranges",
    )
    export_snapshot_minutes: int = Field(
        default=60, ge=1, le=1440, description="How long after its last use such an export stays"
    )

    # Questionnaires
    questionnaires_dir: Path | None = Field(
        default=None,
        description="Folder of a clinic's own questionnaires, *.toml; a broken one ends the start",
    )
    questionnaires_asked: str = Field(
        default="",
        description="Ids of the questionnaires that the programme asks, separated by commas; all "
        "if left out",
        examples=["gad7, pgic"],
    )
    help_lines: str = Field(
        default="",
        max_length=300,
        description="Lines to talk to in your country, in place of those of the words of help, "
        "which are of the US, Canada, the UK, Ireland and Germany",
        examples=["To talk with somebody, day or night: 143 in Switzerland."],
    )
    help_contact: str = Field(
        default="",
        max_length=300,
        description="Whom a patient of yours can call, shown with the words of help after an "
        "answer that tells of thoughts of death or self-harm",
        examples=["Our clinic: 030 1234567, on weekdays from 9 to 17"],
    )

    # Research
    research_min_people: int = Field(
        default=5,
        ge=5,
        le=1000,
        description="Analysts get nothing of fewer people, and new people join together, so many "
        "at a time",
    )

    # Logs and metrics
    log_format: Literal["text", "json"] = Field(
        default="text", description="json: one object a line, for a log collector"
    )
    metrics_port: int | None = Field(
        default=None,
        ge=0,
        le=65535,
        description="Serve Prometheus metrics there, on metrics_host; none if left out",
    )
    metrics_host: str = "127.0.0.1"

    # Dashboard
    dashboard_host: str = "127.0.0.1"
    dashboard_port: int = Field(default=8421, ge=0, le=65535)

    # Addresses
    api_url: str = Field(
        default="http://127.0.0.1:8420", description="Where ingest and dashboard find the API"
    )
    dashboard_url: str = Field(
        default="http://127.0.0.1:8421", description="Where people find the pages"
    )

    # Recording
    upload_every_s: float = Field(
        default=2.0,
        ge=0.5,
        le=600,
        description="How long beats wait in the outbox; what is seen live is that late",
    )

    outbox_keep_days: int = Field(
        default=30,
        ge=0,
        le=3650,
        description="How long the outbox keeps what the server has, until a backup covers it",
    )
    outbox_keep_mb: int = Field(
        default=300,
        ge=0,
        le=100_000,
        description="How much of it the outbox keeps at most; the oldest goes first",
    )

    # Sign-in at an OpenID Connect provider
    oidc_issuer: str | None = Field(
        default=None,
        description="The clinic's OpenID Connect provider; passwords alone if left out",
        examples=["https://sign-in.example.org"],
    )
    oidc_client_id: str = "ebbtide"
    oidc_client_secret: SecretStr | None = None
    oidc_api_url: str | None = Field(
        default=None,
        description="Where browsers find this API, for coming back; EBBTIDE_API_URL if left out",
    )

    # Consent and retention
    erasure_ledger: Path | None = Field(
        default=None,
        description="File of the ids (hashed) of who was erased, outside of the data folder; if "
        "left out, beside it, or in it where nothing beside it can be written",
        examples=["/var/backups/ebbtide/erased.jsonl"],
    )
    withdrawal_hours: float = Field(
        default=24.0,
        ge=0,
        le=720,
        description="How long whoever takes back consent to keeping may change their mind, before "
        "the service erases their data; 0: at once",
    )
    keep_days: int | None = Field(
        default=None,
        ge=1,
        description="Erase (ebbtide retention) whoever sent nothing new for so many days",
    )

    # Jobs in the queue on PostgreSQL
    jobs_in_api: bool = Field(
        default=True,
        description="Whether processes of the API work at the queue of jobs, too; false: ebbtide "
        "worker alone",
    )
    nightly_at: str | None = Field(
        default=None,
        description="When the nightly analysis is put into the queue each day, in UTC; without "
        "it, it is run by ebbtide daily nightly",
        examples=["02:30"],
    )
    retention_at: str | None = Field(
        default=None,
        description="When whoever may not be kept any longer is erased each day, in UTC; without "
        "it, that is done by ebbtide retention --apply",
        examples=["04:00"],
    )

    # Servers in place of the embedded store
    records_url: SecretStr | None = Field(
        default=None,
        description="People and ratings on a server; the embedded store if left out",
        examples=["postgresql+psycopg://ebbtide:...@localhost/ebbtide"],
    )
    influxdb_url: str | None = Field(
        default=None,
        description="Beats on an InfluxDB server, or on several, each with a name that it keeps "
        "(the first one that there was is main); the embedded store if left out",
        examples=[
            "https://influxdb.example.org:8086",
            "main=https://one.example.org:8086, second=https://two.example.org:8086",
        ],
    )
    influxdb_database: str = Field(default="ebbtide", description="Database, or bucket, of beats")
    influxdb_user: str | None = None
    influxdb_password: SecretStr | None = None
    influxdb_token: SecretStr | None = None
    influxdb_ca_file: Path | None = Field(
        default=None, description="Certificates to trust, where the server's is of one's own"
    )
    influxdb_without_erasure: bool = Field(
        default=False, description="Use a server that cannot delete rows (InfluxDB 3 Core)"
    )

    @field_validator("smtp_password", "oidc_client_secret", mode="before")
    @classmethod
    def _omit_empty_secrets(cls, value: object) -> object:
        """Take the empty files that ``ebbtide secrets`` makes for no secret."""
        return None if value == "" else value

    @field_validator("trusted_proxies")
    @classmethod
    def _validate_proxies(cls, value: str) -> str:
        for item in value.split(","):
            if item.strip():
                try:
                    ipaddress.ip_network(item.strip())
                except ValueError as error:
                    raise ValueError(
                        "Input should be addresses or networks (CIDR), separated by commas"
                    ) from error
        return value

    @field_validator("api_url", "dashboard_url", "oidc_issuer", "oidc_api_url")
    @classmethod
    def _validate_url(cls, value: str | None) -> str | None:
        if value is not None and not _WEB_ADDRESS.fullmatch(value):
            raise ValueError("Input should be an address such as https://ebbtide.example.org")
        return value

    @field_validator("nightly_at", "retention_at")
    @classmethod
    def _validate_time_of_day(cls, value: str | None) -> str | None:
        if value is not None and not _TIME_OF_DAY.fullmatch(value):
            raise ValueError("Input should be a time of day in UTC, such as 02:30")
        return value

    @field_validator("influxdb_url")
    @classmethod
    def _validate_servers(cls, value: str | None) -> str | None:
        if value is not None and "," in value:
            found = [_NAMED_SERVER.fullmatch(item.strip()) for item in value.split(",")]
            names = [item[1] for item in found if item is not None]
            addresses = {item[2] for item in found if item is not None}
            if not len(found) == len(set(names)) == len(addresses):
                raise ValueError(
                    "Input should be one address, or name=address of each server, separated by "
                    "commas, each name and address once; names of small letters and digits"
                )
        return value

    @model_validator(mode="after")
    def _validate_ways_in(self) -> Self:
        if self.passwords != "everybody" and self.oidc_issuer is None:
            raise ValueError(
                "EBBTIDE_PASSWORDS without EBBTIDE_OIDC_ISSUER would let nobody else sign in"
            )
        return self

    @property
    def trusted_networks(self) -> list[str]:
        """The trusted proxies, each as an address or a network."""
        return [item.strip() for item in self.trusted_proxies.split(",") if item.strip()]

    @property
    def influxdb_servers(self) -> dict[str, str]:
        """The addresses of the InfluxDB servers by name; one without a name is main."""
        if self.influxdb_url is None:
            return {}
        items = [item.strip() for item in self.influxdb_url.split(",")]
        named = [_NAMED_SERVER.fullmatch(item) for item in items]
        if any(item is None for item in named):
            return {"main": self.influxdb_url}
        return {item[1]: item[2] for item in named if item is not None}

    @property
    def is_embedded(self) -> bool:
        """Whether both stores are files, so that no setting names a server."""
        return self.records_url is None and self.influxdb_url is None

    @property
    def beats_file(self) -> Path:
        """SQLite file of beats."""
        return self.data_dir / "beats.sqlite"

    @property
    def records_file(self) -> Path:
        """SQLite file of people and ratings."""
        return self.data_dir / "records.sqlite"

    @property
    def snapshots_dir(self) -> Path:
        """Exports that are read by ranges, for as long as they are."""
        return self.data_dir / "export-snapshots"

    @property
    def outbox_file(self) -> Path:
        """SQLite file of what is not uploaded yet."""
        return self.data_dir / "outbox.sqlite"

    @property
    def sign_ins_file(self) -> Path:
        """Access tokens of the people who record on this machine."""
        return self.data_dir / "sign-ins.json"

    @property
    def straps_file(self) -> Path:
        """Paired straps and their patients."""
        return self.data_dir / "straps.json"

    @property
    def recording_lock(self) -> Path:
        """Lock file of the recorder: two of them would store each beat twice."""
        return self.data_dir / "recording.lock"

    @property
    def ecg_folder(self) -> Path:
        """Folder of ECG recordings (``ebbtide record --ecg``)."""
        return self.data_dir / "ecg"
