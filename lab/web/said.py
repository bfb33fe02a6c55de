"""The sentences of news in a page: the same words as in mails, in this reader's language."""

from __future__ import annotations

from flask_babel import gettext

from lab.mail.sentences import sentence
from lab.services.telling import Told
from lab.web.formats import date_words


def said(told: Told) -> str:
    """What happened, in one sentence."""
    return sentence(told, gettext, date_words)
