"""The built bundle: from a source name to its hashed address."""

from __future__ import annotations

import json
from pathlib import Path


class Assets:
    """Knows the manifest of `static/dist`. Without a bundle every name stands for itself."""

    PREFIX = "/static/"

    def __init__(self, static: Path) -> None:
        self.folder = static / "dist"
        manifest = self.folder / "manifest.json"
        self._names: dict[str, str] = (
            json.loads(manifest.read_text(encoding="utf-8")) if manifest.is_file() else {}
        )

    def url(self, name: str) -> str:
        """The address of one asset ("site.css"), good for ever since its name carries its hash."""
        return self.PREFIX + self._names.get(name, name)
