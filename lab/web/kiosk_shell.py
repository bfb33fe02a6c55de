"""The application of the tablets as files: what it consists of, and the one name for all of it."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from pathlib import Path

from lab.settings import resource_dir
from lab.web.app_state import lab

#: What the page needs besides itself, in the names of the bundle.
SHELL = (
    "kiosk.js",
    "kiosk.css",
    "kiosk-scan.js",
    "icons.svg",
    "images/plan.svg",
    "images/favicon.svg",
    "fonts/titillium-400.woff2",
    "fonts/titillium-600.woff2",
    "fonts/titillium-400-ext.woff2",
    "fonts/titillium-600-ext.woff2",
)
_TEMPLATES = ("layouts/kiosk.html", "pages/kiosk/index.html")


def files() -> list[str]:
    """Their addresses."""
    return [lab().assets.url(name) for name in SHELL]


def worker_file() -> Path:
    """The worker, as built."""
    assets = lab().assets
    return assets.folder / assets.url("kiosk-worker.js").removeprefix(assets.PREFIX)


def version() -> str:
    """Another one whenever the page or any of its files is another."""
    return _digest((*files(), lab().assets.url("kiosk-worker.js")))


@lru_cache(maxsize=8)
def _digest(files: tuple[str, ...]) -> str:
    """One name for the page and all its files; another when any of them is another."""
    whole = hashlib.sha256("\n".join(files).encode())
    for name in _TEMPLATES:
        whole.update((resource_dir("templates") / name).read_bytes())
    return whole.hexdigest()[:12]
