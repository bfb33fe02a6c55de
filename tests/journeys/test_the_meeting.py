"""An assembly from the door to the minutes, with the network really cut.

A tablet is paired and tests itself; the site goes dark; a crowd signs up on the tablet,
while it is reloaded, closed in the middle of saving, and a new application waits for it. The site comes back,
is killed once more while it takes everything in, and nothing is lost or doubled. A paper sheet of forty lines
is typed beside it, doubles are merged by a person, the count adds up. The minutes are published, and what
somebody said on the tablet is woven into an action that everybody can find from the meeting's page.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect
from sqlalchemy import func, select

from lab.db.engine import Database
from lab.kernel.clock import utcnow
from lab.models.contributions import Contribution
from lab.models.events import Event
from lab.models.registrations import Registration, RegistrationState, SignUp
from lab.settings import Settings, resource_dir
from tests.journeys.conftest import LAPTOP, PHONE, Site, sign_in
from tests.journeys.test_the_loop import draft_action, open_at_desk

Open = Callable[..., Page]

CODE = "EV16"
TABLET = {"width": 800, "height": 1280}
PIN = "2468"
#: People who sign up on the tablet while there is no network; LAB_TEST_CROWD=200 plays the whole evening.
CROWD = int(os.environ.get("LAB_TEST_CROWD", "40"))
IDEA = "Vorrei una panchina con la spalliera vicino alla fermata, per chi aspetta con la spesa."
#: Seconds that pass for the tablet with a person who walks away.
EACH = 18
#: Who was signing up when the tablet went dark, and the mark of the newer application.
TORN = "Sara Spenta"
NEWER = "0" * 12
#: People on the sheet of paper who had signed up on the tablet before.
TWICE = 10
AGREED = "Si comincia dalla fermata: panchine e ombra prima dell'estate."
#: What the tablet's own store still has to send.
_STORE = """async () => {
  const answer = (to) => new Promise((ok, no) => { to.onsuccess = () => ok(to.result); to.onerror = no; });
  const db = await answer(indexedDB.open('totem'));
  const found = await answer(ASKED);
  db.close();
  return READ;
}"""
WAITING = _STORE.replace("ASKED", "db.transaction('outbox').objectStore('outbox').getAll()").replace(
    "READ", "found.filter((row) => row.state === 'waiting').length"
)
LENT = _STORE.replace("ASKED", "db.transaction('settings').objectStore('settings').get('lease')").replace(
    "READ", "found ? found.seats : 0"
)

#: Chance draws the same first code for everybody who comes to the tablet.
SAME_DRAW = """(() => {
  const real = crypto.getRandomValues.bind(crypto);
  let left = 4;
  crypto.getRandomValues = (into) => (into.length === 1 && left-- > 0 ? into.fill(0) : real(into));
})();"""
#: Waits until the page is kept for when there is no network.
COPIED = """async () => {
  for (let times = 0; times < 150 && !(await caches.match(location.pathname)); times += 1) {
    await new Promise((done) => { setTimeout(done, 200); });
  }
  return Boolean(await caches.match(location.pathname));
}"""
#: The tablet's disk takes nothing more, until the next document.
NO_SPACE = """() => {
  for (const way of ['add', 'put']) {
    IDBObjectStore.prototype[way] = () => { throw new DOMException('full', 'QuotaExceededError'); };
  }
}"""

FIRST = (
    "Rosa", "Samir", "Nadia", "Luca", "Anna", "Omar", "Giulia", "Paolo", "Fatima", "Marco",
    "Elena", "Yusuf", "Carla", "Dario", "Ines", "Bruno", "Teresa", "Ivan", "Chiara", "Hassan",
)  # fmt: skip
LAST = (
    "D'Angelo",
    "Bianchi",
    "Rossi",
    "Colombo",
    "Haddad",
    "Ferrari",
    "Niccolò",
    "Brambilla",
    "Sala",
    "Conti",
)


def person(number: int) -> str:
    """One of the crowd: everybody has another name."""
    return f"{FIRST[number % len(FIRST)]} {LAST[number // len(FIRST) % len(LAST)]}"


@contextmanager
def reading(site: Site) -> Iterator[Any]:
    """A session on the site's database."""
    database = Database(Settings.from_environ(site.environ).database_url)
    try:
        with database.session() as session:
            yield session
    finally:
        database.dispose()


