"""Unit tests need neither database nor server: the cheap password cost and a quiet hypothesis are all."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from lab.kernel import passwords

settings.register_profile(
    "unit", deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("unit")


@pytest.fixture(autouse=True)
def cheap_passwords() -> Iterator[None]:
    passwords.use_profile(passwords.CHEAP)
    yield
    passwords.use_profile(passwords.PRODUCTION)
