"""Alarms, not limits: what grew beyond its measure is named here with its reason."""

from __future__ import annotations

import ast

from tests.architecture.source import Module, modules, templates

FUNCTION, VIEW, MODULE, TEMPLATE = 40, 25, 400, 120

#: Longer with a reason: a path, or a path and a name (`lab/web/views/x.py:show`).
WITH_A_REASON: dict[str, str] = {}


def _length(node: ast.AST) -> int:
    """Lines of code of a function, its signature and docstring left out."""
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    body = node.body
    first = body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and len(body) > 1:
        first = body[1]
    return (node.end_lineno or 0) - first.lineno + 1


def _functions(module: Module) -> list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    return [
        (f"{module.place}:{node.name}", node)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def _is_view(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(".get(" in ast.unparse(d) or ".post(" in ast.unparse(d) for d in node.decorator_list)


def _unexplained(long: list[str]) -> list[str]:
    return [one for one in long if one.split(" ")[0] not in WITH_A_REASON]


def test_functions_fit_on_a_screen() -> None:
    long = [
        f"{name} {_length(node)}"
        for module in modules().values()
        for name, node in _functions(module)
        if _length(node) > FUNCTION
    ]
    assert _unexplained(long) == []


def test_views_are_short() -> None:
    long = [
        f"{name} {_length(node)}"
        for module in modules().values()
        if module.place.startswith("lab/web/views/")
        for name, node in _functions(module)
        if _is_view(node) and _length(node) > VIEW
    ]
    assert _unexplained(long) == []


def test_modules_are_about_one_thing() -> None:
    lines = {module.place: module.text.count("\n") for module in modules().values()}
    assert _unexplained([f"{place} {count}" for place, count in lines.items() if count > MODULE]) == []


def test_templates_show_one_thing() -> None:
    """Macro collections of templates/ui hold many small things, each short by itself."""
    lines = {name: text.count("\n") for name, text in templates().items() if not name.startswith("ui/")}
    assert _unexplained([f"{name} {count}" for name, count in lines.items() if count > TEMPLATE]) == []


def test_reasons_are_for_things_that_exist() -> None:
    places = {module.place for module in modules().values()} | set(templates())
    names = {name for module in modules().values() for name, _node in _functions(module)}
    assert set(WITH_A_REASON) <= places | names