def pair(desk: Page, name: str) -> str:
    """A facilitator makes a code for a tablet of this meeting; gives what its QR opens."""
    desk.goto(f"/regia/eventi/{CODE}/totem")
    desk.fill('input[name="name"]', name)
    desk.fill('input[name="pin"]', PIN)
    desk.click('main button[type="submit"]:has-text("Fammi il codice")')
    symbols = desk.locator(".totem-symbols").inner_text().strip().replace("-", "")
    return f"/totem#{symbols}"


def make_ready(tablet: Page, address: str) -> None:
    """Open what the QR holds, let the tablet test itself, begin."""
    tablet.goto(address)
    expect(tablet.locator(".test-list")).to_be_visible()
    expect(tablet.locator(".test-row.tone-brick")).to_have_count(0)
    assert "#" not in tablet.url
    tablet.click("main .go-main")
    expect(tablet.locator(".deed-main")).to_be_visible()


def sign_up(tablet: Page, name: str) -> str:
    """Two taps and a name; gives the large word of the receipt."""
    tablet.click(".deed-main")
    tablet.fill("main input", name)
    tablet.click("main button[type=submit]")
    word = tablet.locator(".receipt h1")
    word.wait_for()
    return word.inner_text()


def finish(tablet: Page) -> None:
    """The next person finds the first screen, and a document that knows nothing."""
    tablet.click('main button:has-text("Fine")')
    expect(tablet.locator(".deed-main")).to_be_visible()


def leave_an_idea(tablet: Page, words: str) -> None:
    tablet.click('.deed:has-text("idea")')
    tablet.fill("main textarea", words)
    tablet.click("main button[type=submit]")
    expect(tablet.locator(".receipt h1")).to_be_visible()
    finish(tablet)


def changed_static(folder: Path) -> Path:
    """The built bundle with another tablet application in it: what a release brings."""
    static = folder / "static"
    shutil.copytree(resource_dir("static"), static)
    manifest = static / "dist" / "manifest.json"
    names = json.loads(manifest.read_text())
    old = names["kiosk.js"]
    new = re.sub(r"[0-9a-f]{12}", NEWER, old)
    for ending in ("", ".br", ".gz"):
        kept = static / "dist" / f"{old}{ending}"
        if not ending:
            (static / "dist" / new).write_text(kept.read_text() + "\n// a newer one\n")
    manifest.write_text(json.dumps({**names, "kiosk.js": new}))
    return static


def counted(site: Site) -> tuple[int, int, int]:
    """Sign-ups that came from tablets: rows, confirmed people, waiting parties."""
    with reading(site) as session:
        event_id = session.execute(select(Event.id).where(Event.code == CODE)).scalar_one()
        mine = Registration.event_id == event_id
        rows = session.execute(
            select(func.count()).where(mine, Registration.device_id.is_not(None))
        ).scalar_one()
        books = session.get(SignUp, event_id)
        taken = session.execute(
            select(func.sum(Registration.party_size)).where(
                mine, Registration.state == RegistrationState.CONFIRMED
            )
        ).scalar_one()
        assert books.taken == taken
        return rows, taken, books.waiting


def wait_until(what: Callable[[], bool], seconds: float, why: str, context: BrowserContext) -> None:
    """Look until it is so. Minutes pass for the tablet meanwhile: it tries again after ever longer pauses."""
    until = time.monotonic() + seconds
    rested = time.monotonic()
    while not what():
        assert time.monotonic() < until, why
        if time.monotonic() - rested > 8:
            context.clock.fast_forward(120_000)
            rested = time.monotonic()
        time.sleep(0.5)


@pytest.mark.journey
def test_an_assembly_from_the_door_to_the_minutes(
    site: Site, browser: Browser, open_browser: Open, tmp_path: Path
) -> None:
    desk = open_browser(LAPTOP)
    sign_in(desk, "facilitatore")
    context = browser.new_context(viewport=TABLET, base_url=site.url, locale="it-IT", service_workers="allow")
    context.set_default_timeout(15_000)
    context.clock.install()
    context.add_init_script(SAME_DRAW)
    tablet = context.new_page()
    make_ready(tablet, pair(desk, "Ingresso"))
    _the_crowd(site, context, tablet, tmp_path)
    context.close()
    _the_evening_comes(site)
    _paper_beside_it(desk)
    _the_count_adds_up(site, desk)
    _a_hand_in_the_hall(desk, open_browser)
    _written_while_it_happens(desk, tmp_path)
    action = _woven(desk, open_browser)
    _minutes(desk)
    _read_by_everybody(open_browser, action)


