"""`lab export`: what everybody may read, as files. The site's own API gives it, so nothing else gets out."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

import click

from lab.cli.common import (
    fail,
    going_through,
    json_option,
    open_database,
    require_schema,
    say,
    say_json,
    words,
)
from lab.kernel.clock import utcnow
from lab.kernel.csvsafe import csv_lines
from lab.models.contributions import ASIDE_STATES

if TYPE_CHECKING:
    from werkzeug.test import Client

Json = dict[str, Any]

API = "/api/v1"
#: Items asked for at a time; the most that the API gives.
PAGE = 100
#: What stands in no list of the API but on a page of its own.
TABLES = {"outcomes.csv": "/esiti/numeri.csv"}
#: Lists that the file of a project holds whole, each by its address with `?project=`.
OF_A_PROJECT = ("proposals", "actions", "events", "commitments")

_folder = click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))


class Site:
    """The composed application, asked as any program would ask it."""

    def __init__(self, client: Client, base_url: str) -> None:
        self._client = client
        self._base_url = base_url

    def read(self, path: str) -> bytes | None:
        """What stands at an address; None where there is nothing."""
        with self._client.get(path, base_url=self._base_url) as response:
            if response.status_code == 404:
                return None
            if response.status_code != 200:
                raise fail(f"{path}: risposta {response.status}", f"{path}: answered {response.status}")
            return response.get_data()

    def json(self, path: str) -> Json | None:
        """The same where JSON stands."""
        body = self.read(path)
        return json.loads(body) if body is not None else None

    def items(self, name: str, **asked: str) -> Iterator[Json]:
        """All items of a list, page by page; also what the list shows only to who asks for its state."""
        for state in ("", *sorted(ASIDE_STATES)) if name == "proposals" else ("",):
            wish = {**asked, "limit": str(PAGE)} | ({"state": state} if state else {})
            following: str | None = f"{API}/{name}?{urlencode(wish)}"
            while following:
                page = self.json(following) or {"items": (), "next": None}
                yield from page["items"]
                following = _local(page["next"])


def _local(address: str | None) -> str | None:
    """An address of the site without its host."""
    if address is None:
        return None
    parts = urlsplit(address)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


@contextmanager
def _site() -> Iterator[Site]:
    # Only here: putting the whole application together takes seconds that other commands need not wait.
    from werkzeug.test import Client

    from lab.app import create_app

    with open_database() as (settings, database):
        require_schema(database)
        # Every address is read once: pages need not be kept.
        app = create_app(replace(settings, page_cache_bytes=0), database=database)
        yield Site(Client(app.wsgi_app), settings.base_url)


@click.group(
    "export", help=words("Porta fuori quello che tutti possono leggere.", "Take out what is public.")
)
def group() -> None:
    """Export commands."""


@group.command("open-data", help=words("I dati aperti, in CSV e JSON.", "The open data, as CSV and JSON."))
@_folder
@json_option
def open_data(folder: Path, as_json: bool) -> None:
    """Write every list of the API. A file appears when it is whole; run again, it is written anew."""
    with _site() as site:
        description = site.json(f"{API}/openapi.json") or {}
        lists = _lists(description)
        folder.mkdir(parents=True, exist_ok=True)
        made = {}
        for name in going_through([*lists, *TABLES], quiet=as_json):
            if name in TABLES:
                _write(folder / name, [site.read(TABLES[name]) or b""])
            else:
                made[name] = _write_list(folder, name, lists[name], site.items(name))
        _write_json(folder / "openapi.json", description)
        _conclude(folder, made, as_json)


@group.command(
    help=words("Il fascicolo di un progetto, con le foto.", "The file of a project, with pictures.")
)
@click.argument("code")
@_folder
@json_option
def project(code: str, folder: Path, as_json: bool) -> None:
    """Write one project with all that belongs to it: each thing whole as JSON, the lists as CSV too."""
    with _site() as site:
        itself = site.json(f"{API}/projects/{quote(code, safe='')}")
        if itself is None:
            raise fail(f"Non c'è un progetto {code}.", f"There is no project {code}.")
        lists = _lists(site.json(f"{API}/openapi.json") or {})
        folder.mkdir(parents=True, exist_ok=True)
        _write_json(folder / "project.json", itself)
        made: dict[str, int] = {}
        for name in going_through(OF_A_PROJECT, quiet=as_json):
            whole = partial(_whole, site, folder, name)
            made[name] = _write_list(folder, name, lists[name], site.items(name, project=code), whole)
        _conclude(folder, made, as_json)


def _whole(site: Site, folder: Path, name: str, item: Json) -> Json:
    """One thing with all that hangs on it; its photographs are laid beside it."""
    whole = site.json(f"{API}/{name}/{item['code']}") or item
    for photo in whole.get("photos", ()):
        address = _local(photo["url"]) or ""
        picture = site.read(address)
        if picture is not None:
            _write(folder / "photos" / address.rpartition("/")[2], [picture])
    return whole


def _lists(description: Json) -> dict[str, list[str]]:
    """The lists of the API, by name, with the columns of their items."""
    schemas = description["components"]["schemas"]
    found = {}
    for path, methods in description["paths"].items():
        schema = methods["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        items = schemas.get(_name(schema), {}).get("properties", {}).get("items")
        if items is not None:
            found[path.strip("/")] = list(_columns(schemas[_name(items["items"])], schemas))
    return found


def _name(schema: Json) -> str:
    reference: str = schema.get("$ref", "")
    return reference.rpartition("/")[2]


def _columns(shape: Json, schemas: Json) -> Iterator[str]:
    """The fields of a shape; those of a thing inside it come as `thing.field`."""
    for field, schema in shape["properties"].items():
        inner = [_name(one) for one in schema.get("anyOf", [schema]) if _name(one)]
        if inner:
            yield from (f"{field}.{part}" for part in _columns(schemas[inner[0]], schemas))
        else:
            yield field


def _cell(item: Json, column: str) -> object:
    value: Any = item
    for part in column.split("."):
        value = value[part] if value is not None else None
    if isinstance(value, list):
        return ", ".join(one["code"] if isinstance(one, dict) else str(one) for one in value)
    return value


def _write_list(
    folder: Path,
    name: str,
    columns: list[str],
    items: Iterable[Json],
    whole: Callable[[Json], Json] = lambda item: item,
) -> int:
    """Write the items as CSV and, whole, as JSON while they are read. Returns how many there are."""
    count = 0

    def rows(out: IO[bytes]) -> Iterator[list[object]]:
        nonlocal count
        yield list(columns)
        for item in items:
            out.write(b",\n" if count else b"[\n")
            out.write(json.dumps(whole(item), ensure_ascii=False).encode())
            count += 1
            yield [_cell(item, column) for column in columns]
        out.write(b"\n]\n" if count else b"[]\n")

    with _appearing(folder / f"{name}.json") as out:
        _write(folder / f"{name}.csv", csv_lines(rows(out)))
    return count


def _write(path: Path, pieces: Iterable[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with _appearing(path) as out:
        out.writelines(pieces)


def _write_json(path: Path, value: Json) -> None:
    _write(path, [json.dumps(value, ensure_ascii=False, indent=1).encode()])


@contextmanager
def _appearing(path: Path) -> Iterator[IO[bytes]]:
    """A file that gets its name when it is whole."""
    partial_file = path.with_name(path.name + ".part")
    with partial_file.open("wb") as out:
        yield out
    os.replace(partial_file, path)


def _conclude(folder: Path, made: dict[str, int], as_json: bool) -> None:
    about = {"made_at": utcnow().isoformat(timespec="seconds"), "license": "CC-BY-4.0", "items": made}
    _write_json(folder / "about.json", about)
    if as_json:
        say_json(about)
        return
    counts = ", ".join(f"{name} {count}" for name, count in made.items())
    say(f"Scritto in {folder}: {counts}.", f"Written to {folder}: {counts}.")
