"""A tablet in everybody's hands: who comes next learns nothing, and what people are told is true.

One meeting, a tablet for people who arrive and one at the door. The network turns out to be a hotel's, the
door goes on without any, and one tablet is taken off by the desk while somebody is writing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from lab.db.engine import Database
from lab.kernel.clock import utcnow
from lab.kernel.ids import token_digest
from lab.models.kiosk import Device, DeviceMode
from lab.policy.actor import SYSTEM
from lab.services import devices, registrations
from lab.services.context import Context
from lab.services.devices import NewCode
from lab.services.registrations import Party
from lab.settings import Settings
from tests.journeys.conftest import Factory, Site, running
from tests.meetings import make_event
from tests.tablets import PIN
from tests.world import build

TABLET = {"width": 800, "height": 1280}
NAME, MAIL = "Nadia Haddad", "nadia@demo.example"
CLAIM = "k" * 22
IDEA = "Una fontanella vicino alle bocce."
#: Everything that this browser keeps of the site, as one text.
KEPT = """async () => {
  const kept = [JSON.stringify({...localStorage, ...sessionStorage}), document.cookie];
  for (const { name } of await indexedDB.databases()) {
    const open = indexedDB.open(name);
    const db = await new Promise((ok, no) => { open.onsuccess = () => ok(open.result); open.onerror = no; });
    for (const store of db.objectStoreNames) {
      const all = db.transaction(store).objectStore(store).getAll();
      const rows = await new Promise((ok, no) => { all.onsuccess = () => ok(all.result); all.onerror = no; });
      const plain = (_key, value) => (ArrayBuffer.isView(value) || value instanceof ArrayBuffer
        ? new TextDecoder().decode(value) : value);
      kept.push(JSON.stringify(rows, plain));
    }
    db.close();
  }
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const one of await cache.keys()) kept.push(one.url, await (await cache.match(one)).text());
  }
  return kept.join('\\n');
}"""
#: A camera that shows one ticket, whose address is in `window.ticket`.
CAMERA = """
  navigator.mediaDevices.getUserMedia = async () => {
    const canvas = document.createElement('canvas');
    const drawing = canvas.getContext('2d');
    setInterval(() => drawing.fillRect(0, 0, 9, 9), 50);
    return canvas.captureStream();
  };
  window.BarcodeDetector = class {
    static async getSupportedFormats() { return ['qr_code']; }
    async detect() { return [{ rawValue: '%s' }]; }
  };