def _the_crowd(site: Site, context: BrowserContext, tablet: Page, tmp_path: Path) -> Page:
    """An hour without network: everybody gets the honest word, and everything is there afterwards."""
    wait_until(lambda: bool(tablet.evaluate(LENT)), 60, "no places are lent to the tablet", context)
    site.pull_the_plug()
    context.set_offline(True)
    began = time.monotonic()
    shown: set[str] = set()
    promised, crowd = set(), [person(number) for number in range(CROWD)]
    for number, name in enumerate(crowd):
        word = sign_up(tablet, name)
        if "Confermato" in word:
            promised.add(name)  # out of the places lent to this tablet while there was network
        else:
            assert "Salvato su questo tablet" in word
        shown.add(tablet.locator(".receipt-code").inner_text().replace("-", ""))
        if number % 5:
            finish(tablet)
        else:
            # Whoever walks away: the receipt ends by itself.
            context.clock.fast_forward(EACH * 1000)
            expect(tablet.locator(".deed-main")).to_be_visible()
        if number == CROWD // 3:
            tablet.reload()
            expect(tablet.locator(".deed-main")).to_be_visible()
        if number == CROWD // 2:
            leave_an_idea(tablet, IDEA)
            _still_here(context, tablet)
            _told_that_nothing_was_saved(tablet)
    tablet = _closed_while_saving(context, tablet)
    print(f"{CROWD} people in {time.monotonic() - began:.0f} s, {len(promised)} promised")
    assert promised and len(promised) < CROWD
    assert len(shown) == CROWD
    # The site comes back with a newer application, and is killed once more while it takes everything in.
    site.start(LAB_STATIC=str(changed_static(tmp_path)))
    context.set_offline(False)
    wait_until(lambda: counted(site)[0] > 0, 60, "nothing comes in", context)
    site.pull_the_plug()
    site.start()
    wait_until(lambda: waiting_on(tablet) == 0, 90, "something still waits on the tablet", context)
    _nothing_lost_nothing_twice(site, crowd, promised, shown)
    # The next person finds the newer application: it came while the first screen stood alone.
    wait_until(lambda: is_newer(tablet), 90, "the newer application does not come", context)
    return tablet


def _still_here(context: BrowserContext, tablet: Page) -> None:
    """Whoever thinks for a while is asked, and loses no letter by going on writing."""
    tablet.click(".deed-main")
    tablet.fill("main input", "Nadia")
    context.clock.fast_forward(36_000)
    expect(tablet.locator("dialog")).to_be_visible()
    tablet.keyboard.type(" Haddad")
    expect(tablet.locator("dialog")).to_have_count(0)
    expect(tablet.locator("main input")).to_have_value("Nadia Haddad")
    tablet.click('main button:has-text("Indietro")')
    expect(tablet.locator(".deed-main")).to_be_visible()


def _told_that_nothing_was_saved(tablet: Page) -> None:
    """A tablet without space never says "saved"; what was typed can be sent again, and the file comes out."""
    tablet.evaluate(NO_SPACE)
    assert sign_up(tablet, "Nessuno") == "Non riesco a salvare"
    tablet.evaluate("document.querySelector('.receipt').classList.add('was-before')")
    tablet.click('main button:has-text("Prova di nuovo")')
    expect(tablet.locator(".receipt:not(.was-before) h1")).to_have_text("Non riesco a salvare")
    tablet.locator(".totem-sign").press("Enter")
    tablet.keyboard.type(PIN)
    tablet.keyboard.press("Enter")
    tablet.click('main button:has-text("Metti in pausa")')
    expect(tablet.locator(".corner-word")).to_have_text("Non riesco a salvare")
    with tablet.expect_download() as saved:
        tablet.click('main button:has-text("Salva il file")')
    assert json.loads(saved.value.path().read_text(encoding="utf-8"))["records"]
    tablet.click('main button:has-text("Chiudi")')
    expect(tablet.locator(".deed-main")).to_be_visible()


def _closed_while_saving(context: BrowserContext, tablet: Page) -> Page:
    """The tablet goes dark in the moment of the tap: what was not yet confirmed may be there, once."""
    tablet.click(".deed-main")
    tablet.fill("main input", TORN)
    tablet.evaluate("document.querySelector('main button[type=submit]').click()")
    tablet.close()
    again = context.new_page()
    again.goto("/totem")
    expect(again.locator(".deed-main")).to_be_visible()
    return again


