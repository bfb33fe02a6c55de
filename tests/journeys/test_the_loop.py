"""The heart of the product: what residents say becomes an action on a formal project, and they are told.

A resident on a small phone without script says something. A facilitator merges it with a twin that came on
paper and passes it to the office. The office declines another one with a reason and adopts an action on
project P4. Everybody reads what became of their words: by mail, by receipt code, or as a stranger who walks
from the project back to the sentence that started it.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import update

from lab.db.engine import Database
from lab.kernel.clock import utcnow
from lab.models.operations import OutboxItem
from lab.settings import Settings
from tests.journeys.conftest import LAPTOP, PHONE, Site, sign_in

Open = Callable[..., Page]

#: As long as a name may be, and no space where it could break.
LONG_NAME = "Precipitevolissimevolmente" * 2

WORDS = "Vicino al campo da bocce non c'è un rubinetto e d'estate i nonni portano l'acqua da casa."
PAPER = "Serve un rubinetto vicino alle bocce, i nonni portano l'acqua da casa."
OTHER = "Vorrei una pista da sci finta sul prato nord del parco."
REASON = "Il prato nord resta libero per il gioco: lo chiede la maggior parte delle carte raccolte."


def hurry(site: Site) -> None:
    """Let the worker do now what waits to be grouped or tried again."""
    database = Database(Settings.from_environ(site.environ).database_url)
    with database.writing() as session:
        session.execute(update(OutboxItem).where(OutboxItem.done_at.is_(None)).values(available_at=utcnow()))
    database.dispose()


def wait_for_mail(site: Site, address: str, words: str) -> str:
    """The newest mail to this address with these words; what is grouped for minutes is hurried along."""
    for _ in range(40):
        hurry(site)
        found = site.mailbox.find(address, words)
        if found:
            return found
        site.mailbox.wait(1)
    raise AssertionError(f"no mail to {address} with {words!r}; got {site.mailbox.to(address)}")


def fits(page: Page) -> bool:
    """Whether nothing pushes the page sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"))


def words_stay_whole(page: Page, where: str) -> bool:
    """Whether with letters twice as large no word here breaks and nothing pushes the page sideways."""
    whole = page.locator(where).evaluate_all("""places => {
        document.documentElement.style.fontSize = '200%';
        const range = document.createRange();
        return places.length > 0 && places.every(({ firstChild: words }) =>
            [...words.data.matchAll(/\\S+/g)].every((word) => {
                range.setStart(words, word.index);
                range.setEnd(words, word.index + word[0].length);
                return range.getClientRects().length === 1;
            }));
    }""")
    return bool(whole) and fits(page)


def say_it(page: Page, words: str, name: str = "") -> str:
    """Say something through the one door; gives the receipt code."""
    page.goto("/proposte/nuova")
    page.fill('textarea[name="text"]', words)
    if name:
        page.fill('input[name="author_name"]', name)
    page.click('main button[type="submit"]:has-text("Avanti")')
    expect(page.locator("main")).to_contain_text(words)
    assert fits(page)
    page.click('main button[type="submit"]:has-text("Manda")')
    code = page.locator(".receipt-code").inner_text().strip()
    assert re.fullmatch(r"[0-9A-Z]{4}-[0-9A-Z]{4}", code)
    expect(page.locator("main")).to_contain_text("Ti rispondiamo entro")
    assert fits(page)
    return code


def type_paper(page: Page, words: str) -> str:
    """Type what somebody wrote on paper; gives the receipt code on the slip."""
    page.goto("/regia/scrivi")
    page.fill('textarea[name="text"]', words)
    page.select_option('select[name="channel"]', "paper")
    page.click('main button[type="submit"]:has-text("Salva")')
    return page.locator(".paper-code").inner_text().strip()


def open_at_desk(page: Page, words: str) -> str:
    """Find an input at the desk by its words; gives its public code."""
    page.goto("/regia?q=" + "+".join(words.split()[:4]))
    page.locator("a.desk-row", has_text=words[:20]).first.click()
    return page.locator("article .desk-code").first.inner_text().strip()


def act(page: Page, slug: str) -> Page:
    """Open one of the desk's acts."""
    box = page.locator(f"#atto-{slug}")
    if box.get_attribute("open") is None:
        box.locator("summary").click()
    return page


