"""The settings of one installation, read once from the environment and checked before anything starts."""

import fcntl
import ipaddress
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit
from zoneinfo import ZoneInfo

from lab.kernel import locales
from lab.kernel.text import valid_email

_PACKAGE = Path(__file__).resolve().parent
_SECRET_BYTES = 32
_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_SMTP_PORTS = {"smtp": 25, "smtps": 465}


class SettingsError(Exception):
    """A setting is missing or wrong; the text is one line that says which and what to write."""


@dataclass(frozen=True)
class SmtpServer:
    """Where mail is handed over. `tls` is `none`, `starttls` or `tls` (from the first byte)."""

    host: str
    port: int
    tls: str
    username: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything an administrator may set. Relative paths start from `home`.

    `home` is `LAB_HOME` if given, else the project folder when running from a checkout, else the current
    folder. Sizes are bytes, durations say their unit in the name.
    """

    env: str
    home: Path
    database_url: str = field(repr=False)
    secret_key: str = field(repr=False)
    base_url: str
    smtp: SmtpServer | None
    mail_from: str
    uploads: Path
    static: Path
    locales: tuple[str, ...]
    timezone: str
    trusted_proxies: int
    log_level: str
    slow_statement_ms: int
    max_upload_bytes: int
    page_cache_bytes: int
    kiosk_worker: bool

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> "Settings":
        """Read and check the `LAB_*` variables. Raises SettingsError, one line, at the first wrong one."""
        read = _Reader(environ)
        env = read.one_of("LAB_ENV", ("development", "production"), "development")
        home = _home(read)
        smtp = _smtp(read.text("LAB_SMTP_URL"))
        base_url = _base_url(read, env)
        return cls(
            env=env,
            home=home,
            database_url=_database_url(read.text("LAB_DATABASE_URL", "sqlite:///var/lab.db"), home, env),
            secret_key=_secret_key(read, home, env),
            base_url=base_url,
            smtp=smtp,
            mail_from=_mail_from(read, smtp, env),
            uploads=home / read.text("LAB_UPLOADS", "var/uploads"),
            static=home / read.text("LAB_STATIC", str(resource_dir("static"))),
            locales=_locales(read.text("LAB_LOCALES", "it,en,ar")),
            timezone=_timezone(read.text("LAB_TIMEZONE", "Europe/Rome")),
            trusted_proxies=read.number("LAB_TRUSTED_PROXIES", 0, 0, 10),
            log_level=read.one_of("LAB_LOG_LEVEL", _LOG_LEVELS, "INFO"),
            slow_statement_ms=read.number("LAB_SLOW_STATEMENT_MS", 100, 0, 3_600_000),
            max_upload_bytes=read.number("LAB_MAX_UPLOAD_BYTES", 12_000_000, 100_000, 100_000_000),
            page_cache_bytes=read.number("LAB_PAGE_CACHE_BYTES", 32_000_000, 0, 4_000_000_000),
            kiosk_worker=read.one_of("LAB_KIOSK_WORKER", ("on", "off"), "on") == "on",
        )

    @property
    def is_production(self) -> bool:
        """Whether real people use this installation."""
        return self.env == "production"

    @property
    def is_secure(self) -> bool:
        """Whether readers reach the site over TLS (decides on secure cookies and HSTS)."""
        return self.base_url.startswith("https://")

    @property
    def default_locale(self) -> str:
        """The first of the enabled languages."""
        return self.locales[0]

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which days begin and deadlines fall."""
        return ZoneInfo(self.timezone)

    @property
    def sqlite_path(self) -> Path | None:
        """The database file, or None for PostgreSQL and for a database in memory."""
        path = self.database_url.removeprefix("sqlite:///").split("?")[0]
        is_file = self.database_url.startswith("sqlite:///") and path != ":memory:"
        return Path(path) if is_file else None


def resource_dir(name: str) -> Path:
    """Where `templates`, `translations` or `static` are: beside the package, or inside it in a wheel."""
    beside = _PACKAGE.parent / name
    return beside if _is_checkout() and beside.is_dir() else _PACKAGE / "_resources" / name