def waiting_on(tablet: Page) -> int:
    """Records that the tablet has not got an answer for yet, as its own store says."""
    return int(tablet.evaluate(WAITING))


def _the_evening_comes(site: Site) -> None:
    """The meeting is on: its minutes can be published."""
    database = Database(Settings.from_environ(site.environ).database_url)
    with database.writing() as session:
        event = session.execute(select(Event).where(Event.code == CODE)).scalar_one()
        event.starts_at = utcnow() - timedelta(hours=1)
    database.dispose()


def _paper_beside_it(desk: Page) -> None:
    """A sheet of forty lines, typed from the keyboard; ten of them are on the tablet's list already."""
    desk.goto(f"/regia/eventi/{CODE}/ingresso/fogli")
    desk.select_option('main select[name="lines"]', "40")
    desk.click('main button[type="submit"]:has-text("Prepara i fogli")')
    desk.goto(f"/regia/eventi/{CODE}/ingresso/fogli/1")
    # Signed out for a moment: no network is not what is missing.
    desk.route("**/fogli/1/*", lambda asked: asked.fulfill(status=400, content_type="text/html", body=""))
    desk.fill('[name="name-40"]', "Chi sa chi")
    desk.press('[name="name-40"]', "Enter")
    expect(desk.locator('[data-line="40"]')).to_contain_text("premi «Salva tutto»")
    desk.unroute("**/fogli/1/*")
    desk.fill('[name="name-40"]', "")
    desk.focus('[name="name-1"]')
    for line in range(40):
        # The name the other way round, without its apostrophe: as people write on paper.
        first, last = person(line).split(" ", 1)
        name = (
            f"{last} {first}".replace("'", "").lower() if line < TWICE else f"Ospite {LAST[line % 10]} {line}"
        )
        desk.keyboard.type(name)
        desk.keyboard.press("Enter")
    expect(desk.locator(".grid-saved")).to_have_count(40, timeout=30_000)


def _the_count_adds_up(site: Site, desk: Page) -> None:
    """Likely doubles are merged by a person; what the sources say is what stood in the room."""
    desk.goto(f"/regia/eventi/{CODE}/ingresso/doppi")
    for _ in range(TWICE):
        pair = desk.locator(".same-pair", has_text="su carta").filter(has_text="dal totem").first
        pair.locator('button[value="unisci"]').click()
        desk.wait_for_load_state()
    desk.goto(f"/regia/eventi/{CODE}/ingresso/conto")
    figures = [int(one.replace(".", "")) for one in desk.locator(".equation b").all_inner_texts()]
    *counts, merged, total = figures
    assert sum(counts) - merged == total
    with reading(site) as session:
        books = session.execute(select(SignUp).join(Event).where(Event.code == CODE)).scalar_one()
        assert books.arrived == total


def _a_hand_in_the_hall(desk: Page, open_browser: Open) -> None:
    """Who waited can ask when the room opens; whoever votes while writing a question goes on writing it."""
    phone = open_browser(PHONE)
    phone.goto(f"/sala/{CODE}/partecipa")
    expect(phone.locator('textarea[name="text"]')).to_have_count(0)
    desk.goto(f"/regia/eventi/{CODE}/sala")
    desk.click('main button:has-text("Apri la sala")')
    desk.click('summary:has-text("Prepara un sondaggio")')
    desk.fill("#sondaggi textarea, #sondaggi input[name=text]", "Da dove si comincia?")
    for number, answer in enumerate(("Dalla fermata", "Dal parco")):
        desk.fill(f'input[name="answers-{number}"]', answer)
    desk.click('main button:has-text("Prepara")')
    desk.click('main button:has-text("Apri e mostra")')
    phone.fill('textarea[name="text"]', "Chi cura le panchine")
    phone.click('main button:has-text("Dalla fermata")')
    expect(phone.locator("main")).to_contain_text("Hai risposto", timeout=15_000)
    expect(phone.locator('textarea[name="text"]')).to_have_value("Chi cura le panchine")


