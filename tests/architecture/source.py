"""The project's own source, read once: Python as syntax trees, templates as text and as Jinja trees."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
LAB = ROOT / "lab"
TEMPLATES = ROOT / "templates"


@dataclass(frozen=True)
class Module:
    """One Python file of the product."""

    name: str
    path: Path
    text: str
    tree: ast.Module

    @property
    def place(self) -> str:
        """Its path as one writes it: lab/web/access.py."""
        return str(self.path.relative_to(ROOT))


@cache
def modules() -> dict[str, Module]:
    """Every module of lab/ by dotted name, migrations left out: they are history, not structure."""
    found = {}
    for path in sorted(LAB.rglob("*.py")):
        if "versions" in path.parts or "__pycache__" in path.parts:
            continue
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        text = path.read_text(encoding="utf-8")
        found[name] = Module(name, path, text, ast.parse(text, str(path)))
    return found


def below(*folders: str) -> list[Module]:
    """Modules in these folders of lab/ ("services", "web")."""
    starts = tuple(f"lab.{folder}" for folder in folders)
    return [module for name, module in modules().items() if any(_inside(name, start) for start in starts)]


def _inside(name: str, start: str) -> bool:
    return name == start or name.startswith(start + ".")


def _for_types_only(module: Module) -> set[int]:
    """Lines of imports under `if TYPE_CHECKING:`, which nobody reads at run time."""
    return {
        inner.lineno
        for branch in ast.walk(module.tree)
        if isinstance(branch, ast.If) and "TYPE_CHECKING" in ast.dump(branch.test)
        for inner in ast.walk(branch)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    }


def imports(module: Module) -> list[tuple[str, ast.Import | ast.ImportFrom]]:
    """What a module imports at run time, as dotted names ("lab.db.engine.Database" for a name taken)."""
    found: list[tuple[str, ast.Import | ast.ImportFrom]] = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, node) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [(f"{node.module or ''}.{alias.name}", node) for alias in node.names]
    silent = _for_types_only(module)
    return [(name, node) for name, node in found if node.lineno not in silent]


def own_imports(module: Module) -> set[str]:
    """The modules of lab/ that a module imports."""
    known = modules()
    found = set()
    for name, _node in imports(module):
        if not _inside(name, "lab"):
            continue
        while name not in known:
            name = name.rpartition(".")[0]
        found.add(name)
    return found - {module.name}


@cache
def templates() -> dict[str, str]:
    """Every template by the name one renders it with."""
    return {
        str(path.relative_to(TEMPLATES)): path.read_text(encoding="utf-8")
        for path in sorted(TEMPLATES.rglob("*"))
        if path.is_file()
    }
