"""What an installation stands on: locks, licence, public description, commands, and the built bundle."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
LOCKS = sorted(ROOT.glob("requirements*.lock"))
PINNED = re.compile(r"^([a-z0-9][a-z0-9.-]*)==([^\s;\\]+)", re.MULTILINE)


def pins(lock: Path) -> dict[str, str]:
    return dict(PINNED.findall(lock.read_text()))


def normal(requirement: str) -> str:
    """The name a requirement begins with, written as lock files write it."""
    return re.sub(r"[-_.]+", "-", re.match(r"[A-Za-z0-9._-]+", requirement)[0]).lower()  # type: ignore[index]


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def publiccode() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "publiccode.yml").read_text())
    return loaded


def test_the_locks_are_there() -> None:
    assert {lock.name for lock in LOCKS} >= {"requirements.lock", "requirements-dev.lock"}


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_names_no_registry_and_pins_every_package_by_hash(lock: Path) -> None:
    text = lock.read_text()
    assert "://" not in text
    entries = re.split(r"\n(?=[a-z0-9])", text.strip())
    without = [
        entry.split("==")[0] for entry in entries if "==" not in entry or "--hash=sha256:" not in entry
    ]
    assert without == []


def test_the_npm_lock_names_no_registry_and_checks_what_arrives() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    installed = {name: package for name, package in packages.items() if name}
    assert [name for name, package in installed.items() if "resolved" in package] == []
    assert [name for name, package in installed.items() if "integrity" not in package] == []


def test_what_the_project_asks_for_is_locked(project: dict[str, Any]) -> None:
    run, dev = pins(ROOT / "requirements.lock"), pins(ROOT / "requirements-dev.lock")
    asked = {normal(requirement) for requirement in project["project"]["dependencies"]}
    assert asked - run.keys() == set()
    asked_dev = {normal(requirement) for requirement in project["dependency-groups"]["dev"]}
    assert asked_dev - dev.keys() == set()
    for group in ("build", "uv", "node"):
        names = {normal(requirement) for requirement in project["dependency-groups"][group]}
        assert names - pins(ROOT / f"requirements-{group}.lock").keys() == set()


def test_tests_run_on_the_versions_that_serve() -> None:
    run, dev = pins(ROOT / "requirements.lock"), pins(ROOT / "requirements-dev.lock")
    assert {name: (version, dev.get(name)) for name, version in run.items() if dev.get(name) != version} == {}


def test_the_npm_lock_holds_what_package_json_asks_for() -> None:
    asked = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert {name: packages[f"node_modules/{name}"]["version"] for name in asked} == asked


def test_the_licence_is_the_one_that_is_named(project: dict[str, Any], publiccode: dict[str, Any]) -> None:
    text = (ROOT / "LICENSE").read_text()
    assert text.lstrip().startswith("GNU AFFERO GENERAL PUBLIC LICENSE")
    assert "Version 3, 19 November 2007" in text
    npm = json.loads((ROOT / "package.json").read_text())["license"]
    assert {project["project"]["license"], publiccode["legal"]["license"], npm} == {"AGPL-3.0-or-later"}


def test_publiccode_has_what_version_0_7_asks_for(publiccode: dict[str, Any]) -> None:
    assert publiccode["publiccodeYmlVersion"].startswith("0.7")
    assert publiccode["name"]
    assert publiccode["url"].startswith("https://")
    assert publiccode["platforms"] == ["web"]
    assert publiccode["softwareType"] == "standalone/web"
    assert publiccode["developmentStatus"] in {"concept", "development", "beta", "stable", "obsolete"}
    assert publiccode["maintenance"]["type"] in {"internal", "contract", "community", "none"}
    assert all(contact["name"] for contact in publiccode["maintenance"]["contacts"])
    assert publiccode["localisation"]["localisationReady"] is True
    assert publiccode["localisation"]["availableLanguages"]
    assert "IT" not in publiccode, "0.7 deprecates the whole section"


@pytest.mark.parametrize("language", ["it", "en"])
def test_publiccode_describes_the_software(publiccode: dict[str, Any], language: str) -> None:
    description = publiccode["description"][language]
    assert 0 < len(description["shortDescription"]) <= 150
    assert 150 <= len(description["longDescription"]) <= 10_000
    assert description["features"]


def test_publiccode_tells_the_version_of_the_project(
    project: dict[str, Any], publiccode: dict[str, Any]
) -> None:
    assert publiccode["softwareVersion"] == project["project"]["version"]


def test_ci_does_what_a_person_does() -> None:
    run = ROOT / ".ci/run"
    assert run.stat().st_mode & 0o111
    assert "exec make test" in run.read_text()


def test_the_promised_commands_are_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert targets >= {"run", "test", "bench", "dist", "lint", "format", "clean", "lock", "bundle", "env"}


def test_hooks_need_nothing_from_elsewhere() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    assert [repository["repo"] for repository in hooks["repos"]] == ["local"]


@pytest.fixture(scope="module")
def manifest() -> dict[str, str]:
    path = ROOT / "static/dist/manifest.json"
    if not path.exists():
        pytest.fail("the interface is not built: run `make bundle`")
    loaded: dict[str, str] = json.loads(path.read_text())
    return loaded


def test_the_bundle_has_every_file_it_names_and_its_compressed_forms(manifest: dict[str, str]) -> None:
    dist = ROOT / "static/dist"
    for hashed in manifest.values():
        assert (dist / hashed).is_file(), hashed
        if hashed.endswith((".css", ".js", ".svg")):
            assert (dist / f"{hashed}.br").is_file(), hashed
            assert (dist / f"{hashed}.gz").is_file(), hashed


def test_the_styles_say_the_version_of_the_kit_in_double_quotes(manifest: dict[str, str]) -> None:
    """The official checker strips double quotes only, and fails on the single quotes the kit has."""
    version = json.loads((ROOT / "package.json").read_text())["devDependencies"]["bootstrap-italia"]
    css = (ROOT / "static/dist" / manifest["site.css"]).read_text()
    assert re.search(rf'--bootstrap-italia-version:\s*"{re.escape(version)}"', css)


def test_the_styles_ask_only_for_files_that_are_built(manifest: dict[str, str]) -> None:
    for name, hashed in manifest.items():
        if name.endswith(".css"):
            asked = re.findall(r"url\(\"?([^\")]+)\"?\)", (ROOT / "static/dist" / hashed).read_text())
            own = {url for url in asked if not url.startswith(("data:", "#"))}
            assert own - set(manifest.values()) == set(), name


def test_the_typefaces_of_a_first_visit_weigh_16_kb_at_most(manifest: dict[str, str]) -> None:
    fonts = [hashed for name, hashed in manifest.items() if re.fullmatch(r"fonts/titillium-\d+\.woff2", name)]
    assert fonts
    assert sum((ROOT / "static/dist" / font).stat().st_size for font in fonts) <= 16_000