def _written_while_it_happens(desk: Page, folder: Path) -> None:
    """A line goes its way, with network or without; who types on meanwhile has begun the next one."""
    photo = folder / "foglio.jpg"
    Image.new("RGB", (2400, 1800), "gray").save(photo)
    desk.goto(f"/regia/eventi/{CODE}/raccolta")
    words = desk.locator('form[data-outbox="line"] [name="text"]')
    own = desk.locator("[data-own]")
    desk.set_input_files('form[data-outbox="line"] [name="photos"]', photo)
    words.fill("Buca davanti alla fermata")
    words.press("Enter")
    desk.keyboard.type("Lampione spento")
    expect(own.filter(has_text="Buca")).to_contain_text("Ricevuta", timeout=30_000)
    expect(words).to_have_value("Lampione spento")
    assert desk.evaluate(COPIED)
    desk.context.set_offline(True)
    words.press("Enter")
    expect(own.filter(has_text="Lampione")).to_contain_text("Salvata su questo telefono")
    desk.reload()
    expect(desk.locator(".capture-copy")).to_contain_text("Sei senza rete")
    desk.context.set_offline(False)
    expect(own.filter(has_text="Lampione")).to_contain_text("Ricevuta", timeout=30_000)
    expect(desk.locator(".capture-copy")).to_have_count(0)


def _woven(desk: Page, open_browser: Open) -> str:
    """What somebody said on the tablet becomes an action, which its office adopts."""
    said = open_at_desk(desk, IDEA)
    desk.goto(f"/regia/{said}")
    desk.click('main button:has-text("Letta, rendila pubblica")')
    action = draft_action(desk, said)
    office = open_browser(LAPTOP)
    sign_in(office, "ufficio")
    office.goto(f"/regia/azioni/{action}")
    office.click('main button:has-text("Adotta")')
    expect(office.locator("main")).to_contain_text("Da avviare")
    return action


def _minutes(desk: Page) -> None:
    desk.goto(f"/regia/eventi/{CODE}/verbale")
    desk.fill('main textarea[name="summary"]', "Abbiamo scelto da dove si comincia.")
    desk.fill('main textarea[name="text"]', "Abbiamo parlato del parco e della fermata.")
    desk.locator(".is-point textarea").first.fill(AGREED)
    promise = desk.locator(".is-promise").first
    promise.locator("input, textarea").first.fill("Misurare lo spazio alla fermata")
    promise.locator("select").first.select_option(index=1)
    promise.locator('input[type="date"]').fill("2031-03-01")
    desk.click('main button[value="pubblica"]')
    expect(desk.locator("main")).to_contain_text("Pubblicato")


def _read_by_everybody(open_browser: Open, action: str) -> None:
    """From the meeting's page a stranger reads what became of what was said there."""
    stranger = open_browser(PHONE, script=False)
    stranger.goto(f"/eventi/{CODE}/verbale")
    expect(stranger.locator("main")).to_contain_text(AGREED)
    expect(stranger.locator("main")).to_contain_text("Misurare lo spazio alla fermata")
    stranger.goto(f"/eventi/{CODE}")
    expect(stranger.locator("main")).to_contain_text(IDEA[:40])
    stranger.locator(f'main a[href$="/azioni/{action}"]').first.click()
    expect(stranger.locator("main")).to_contain_text(IDEA[:40])


def is_newer(tablet: Page) -> bool:
    """Whether the page is of the newer application; else the next person comes, and it may be then."""
    if tablet.locator(f'script[src*="{NEWER}"]').count() == 1:
        return True
    # The page may be on its way to the newer one by itself at this very moment.
    with suppress(Error):
        tablet.goto("/totem")
        tablet.locator(".deed-main").wait_for()
    time.sleep(1)
    return False


def _nothing_lost_nothing_twice(site: Site, crowd: list[str], promised: set[str], shown: set[str]) -> None:
    with reading(site) as session:
        asked = select(Registration.name, Registration.state, Registration.code)
        rows = session.execute(asked.where(Registration.device_id.is_not(None))).all()
    # Whoever holds a code from the tablet is found by it at the door.
    assert shown <= {row.code for row in rows}
    names = sorted(row.name for row in rows if row.name != TORN)
    assert names == sorted(crowd)
    assert sum(row.name == TORN for row in rows) <= 1
    kept = {row.name for row in rows if row.state is RegistrationState.CONFIRMED}
    assert promised <= kept
    with reading(site) as session:
        books = session.execute(select(SignUp).join(Event).where(Event.code == CODE)).scalar_one()
        assert books.taken + books.lent <= books.capacity
        ideas = session.execute(select(func.count()).where(Contribution.text == IDEA)).scalar_one()
    assert ideas == 1