"""


@dataclass
class Hall:
    """A meeting with a code for a tablet of each kind, and somebody on its list."""

    site: Site
    database: Database
    codes: dict[DeviceMode, str]


@pytest.fixture
def hall(factory: Factory, tmp_path: Path) -> Iterator[Hall]:
    made: dict[str, Any] = {}
    with running(factory, tmp_path, lambda site: made.update(_meeting(site)), jobs=False) as site:
        yield Hall(site, **made)
        made["database"].dispose()


def _meeting(site: Site) -> dict[str, Any]:
    database, now = Database(Settings.from_environ(site.environ).database_url), utcnow()
    with database.writing() as session:
        event = make_event(session, build(session), starts_at=now + timedelta(minutes=40))
        ctx = Context(session, SYSTEM, now)
        registrations.sign_up(ctx, Party(event.id, "Omar Sala", claim_digest=token_digest(CLAIM)))
        made = {one: devices.make_code(ctx, NewCode(event.id, one.value, PIN, one)) for one in DeviceMode}
    return {"database": database, "codes": {mode: symbols for mode, (_row, symbols) in made.items()}}


def _paired(browser: Browser, hall: Hall, mode: DeviceMode, script: str = "") -> Page:
    """A tablet of its own, ready for the evening."""
    context = browser.new_context(
        viewport=TABLET,  # type: ignore[arg-type]
        base_url=hall.site.url,
        locale="it-IT",
        service_workers="allow",
    )
    context.set_default_timeout(15_000)
    if script:
        context.add_init_script(script)
    page = context.new_page()
    page.goto(f"/totem#{hall.codes[mode].replace('-', '')}")
    expect(page.locator(".test-list")).to_be_visible()
    page.click("main .go-main")
    return page


@pytest.mark.journey
def test_whoever_comes_next_learns_nothing_and_everybody_is_told_the_truth(
    hall: Hall, browser: Browser
) -> None:
    door = _paired(browser, hall, DeviceMode.DOOR, CAMERA % f"{hall.site.url}/biglietto/{CLAIM}")
    _the_door_knows_who_is_in(door)
    door.context.close()
    tablet = _paired(browser, hall, DeviceMode.KIOSK)
    _nothing_stays_of_whoever_was_here(tablet)
    _a_hotel_is_no_network(tablet)
    _taken_off_by_the_desk(tablet, hall.database)
    tablet.context.close()


def _nothing_stays_of_whoever_was_here(tablet: Page) -> None:
    """Not in the page, nor behind it, nor in what the browser keeps; and two who stand here count as two."""
    tablet.click(".deed-main")
    tablet.fill("main input", NAME)
    tablet.click('main button[aria-label="Uno in più"]')
    tablet.click('main button:has-text("Aggiungi")')
    tablet.locator("main input").first.fill(MAIL)
    tablet.click('main button[type="submit"]')
    tablet.click('main button[type="submit"]')
    expect(tablet.locator(".receipt h1")).to_have_text("Confermato, posto 2 di 10")
    code = tablet.locator(".receipt-code").inner_text()
    tablet.click('main button:has-text("Segna che ci sono")')
    expect(tablet.locator(".receipt h1")).to_have_text("Ci sei!")
    expect(tablet.locator(".receipt-text")).to_contain_text("Persone: 2")
    tablet.click('main button:has-text("Fine")')
    tablet.click('.deed:has-text("nell\'elenco")')
    expect(tablet.locator(".stepper-value")).to_have_text("Tutti")
    tablet.fill("main input", code)
    tablet.click('main button[type="submit"]')
    expect(tablet.locator(".receipt h1")).to_contain_text("Già dentro")
    tablet.click('main button:has-text("Fine")')
    expect(tablet.locator(".deed-main")).to_be_visible()
    _knows_nothing(tablet, code)
    # Whoever walks off to another page of the browser, and whoever comes back from there.
    tablet.click(".deed-main")
    tablet.fill("main input", NAME)
    tablet.goto("/totem-worker.js")
    tablet.go_back()
    expect(tablet.locator(".deed-main")).to_be_visible()
    assert tablet.locator("input").count() == 0
    _knows_nothing(tablet)


def _knows_nothing(tablet: Page, *more: str) -> None:
    shown = tablet.content()
    assert not [word for word in (NAME, MAIL, *more) if word in shown]
    kept = tablet.evaluate(KEPT)
    assert "client_uuid" in kept
    assert not [word for word in (*NAME.split(), MAIL, IDEA) if word in kept]


def _welcome(route: Route) -> None:
    route.fulfill(status=200, content_type="text/html", body="<h1>Benvenuti nel nostro albergo</h1>")


def _sign_in_first(route: Route) -> None:
    route.fulfill(status=302, headers={"Location": "https://albergo.example/entra"})


def _a_hotel_is_no_network(tablet: Page) -> None:
    """A network that answers everything with its own page took nothing, and the tablet says so."""
    for answer in (_welcome, _sign_in_first):
        tablet.context.route("**/totem/api/**", answer)
        _leave_an_idea(tablet)
        expect(tablet.locator(".receipt")).to_contain_text("Salvato su questo tablet")
        _knows_nothing(tablet)
        _next_person(tablet)
        _open_corner(tablet)
        expect(tablet.locator(".corner-facts")).to_contain_text("Chiede di entrare")
        tablet.context.unroute("**/totem/api/**")
        tablet.click('main button:has-text("Manda adesso")')
        expect(tablet.locator(".corner-facts > div").first).to_have_text(re.compile("Da mandare *0"))
        _next_person(tablet, "Chiudi")


def _taken_off_by_the_desk(tablet: Page, database: Database) -> None:
    """Its token ends while somebody writes: they are told, so is the next one, and it is all there."""
    _write_an_idea(tablet)
    with database.writing() as session:
        device = session.query(Device).filter_by(mode=DeviceMode.KIOSK).one()
        devices.revoke(Context(session, SYSTEM, utcnow()), device.id)
    tablet.click('main button[type="submit"]')
    expect(tablet.locator(".receipt")).to_contain_text("Da qui non parte da solo")
    tablet.click('main button:has-text("Fine")')
    expect(tablet.locator("main h1")).to_have_text("Questo tablet è scollegato")
    _open_corner(tablet)
    expect(tablet.locator(".corner-warn")).to_contain_text("non perde nulla")
    expect(tablet.locator(".corner-facts > div").first).to_have_text(re.compile("Da mandare *1"))
    with tablet.expect_download() as saved:
        tablet.click('main button:has-text("Salva il file")')
    assert IDEA not in saved.value.path().read_text(encoding="utf-8")


def _the_door_knows_who_is_in(door: Page) -> None:
    """Without network a second scan, and a second look, say since when they are in."""
    context: BrowserContext = door.context
    expect(door.locator("main h1")).to_have_text("Ingresso")
    _type_pin(door)
    expect(door.locator(".door-head")).to_be_visible()
    door.fill("main input", "sala")
    expect(door.locator(".door-row")).to_contain_text("Omar Sala")
    context.set_offline(True)
    door.click('main button:has-text("Inquadra il codice")')
    expect(door.locator(".door-said")).to_contain_text("Omar Sala: Salvato su questo tablet")
    # The camera waits for whoever is next; the ticket held still before it is not a second scan.
    expect(door.locator("video")).to_be_visible()
    door.click('main button:has-text("Indietro")')
    expect(door.locator(".door-said")).to_contain_text("Omar Sala: Salvato su questo tablet")
    door.click('main button:has-text("Inquadra il codice")')
    since = re.compile(r"Già dentro alle \d\d:\d\d")
    expect(door.locator(".door-said")).to_contain_text(since)
    door.click('main button:has-text("Indietro")')
    door.fill("main input", "omar")
    expect(door.locator(".door-row")).to_contain_text(since)
    assert "Omar" not in door.evaluate(KEPT)


def _write_an_idea(tablet: Page) -> None:
    tablet.click('.deed:has-text("idea")')
    tablet.fill("main textarea", IDEA)


def _leave_an_idea(tablet: Page) -> None:
    _write_an_idea(tablet)
    tablet.click('main button[type="submit"]')
    expect(tablet.locator(".receipt h1")).to_be_visible()


def _next_person(tablet: Page, word: str = "Fine") -> None:
    tablet.click(f'main button:has-text("{word}")')
    expect(tablet.locator(".deed-main")).to_be_visible()


def _open_corner(tablet: Page) -> None:
    """From the keyboard, where there is no long press."""
    tablet.locator(".totem-sign").press("Enter")
    _type_pin(tablet)
    expect(tablet.locator(".corner-facts")).to_be_visible()


def _type_pin(page: Page) -> None:
    expect(page.locator(".pin-pad")).to_be_visible()
    page.keyboard.type(PIN)
    page.keyboard.press("Enter")
