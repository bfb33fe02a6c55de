"""Templates: parsed, titled, linked to pages that exist, reached, nothing inline, nothing unsafe."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest
from flask import Flask
from jinja2 import nodes

from lab.app import create_app
from lab.mail.render import _environment
from lab.settings import Settings
from tests.architecture.source import below, templates

#: Frames that leave the title to the pages which fill them.
_FRAMES = ("layouts/", "ui/", "partials/", "emails/", "feeds/")
_STYLE = re.compile(r"\sstyle\s*=|<style\b", re.IGNORECASE)
_SCRIPT = re.compile(r"<script\b(?![^>]*\bsrc=)", re.IGNORECASE)
_HANDLER = re.compile(r"<[^>]*\son[a-z]+\s*=", re.IGNORECASE)
#: Forms without a token, and why.
_WITHOUT_TOKEN = {
    "errors/bare.html": "sends again what could not be taken, with the token it was sent with",
    "partials/trouble.html": "the same",
    "pages/kiosk/index.html": "its script sends the code, to an address that takes no cookie",
    "pages/notifications/mail.html": "its address is a secret of its own, good for this one thing",
}
_COMMENT = re.compile(r"\{#.*?#\}", re.DOTALL)
#: Macros may mark their own output as safe; pages hand over text.
_SAFE = re.compile(r"\|\s*safe\b")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    settings = Settings.from_environ(
        {"LAB_HOME": str(tmp_path_factory.mktemp("pages")), "LAB_SECRET_KEY": "for-tests-only-" + "x" * 32}
    )
    app = create_app(settings)
    yield app
    app.extensions["lab"].database.dispose()


def html() -> list[tuple[str, str]]:
    return [(name, _COMMENT.sub("", text)) for name, text in templates().items() if name.endswith(".html")]


def parsed(site: Flask) -> dict[str, nodes.Template]:
    return {name: site.jinja_env.parse(text, name) for name, text in templates().items()}


def pages() -> list[str]:
    """Templates that are whole pages: not the parts, whose file names begin with an underscore."""
    return [
        name
        for name in templates()
        if name.startswith(("pages/", "errors/")) and name.endswith(".html") and "/_" not in name
    ]


def test_every_template_compiles(site: Flask) -> None:
    for name in templates():
        environment = (
            _environment("it", name.endswith(".html")) if name.startswith("emails/") else site.jinja_env
        )
        environment.get_template(name)


def test_a_template_imports_the_macros_it_uses_and_no_others(site: Flask) -> None:
    """A part that leaned on the imports of its page would break on the next page that takes it in."""
    macros = {
        macro.name
        for name, tree in parsed(site).items()
        if name.startswith("ui/")
        for macro in tree.find_all(nodes.Macro)
    }
    wrong = []
    for name, tree in parsed(site).items():
        imported = {
            one[1] if isinstance(one, tuple) else one
            for node in tree.find_all(nodes.FromImport)
            for one in node.names
        }
        used = {node.name for node in tree.find_all(nodes.Name) if node.ctx == "load"}
        called = {node.node.name for node in tree.find_all(nodes.Call) if isinstance(node.node, nodes.Name)}
        own = {macro.name for macro in tree.find_all(nodes.Macro)}
        own |= {node.name for node in tree.find_all(nodes.Name) if node.ctx != "load"}
        wrong += [f"{name} does not use {one}" for one in imported - used]
        wrong += [f"{name} does not import {one}" for one in (called & macros) - imported - own]
    assert wrong == []


def test_every_page_extends_a_layout(site: Flask) -> None:
    trees = parsed(site)
    loose = [
        name
        for name in pages()
        if name != "errors/bare.html"  # shown when nothing works: stands alone
        and not any(
            isinstance(parent.template, nodes.Const) and _reaches_layout(trees, str(parent.template.value))
            for parent in trees[name].find_all(nodes.Extends)
        )
    ]
    assert loose == []


def _reaches_layout(trees: dict[str, nodes.Template], name: str) -> bool:
    if name.startswith("layouts/"):
        return True
    return any(
        isinstance(parent.template, nodes.Const) and _reaches_layout(trees, str(parent.template.value))
        for parent in trees[name].find_all(nodes.Extends)
    )


def test_every_page_has_a_title(site: Flask) -> None:
    trees = parsed(site)
    assert [name for name in pages() if name != "errors/bare.html" and not _titled(trees, name)] == []


def _titled(trees: dict[str, nodes.Template], name: str) -> bool:
    if any(block.name == "title" and block.body for block in trees[name].find_all(nodes.Block)):
        return not name.startswith("layouts/")
    return any(
        isinstance(parent.template, nodes.Const) and _titled(trees, str(parent.template.value))
        for parent in trees[name].find_all(nodes.Extends)
    )


def test_a_page_is_handed_only_what_it_reads(site: Flask) -> None:
    """What is worked out for a page and not shown costs every reader, often a statement to the database."""
    own = {name: _looked_up(tree) for name, tree in parsed(site).items()}
    unread = [
        f"{module.place}:{call.lineno} {word.arg}"
        for module in below("web")
        for call in ast.walk(module.tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "render_template"
        and isinstance(call.args[0], ast.Constant)
        for read in [_read(own, str(call.args[0].value))]
        for word in call.keywords
        if word.arg and word.arg not in read
    ]
    assert unread == []


def _looked_up(tree: nodes.Template) -> tuple[set[str], set[str]]:
    """The names a template looks up, and how those begin that it draws in."""
    names = {one.name for one in tree.find_all(nodes.Name) if one.ctx == "load"}
    # The name of a template may be put together: it stands for all that begin like its constant part.
    drawn = {
        str(part.value)
        for node in tree.find_all((nodes.Extends, nodes.Include))
        for part in [node.template, *node.template.find_all(nodes.Const)]
        if isinstance(part, nodes.Const)
    }
    return names, drawn


def _read(own: dict[str, tuple[set[str], set[str]]], page: str) -> set[str]:
    """The names that a page and all it draws in look up."""
    found, seen, left = set[str](), set[str](), [page]
    while left:
        name = left.pop()
        if name not in seen:
            seen.add(name)
            names, drawn = own[name]
            found |= names
            left += [other for begin in drawn for other in own if other.startswith(begin)]
    return found


def test_links_lead_to_routes_that_exist(site: Flask) -> None:
    endpoints = set(site.view_functions)
    dead = [
        f"{name}:{call.lineno} {call.args[0].value}"
        for name, tree in parsed(site).items()
        for call in tree.find_all(nodes.Call)
        if isinstance(call.node, nodes.Name)
        and call.node.name == "url_for"
        and call.args
        and isinstance(call.args[0], nodes.Const)
        and call.args[0].value not in endpoints
    ]
    assert dead == []


def test_links_made_in_python_lead_to_routes_that_exist(site: Flask) -> None:
    endpoints = set(site.view_functions)
    dead = [
        f"{module.place} {name}"
        for module in below("web", "mail", "jobs")
        for name in re.findall(r"\burl_for\(\s*\"([a-z_.]+)\"", module.text)
        if name not in endpoints
    ]
    assert dead == []


@cache
def _named_somewhere() -> str:
    python = "\n".join(module.text for module in below("web", "mail", "jobs", "cli", "services"))
    return python + "\n".join(templates().values())


def test_no_page_is_an_orphan() -> None:
    """Every page, part and mail is rendered or included by somebody."""
    sources, patterns = _named_somewhere(), _patterns()
    orphans = []
    for name in templates():
        if name.startswith("errors/"):
            continue  # named by their number
        # A mail is a folder, named by its tag.
        wanted = name.split("/")[1] if name.startswith("emails/") and name.count("/") > 1 else name
        if f'"{wanted}"' in sources or f"'{wanted}'" in sources or f"emails/{wanted}/" in sources:
            continue
        if not any(pattern.fullmatch(wanted) for pattern in patterns):
            orphans.append(name)
    assert orphans == []


@cache
def _patterns() -> list[re.Pattern[str]]:
    """Names put together in Python: f"pages/me/{name}.html", f"{purpose}_code"."""
    found = []
    for module in below("web", "mail", "jobs", "services"):
        for node in ast.walk(module.tree):
            if not isinstance(node, ast.JoinedStr):
                continue
            parts = [
                re.escape(str(part.value)) if isinstance(part, ast.Constant) else "[a-z_]+"
                for part in node.values
            ]
            pattern = "".join(parts)
            if pattern.startswith("pages/") or pattern.endswith("_code"):
                found.append(re.compile(pattern))
    return found


def test_included_and_imported_templates_exist(site: Flask) -> None:
    missing = [
        f"{name}: {part.template.value}"
        for name, tree in parsed(site).items()
        for part in tree.find_all((nodes.Include, nodes.Extends, nodes.Import, nodes.FromImport))
        if isinstance(part.template, nodes.Const) and part.template.value not in templates()
    ]
    assert missing == []


def test_macros_that_are_imported_exist(site: Flask) -> None:
    trees = parsed(site)
    macros = {
        name: {macro.name for macro in tree.find_all(nodes.Macro)}
        | {
            str(assign.target.name)
            for assign in tree.find_all(nodes.Assign)
            if isinstance(assign.target, nodes.Name)
        }
        for name, tree in trees.items()
    }
    missing = [
        f"{name}: {wanted} of {part.template.value}"
        for name, tree in trees.items()
        for part in tree.find_all(nodes.FromImport)
        if isinstance(part.template, nodes.Const)
        for wanted in (item[0] if isinstance(item, tuple) else item for item in part.names)
        if wanted not in macros.get(part.template.value, set())
    ]
    assert missing == []


def test_macros_stand_in_the_ui_folder_and_see_no_context(site: Flask) -> None:
    trees = parsed(site)
    with_context = [
        name
        for name, tree in trees.items()
        for part in tree.find_all((nodes.Import, nodes.FromImport))
        if part.with_context and str(getattr(part.template, "value", "")).startswith("ui/")
    ]
    assert with_context == []


def test_nothing_is_marked_safe_outside_the_macros() -> None:
    assert [
        name for name, text in templates().items() if not name.startswith("ui/") and _SAFE.search(text)
    ] == []


def test_no_page_switches_escaping_off() -> None:
    assert [name for name, text in html() if "autoescape false" in text.lower()] == []


@pytest.mark.parametrize("what", [_STYLE, _SCRIPT, _HANDLER], ids=["style", "script", "handler"])
def test_nothing_is_inline(what: re.Pattern[str]) -> None:
    """The content policy refuses it; mails need their styles where they stand."""
    pages_ = [(name, text) for name, text in html() if not name.startswith("emails/")]
    # `call(...)` arguments such as `on_plan=` are Jinja's, not HTML's.
    found = [
        name for name, text in pages_ if what.search(re.sub(r"\{[{%].*?[%}]\}", "", text, flags=re.DOTALL))
    ]
    assert found == []


def test_forms_that_send_carry_a_token() -> None:
    """The macro brings it, with the summary of errors and the key against double clicks."""
    bare = [
        f"{name}: {form[:60]}"
        for name, text in html()
        if not name.startswith("ui/") and name not in _WITHOUT_TOKEN
        for form in re.findall(r"<form[^>]*method=[\"']?post.*?</form>", text, re.IGNORECASE | re.DOTALL)
        if not re.search(r"hidden_keys|csrf_token|hidden_tag", form)
    ]
    assert bare == []


def test_words_are_translatable() -> None:
    """A sentence that stands bare between tags would never be read in another language."""
    bare = []
    for name, text in html():
        if name.startswith(("emails/", "errors/bare")):
            continue
        without = re.sub(r"\{%-?\s*trans\b.*?endtrans\s*-?%\}", "", text, flags=re.DOTALL)
        without = re.sub(r"\{[{%].*?[%}]\}", "", without, flags=re.DOTALL)
        without = re.sub(r"<(svg|script|style)\b.*?</\1>", "", without, flags=re.DOTALL)
        for words in re.findall(r">\n*([^<>\n]+)<", without):
            if re.search(r"[a-zàèéìòù]{3,}\s+[a-zàèéìòù]{2,}", words):
                bare.append(f"{name}: {words.strip()[:60]}")
    assert bare == []
