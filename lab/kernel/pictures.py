"""Pictures people send: checked by content, turned upright, drawn again without any metadata, made small."""

import hashlib
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import BinaryIO

from PIL import Image, ImageCms

from lab.kernel.errors import Invalid, Unavailable

MAX_BYTES = 12_000_000
MAX_PIXELS = 40_000_000
WIDTHS = (320, 800, 1600)
#: Seconds a picture waits for those before it, and how many wait in one process: each keeps one of its
#: sixteen threads, and the others are for those who read.
PATIENCE = 20.0
WAITING = 7

_TURN = threading.Lock()
_PLACES = threading.BoundedSemaphore(WAITING + 1)
_FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
_FIELD = "photos"
_TALLEST = 4  # times the width; taller ones are made narrower
_ORIENTATION_TAG = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"mif1", b"msf1")


@dataclass(frozen=True)
class Picture:
    """The versions of a picture as (width in pixels, WebP bytes), narrowest first.

    A small original gives fewer versions: it is never enlarged. `width`, `height` and `sha256` (hexadecimal,
    fit for a file name) are those of the widest version.
    """

    widths: list[tuple[int, bytes]]
    width: int
    height: int
    sha256: str


def process_picture(stream: BinaryIO, max_bytes: int = MAX_BYTES) -> Picture:
    """Read a JPEG, PNG, WebP or GIF (its first frame) and make the versions the pages use.

    Raises Invalid on `photos`: `empty`, `too_heavy` (max_bytes), `heic`, `not_a_picture`, `too_many_pixels`
    (max_pixels) or `broken`; Unavailable when too many others are being made.
    """
    data = stream.read(max_bytes + 1)
    if not data:
        raise Invalid(_FIELD, "empty")
    if len(data) > max_bytes:
        raise Invalid(_FIELD, "too_heavy", max_bytes=max_bytes)
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS:
        raise Invalid(_FIELD, "heic")
    with _opened(data) as image, _turn():
        try:
            drawing = _draw(image)
        except Exception as error:  # what a decoder raises on hostile bytes is not written down anywhere
            raise Invalid(_FIELD, "broken") from error
        return _versions(drawing)


@contextmanager
def _turn() -> Iterator[None]:
    # A file of some kilobytes can take 400 MB and seconds while it is drawn: in one process one after the
    # other, and no more in a row than leave threads to the rest.
    if not _PLACES.acquire(blocking=False):
        raise Unavailable
    try:
        if not _TURN.acquire(timeout=PATIENCE):
            raise Unavailable
        try:
            yield
        finally:
            _TURN.release()
    finally:
        _PLACES.release()


def _opened(data: bytes) -> Image.Image:
    # Naming the formats keeps every other decoder away (EPS would start Ghostscript).
    try:
        image = Image.open(io.BytesIO(data), formats=_FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise Invalid(_FIELD, "too_many_pixels", max_pixels=MAX_PIXELS) from error
    except Exception as error:  # as above
        raise Invalid(_FIELD, "not_a_picture") from error
    if image.width * image.height > MAX_PIXELS:
        image.close()
        raise Invalid(_FIELD, "too_many_pixels", max_pixels=MAX_PIXELS)
    return image


def _draw(image: Image.Image) -> Image.Image:
    """The picture at its widest version: upright, in sRGB, alone with its pixels."""
    orientation = image.getexif().get(_ORIENTATION_TAG, 1)
    width, height = image.size
    across, down = (height, width) if orientation in (5, 6, 7, 8) else (width, height)
    scale = min(1.0, WIDTHS[-1] / across, WIDTHS[-1] * _TALLEST / down)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    profile = image.info.get("icc_profile")
    image.draft("RGB", size)  # a JPEG is decoded near the size wanted: less memory, less time
    image.load()
    # Smaller before upright: turning forty million pixels would need them twice in memory.
    small = _in_colour(image)
    if small.size != size:
        small = small.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
    small = _in_srgb(small, profile)
    turn = _TURNS.get(orientation)
    upright = small if turn is None else small.transpose(turn)
    bare = Image.new(upright.mode, upright.size)
    bare.paste(upright)
    return bare


def _in_colour(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):  # 16 bits of grey would be clipped to white
        return image.convert("I").point(lambda value: value * (1 / 256)).convert("L").convert("RGB")
    mode = "RGBA" if image.has_transparency_data else "RGB"
    return image if image.mode == mode else image.convert(mode)


def _in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    if not profile:
        return image
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, source, target, outputMode=image.mode) or image
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image  # an unusable profile: the colours as they are


def _versions(drawing: Image.Image) -> Picture:
    widths: list[tuple[int, bytes]] = []
    for width in sorted({min(width, drawing.width) for width in WIDTHS}):
        version = drawing
        if width != drawing.width:
            height = max(1, round(drawing.height * width / drawing.width))
            version = drawing.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
        file = io.BytesIO()
        version.save(file, "WEBP", quality=80, method=4)
        widths.append((width, file.getvalue()))
    digest = hashlib.sha256(widths[-1][1]).hexdigest()
    return Picture(widths=widths, width=drawing.width, height=drawing.height, sha256=digest)
