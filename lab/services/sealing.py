"""What tablets seal for the site: P-256 ECDH, HKDF-SHA-256, AES-256-GCM, as docs/kiosk.md says.

The tablet keeps only what it cannot open itself: whoever takes it away reads nothing.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import select

from lab.db.upsert import insert_once
from lab.kernel import base64url
from lab.models.kiosk import KioskKey
from lab.services.context import Context

_INFO = b"lab totem v1"
_IV = 12
#: The first key; two processes that need one at the same time agree on it by its number.
_FIRST = 1


class Unreadable(Exception):
    """A sealed text that no key of ours opens: damaged, changed on its way, or sealed for somebody else."""


def current_key(ctx: Context) -> KioskKey:
    """The key for which tablets seal now, made when there is none: the caller owns a transaction."""
    newest = select(KioskKey).order_by(KioskKey.id.desc()).limit(1)
    found = ctx.session.execute(newest).scalar_one_or_none()
    if found is None:
        insert_once(ctx.session, KioskKey, {"id": _FIRST, **_new_pair(), "made_at": ctx.now})
        found = ctx.session.execute(newest).scalar_one()
    return found


def keys(ctx: Context) -> dict[int, str]:
    """Every private key by its id: what was sealed long ago stays readable. One statement."""
    return {row.id: row.private_pem for row in ctx.session.execute(select(KioskKey.id, KioskKey.private_pem))}


def public_key(ctx: Context) -> KioskKey | None:
    """The key for which tablets seal now, without making one."""
    return ctx.session.execute(select(KioskKey).order_by(KioskKey.id.desc()).limit(1)).scalar_one_or_none()


def seal(key_id: int, public: str, payload: Any, associated: str) -> dict[str, Any]:
    """Seal a JSON value for the key with this id, as a tablet does."""
    site = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), base64url.decode(public))
    own = ec.generate_private_key(ec.SECP256R1())
    iv = secrets.token_bytes(_IV)
    text = json.dumps(payload, ensure_ascii=False).encode()
    sealed = AESGCM(_derive(own.exchange(ec.ECDH(), site))).encrypt(iv, text, associated.encode())
    return {
        "key_id": key_id,
        "epk": base64url.encode(_point(own.public_key())),
        "iv": base64url.encode(iv),
        "ct": base64url.encode(sealed),
    }


def unseal(private_keys: Mapping[int, str], sealed: Any, associated: str) -> dict[str, Any]:
    """The payload inside. Raises `Unreadable`."""
    try:
        pem = private_keys[sealed["key_id"]]
        point, iv = base64url.decode(sealed["epk"]), base64url.decode(sealed["iv"])
        if len(iv) != _IV:
            raise Unreadable
        theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
        key = _derive(_private(pem).exchange(ec.ECDH(), theirs))
        text = AESGCM(key).decrypt(iv, base64url.decode(sealed["ct"]), associated.encode())
        opened = json.loads(text)
    except (KeyError, TypeError, ValueError, RecursionError, InvalidTag) as error:
        raise Unreadable from error
    if not isinstance(opened, dict):
        raise Unreadable
    return opened


@lru_cache(maxsize=8)
def _private(pem: str) -> ec.EllipticCurvePrivateKey:
    # Reading a key checks it, which costs more than opening a record.
    found = serialization.load_pem_private_key(pem.encode(), None)
    assert isinstance(found, ec.EllipticCurvePrivateKey)
    return found


def associated(client_uuid: str, event_code: str, kind: str) -> str:
    """What the seal also vouches for: a payload cannot be moved into another envelope."""
    return f"{client_uuid}|{event_code}|{kind}"


def _new_pair() -> dict[str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return {"public_key": base64url.encode(_point(key.public_key())), "private_pem": pem.decode()}


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def _derive(secret: bytes) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=_INFO).derive(secret)
