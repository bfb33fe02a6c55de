"""Signed, expiring tokens that serve one purpose: links in mails, unsubscribing, kiosk devices."""

from datetime import timedelta
from typing import Any

from itsdangerous import BadData, TimestampSigner, URLSafeTimedSerializer, base64_decode, base64_encode

from lab.kernel.clock import Clock, SystemClock

_MAX_LENGTH = 4096


class Signer:
    """Signs JSON payloads with the installation's secret. Anybody can read them; nobody can change them.

    A token is not single-use by itself: what must happen once keeps a mark in the database.
    """

    def __init__(self, secret: str, clock: Clock | None = None) -> None:
        self._secret = secret
        self._clock = clock or SystemClock()
        self._serializers: dict[str, URLSafeTimedSerializer] = {}

    def sign(self, purpose: str, payload: Any) -> str:
        """A url-safe token over a JSON payload, good only for this purpose."""
        return str(self._serializer(purpose).dumps(payload))

    def open(self, purpose: str, token: str, max_age: timedelta | int) -> Any | None:
        """The payload; None if forged, cut, signed for another purpose, or older than `max_age` (seconds)."""
        seconds = int(max_age.total_seconds()) if isinstance(max_age, timedelta) else max_age
        if len(token) > _MAX_LENGTH or not token.isascii():
            return None
        try:
            # Lenient base64 would let several spellings of one signature pass.
            signature = token.rpartition(".")[2]
            if base64_encode(base64_decode(signature)).decode() != signature:
                return None
            return self._serializer(purpose).loads(token, max_age=seconds)
        except BadData:
            return None

    def _serializer(self, purpose: str) -> URLSafeTimedSerializer:
        made = self._serializers.get(purpose)
        if made is None:
            made = self._serializers[purpose] = self._made_for(purpose)
        return made

    def _made_for(self, purpose: str) -> URLSafeTimedSerializer:
        clock = self._clock

        class ClockedSigner(TimestampSigner):
            def get_timestamp(self) -> int:
                return int(clock.now().timestamp())

        return URLSafeTimedSerializer(
            self._secret,
            salt=f"lab.token.{purpose}",
            signer=ClockedSigner,
            signer_kwargs={"key_derivation": "hmac", "digest_method": "sha256"},
        )
