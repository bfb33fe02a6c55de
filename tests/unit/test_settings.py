import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import make_url

from lab import settings
from lab.settings import Settings, SettingsError

SECRET = "k3y-9f8e7d6c5b4a-long-enough-to-be-used"
PRODUCTION = {"LAB_ENV": "production", "LAB_SECRET_KEY": SECRET, "LAB_BASE_URL": "https://lab.example.org"}


def read(home: Path, **variables: str) -> Settings:
    return Settings.from_environ({"LAB_HOME": str(home), **variables})


def test_nothing_set_is_a_working_development(tmp_path: Path) -> None:
    found = read(tmp_path)
    assert (found.env, found.base_url, found.smtp) == ("development", "http://127.0.0.1:8000", None)
    assert found.sqlite_path == tmp_path / "var" / "lab.db"
    assert found.uploads == tmp_path / "var" / "uploads"
    assert found.default_locale == "it"
    assert not found.is_production and not found.is_secure
    assert read(tmp_path, PORT="9001").base_url == "http://127.0.0.1:9001"
    assert make_url(found.database_url).database == str(tmp_path / "var" / "lab.db")


def test_the_development_secret_is_kept_private_and_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: read(tmp_path).secret_key, range(24)))
    assert len(keys) == 1
    file = tmp_path / "var" / "secret_key"
    assert file.read_text().strip() in keys
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.write_text("cut")
    assert len(read(tmp_path).secret_key) >= 32


def test_secrets_are_not_shown(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        **PRODUCTION,
        LAB_DATABASE_URL="postgresql://lab:pa55word@db/lab",
        LAB_SMTP_URL="smtp://me:pa55word@mail.example.org?tls=starttls",
        LAB_MAIL_FROM="Laboratorio <lab@example.org>",
    )
    assert "pa55word" not in repr(found) and SECRET not in repr(found)
    assert found.is_production and found.is_secure and found.sqlite_path is None
    assert found.smtp == settings.SmtpServer("mail.example.org", 587, "starttls", "me", "pa55word")
    assert make_url(found.database_url).drivername == "postgresql+psycopg"
    assert make_url(found.database_url).password == "pa55word"


def test_a_secret_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(SECRET + "\n")
    variables = {key: value for key, value in PRODUCTION.items() if key != "LAB_SECRET_KEY"}
    assert read(tmp_path, **variables, LAB_SECRET_KEY_FILE=str(file)).secret_key == SECRET
    with pytest.raises(SettingsError, match="both"):
        read(tmp_path, **PRODUCTION, LAB_SECRET_KEY_FILE=str(file))
    with pytest.raises(SettingsError, match="cannot read"):
        read(tmp_path, **variables, LAB_SECRET_KEY_FILE=str(tmp_path / "none"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LAB_ENV", "prod"),
        ("LAB_DATABASE_URL", "mysql://x/y"),
        ("LAB_DATABASE_URL", "sqlite://"),
        ("LAB_DATABASE_URL", "sqlite:///:memory:"),
        ("LAB_DATABASE_URL", "postgresql://h:port/x"),
        ("LAB_SECRET_KEY", ""),
        ("LAB_SECRET_KEY", "short"),
        ("LAB_SECRET_KEY", "a" * 64),
        ("LAB_BASE_URL", ""),
        ("LAB_BASE_URL", "http://lab.example.org"),
        ("LAB_BASE_URL", "https://lab.example.org/path"),
        ("LAB_BASE_URL", "lab.example.org"),
        ("LAB_BASE_URL", "https://me:pw@lab.example.org"),
        ("LAB_BASE_URL", "https://lab.example.org:99999"),
        ("LAB_SMTP_URL", "http://mail"),
        ("LAB_SMTP_URL", "smtp://mail?tls=maybe"),
        ("LAB_SMTP_URL", "smtp://mail"),  # without a sender
        ("LAB_MAIL_FROM", "not an address"),
        ("LAB_MAIL_FROM", "a@b.it\nBcc: c@d.it"),
        ("LAB_LOCALES", "it,xx"),
        ("LAB_LOCALES", ","),
        ("LAB_TIMEZONE", "Europe/Seregno"),
        ("LAB_TIMEZONE", "../etc/passwd"),
        ("LAB_TRUSTED_PROXIES", "-1"),
        ("LAB_TRUSTED_PROXIES", "99"),
        ("LAB_LOG_LEVEL", "LOUD"),
        ("LAB_SLOW_STATEMENT_MS", "fast"),
        ("LAB_MAX_UPLOAD_BYTES", "1"),
        ("LAB_PAGE_CACHE_BYTES", "٣"),
    ],
)
def test_a_wrong_setting_stops_the_start_with_one_line(tmp_path: Path, name: str, value: str) -> None:
    read(tmp_path, **PRODUCTION)
    with pytest.raises(SettingsError) as caught:
        read(tmp_path, **{**PRODUCTION, name: value})
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith("LAB_")


def test_plain_http_is_for_this_machine_only(tmp_path: Path) -> None:
    for address in ("http://127.0.0.1:8000", "http://localhost", "http://[::1]:8000/"):
        assert read(tmp_path, **{**PRODUCTION, "LAB_BASE_URL": address}).base_url == address.rstrip("/")


def test_where_things_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "lab"
    (tmp_path / "templates").mkdir()
    monkeypatch.setattr(settings, "_PACKAGE", package)
    monkeypatch.chdir(tmp_path)
    # Not a checkout: a folder that happens to be called templates beside the package is not ours.
    assert settings.resource_dir("templates") == package / "_resources" / "templates"
    (tmp_path / "pyproject.toml").touch()
    assert settings.resource_dir("templates") == tmp_path / "templates"
    assert settings.resource_dir("static") == package / "_resources" / "static"
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert Settings.from_environ({}).home == tmp_path
    assert os.path.exists(tmp_path / "var" / "secret_key")


def test_absolute_paths_stay(tmp_path: Path) -> None:
    found = read(tmp_path, LAB_DATABASE_URL="sqlite:////srv/lab/x.db", LAB_UPLOADS="/srv/lab/photos")
    assert found.sqlite_path == Path("/srv/lab/x.db")
    assert found.uploads == Path("/srv/lab/photos")
