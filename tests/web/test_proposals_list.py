"""The list of proposals, its filters and its plan, as a reader meets them."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

pytestmark = []


def test_the_empty_list_invites(client: FlaskClient) -> None:
    page = client.get("/proposte")
    assert page.status_code == 200
    assert "La prima voce può essere la tua" in page.text