class _Reader:
    """Variables, or the files that `X_FILE` names; empty counts as missing."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ

    def text(self, name: str, default: str = "") -> str:
        value = self._environ.get(name, "").strip()
        path = self._environ.get(f"{name}_FILE", "").strip()
        if value and path:
            raise SettingsError(f"{name} and {name}_FILE are both set: keep one of them")
        if path:
            try:
                value = Path(path).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                raise SettingsError(f"{name}_FILE: cannot read {path!r} ({_why(error)})") from error
            if not value:
                raise SettingsError(f"{name}_FILE: {path!r} is empty")
        if "\x00" in value or "\n" in value or "\r" in value:
            raise SettingsError(f"{name} must be one line of text")
        return value or default

    def one_of(self, name: str, choices: tuple[str, ...], default: str) -> str:
        value = self.text(name, default)
        for choice in choices:
            if choice.lower() == value.lower():
                return choice
        raise SettingsError(f"{name} is {value!r}: it must be one of {', '.join(choices)}")

    def number(self, name: str, default: int, low: int, high: int) -> int:
        value = self.text(name, str(default))
        if not (value.isascii() and value.isdigit() and len(value) <= 12 and low <= int(value) <= high):
            raise SettingsError(f"{name} is {value!r}: it must be a whole number from {low} to {high}")
        return int(value)


def _is_checkout() -> bool:
    return (_PACKAGE.parent / "pyproject.toml").is_file()


def _home(read: _Reader) -> Path:
    default = _PACKAGE.parent if _is_checkout() else Path.cwd()
    return Path(read.text("LAB_HOME", str(default))).absolute()


def _database_url(value: str, home: Path, env: str) -> str:
    scheme, separator, rest = value.partition("://")
    if separator and scheme in ("postgresql", "postgres", "postgresql+psycopg"):
        _split("LAB_DATABASE_URL", f"postgresql://{rest}")
        return f"postgresql+psycopg://{rest}"
    if not (separator and scheme == "sqlite" and rest.startswith("/") and len(rest) > 1):
        raise SettingsError(
            "LAB_DATABASE_URL must look like sqlite:///var/lab.db or postgresql://user@host/name"
        )
    path, question, query = rest[1:].partition("?")
    if path == ":memory:":
        if env == "production":
            raise SettingsError("LAB_DATABASE_URL is in memory: production needs a file or PostgreSQL")
        return value
    return f"sqlite:///{home / path}{question}{query}"


def _secret_key(read: _Reader, home: Path, env: str) -> str:
    key = read.text("LAB_SECRET_KEY")
    if key:
        if len(key.encode()) < _SECRET_BYTES or len(set(key)) < 8:
            raise SettingsError(
                f"LAB_SECRET_KEY must be at least {_SECRET_BYTES} random characters: "
                'make one with python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
            )
        return key
    if env == "production":
        raise SettingsError("LAB_SECRET_KEY is missing: set it, or LAB_SECRET_KEY_FILE, in production")
    return _kept_secret(home / "var" / "secret_key")


def _kept_secret(path: Path) -> str:
    # The lock makes two workers that start together agree on one key; a file left empty or cut short by a
    # power failure is written again.
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "r+", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            os.fchmod(file.fileno(), 0o600)
            key = file.read().strip()
            if len(key) < _SECRET_BYTES:
                key = secrets.token_urlsafe(48)
                file.seek(0)
                file.truncate()
                file.write(key + "\n")
                file.flush()
                os.fsync(file.fileno())
            return key
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"cannot keep the secret key in {str(path)!r} ({_why(error)})") from error


def _base_url(read: _Reader, env: str) -> str:
    port = read.number("PORT", 8000, 1, 65535)
    value = read.text("LAB_BASE_URL", "" if env == "production" else f"http://127.0.0.1:{port}")
    if not value:
        raise SettingsError(
            "LAB_BASE_URL is missing: write the public address, such as https://lab.example.org"
        )
    url = _split("LAB_BASE_URL", value)
    if url.scheme not in ("http", "https") or not url.hostname:
        raise SettingsError(f"LAB_BASE_URL is {value!r}: it must begin with https:// and a host name")
    if url.path not in ("", "/") or url.query or url.fragment or url.username is not None:
        raise SettingsError(
            "LAB_BASE_URL must be scheme, host and port only, such as https://lab.example.org"
        )
    if env == "production" and url.scheme == "http" and not _is_loopback(url.hostname):
        raise SettingsError("LAB_BASE_URL must begin with https:// in production (http only on this machine)")
    return f"{url.scheme}://{url.netloc.lower()}"


def _smtp(value: str) -> SmtpServer | None:
    if not value:
        return None
    # The value may hold a password, so it is never repeated in the error.
    shape = "LAB_SMTP_URL must look like smtp://user:password@host:587?tls=starttls"
    url = _split("LAB_SMTP_URL", value)
    tls = url.query.removeprefix("tls=") if url.query else ("tls" if url.scheme == "smtps" else "none")
    if url.scheme not in _SMTP_PORTS or not url.hostname or url.path not in ("", "/") or url.fragment:
        raise SettingsError(shape)
    if tls not in ("none", "starttls", "tls"):
        raise SettingsError("LAB_SMTP_URL: tls must be none, starttls or tls")
    port = url.port or (465 if tls == "tls" else 587 if tls == "starttls" else _SMTP_PORTS[url.scheme])
    return SmtpServer(url.hostname, port, tls, unquote(url.username or ""), unquote(url.password or ""))


def _mail_from(read: _Reader, smtp: SmtpServer | None, env: str) -> str:
    value = read.text("LAB_MAIL_FROM")
    if not value:
        if smtp and env == "production":
            raise SettingsError("LAB_MAIL_FROM is missing: write the address that mails come from")
        return "laboratorio@localhost.localdomain"
    name, address = parseaddr(value)
    if not valid_email(address) or (name == "" and value != address and value != f"<{address}>"):
        raise SettingsError(f"LAB_MAIL_FROM is {value!r}: it must be an address, or a name and an <address>")
    return value


def _locales(value: str) -> tuple[str, ...]:
    codes = tuple(dict.fromkeys(code.strip() for code in value.split(",") if code.strip()))
    unknown = [code for code in codes if code not in locales.SUPPORTED]
    if unknown or not codes:
        raise SettingsError(
            f"LAB_LOCALES is {value!r}: use codes among {', '.join(locales.SUPPORTED)}, parted by commas"
        )
    return codes


def _timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError) as error:
        raise SettingsError(f"LAB_TIMEZONE is {value!r}: it must be a name such as Europe/Rome") from error
    return value


def _split(name: str, value: str) -> SplitResult:
    try:
        url = urlsplit(value)
        url.port  # noqa: B018 - asking for it is the check
    except ValueError as error:
        raise SettingsError(f"{name} is not a valid address") from error
    return url


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _why(error: Exception) -> str:
    return (error.strerror or "unreadable") if isinstance(error, OSError) else "not text"