@pytest.mark.journey
def test_the_loop(site: Site, open_browser: Open) -> None:
    rosa = open_browser(PHONE, script=False)
    rosa.goto("/")
    assert words_stay_whole(rosa, ".it-brand-title")
    sign_in(rosa, "residente")
    rosa_receipt = say_it(rosa, WORDS)
    samir = open_browser(PHONE, script=False)
    sign_in(samir, "residente2")
    say_it(samir, OTHER, name=LONG_NAME)

    desk = open_browser(LAPTOP)
    sign_in(desk, "facilitatore")
    _send_without_network(desk)
    paper_receipt = type_paper(desk, PAPER)
    said = open_at_desk(desk, WORDS)
    _merge_and_route(desk, said, twin=_code_of(desk, PAPER), words=WORDS)
    _route(desk, OTHER)
    action = draft_action(desk, said)

    office = open_browser(LAPTOP)
    sign_in(office, "ufficio")
    _decline(office, OTHER)
    office.goto(f"/regia/azioni/{action}")
    office.click('main button:has-text("Adotta")')
    expect(office.locator("main")).to_contain_text("Da avviare")

    told = wait_for_mail(site, "residente@demo.example", "Un rubinetto alle bocce")
    assert "/azioni/" in told or "/proposte/" in told
    declined = wait_for_mail(site, "residente2@demo.example", "resta libero per il gioco")
    assert "accolta" in declined.lower()

    _read_by_receipt(open_browser(PHONE, script=False), paper_receipt)
    _read_by_receipt(open_browser(PHONE, script=False), rosa_receipt)
    _walk_back(open_browser(PHONE, script=False), action)


def _send_without_network(page: Page) -> None:
    page.goto("/proposte/nuova")
    page.fill('textarea[name="text"]', "Scritta in cantina, dove non prende.")
    page.context.set_offline(True)
    page.click('main button[type="submit"]:has-text("Avanti")')
    expect(page.locator(".draft-word")).to_contain_text("Quello che hai scritto resta qui")
    page.context.set_offline(False)
    page.click('main button[type="submit"]:has-text("Avanti")')
    expect(page.locator("main")).to_contain_text("Va bene così?")


def _code_of(desk: Page, words: str) -> str:
    return open_at_desk(desk, words)


def _merge_and_route(desk: Page, said: str, twin: str, words: str) -> None:
    desk.goto(f"/regia/{said}")
    act(desk, "merge")
    desk.fill('#atto-merge input[name="others"]', twin)
    desk.fill('#atto-merge textarea[name="reason"]', "Dicono la stessa cosa.")
    desk.click('#atto-merge button[type="submit"]')
    desk.goto(f"/proposte/{twin}")
    expect(desk.locator("main")).to_contain_text(said)
    _route(desk, words)


def _route(desk: Page, words: str) -> None:
    open_at_desk(desk, words)
    act(desk, "route")
    desk.select_option('#atto-route select[name="office"]', label="Servizio Verde e Ambiente")
    desk.click('#atto-route button[type="submit"]')
    expect(desk.locator("main")).to_contain_text("Servizio Verde e Ambiente")


def draft_action(desk: Page, said: str) -> str:
    """Make an action of an input and propose it to the office; gives its code."""
    desk.goto(f"/regia/azioni/nuova?da={said}")
    desk.fill('input[name="title"]', "Un rubinetto alle bocce")
    desk.fill('textarea[name="aim"]', "Acqua da bere per chi gioca e per chi guarda.")
    desk.select_option('select[name="kind"]', "work")
    desk.select_option('select[name="office"]', label="Servizio Verde e Ambiente")
    desk.locator("label", has_text="Parco del Crocione: giochi").click()
    desk.fill('input[name="due_on"]', "2031-05-31")
    desk.click('main button[type="submit"]:has-text("Salva la bozza")')
    action = desk.locator(".desk-code").first.inner_text().strip()
    desk.click('main button:has-text("Proponi")')
    expect(desk.locator("main")).to_contain_text("Proposta all'ufficio")
    return action


def _decline(office: Page, words: str) -> None:
    open_at_desk(office, words)
    office.check('input[name="verdict"][value="declined"]')
    office.fill('#atto-answer textarea[name="reason"]', REASON)
    office.click('#atto-answer button[value="publish"]')


def _read_by_receipt(page: Page, code: str) -> None:
    page.goto("/ricevuta")
    page.fill("main input[type=text], main input:not([type=hidden])", code.lower())
    page.click('main button[type="submit"]')
    expect(page.locator("main")).to_contain_text("Un rubinetto alle bocce")


def _walk_back(page: Page, action: str) -> None:
    page.goto("/progetti/P4")
    page.click(f'main a[href$="/azioni/{action}"]')
    expect(page.locator("h1")).to_contain_text("Un rubinetto alle bocce")
    page.locator("main a", has_text="bocce").first.click()
    expect(page.locator("main")).to_contain_text(WORDS)
    assert words_stay_whole(page, ".trace-kind")
