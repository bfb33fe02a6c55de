"""Every word of the interface exists in every language that is offered, with the same blanks to fill."""

from __future__ import annotations

from lab.cli.i18n import missing_words


def test_no_word_is_missing_or_broken() -> None:
    assert missing_words() == []
