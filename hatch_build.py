"""Puts what the application reads beside its code into the wheel, so that a server needs no Node."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ResourcesHook(BuildHookInterface):  # type: ignore[type-arg]
    """Carries templates, translations and the built bundle as ``lab/_resources``.

    An editable install (``make env``) carries nothing: there the checkout itself is read.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version != "standard":
            return
        root = Path(self.root)
        if not (root / "static/dist/manifest.json").is_file():
            raise SystemExit("The interface is not built: run `make dist`, which does it first.")
        if not any((root / "translations").rglob("*.mo")):
            raise SystemExit("The translations are not compiled: run `make dist`, which does it first.")
        build_data["force_include"].update(
            {
                str(root / "wsgi.py"): "wsgi.py",
                str(root / "templates"): "lab/_resources/templates",
                str(root / "translations"): "lab/_resources/translations",
                str(root / "static/dist"): "lab/_resources/static/dist",
            }
        )
