import io
import struct
import threading
import zlib

import pytest
from PIL import Image, ImageCms, ImageOps

from lab.kernel import pictures
from lab.kernel.errors import Invalid, Unavailable
from lab.kernel.pictures import MAX_PIXELS, process_picture


def picture(
    size: tuple[int, int] = (64, 48), kind: str = "JPEG", mode: str = "RGB", **options: object
) -> io.BytesIO:
    file = io.BytesIO()
    Image.new(mode, size, 128 if mode in ("L", "P") else None).save(file, kind, **options)
    return io.BytesIO(file.getvalue())


def refusal(data: bytes, **options: int) -> str:
    with pytest.raises(Invalid) as caught:
        process_picture(io.BytesIO(data), **options)
    assert caught.value.field == "photos"
    return caught.value.code


def test_three_widths_as_webp() -> None:
    made = process_picture(picture((2000, 1000)))
    assert [width for width, _ in made.widths] == [320, 800, 1600]
    assert (made.width, made.height) == (1600, 800)
    for width, data in made.widths:
        with Image.open(io.BytesIO(data)) as image:
            assert image.format == "WEBP"
            assert image.size == (width, width // 2)
    assert made.sha256 == process_picture(picture((2000, 1000))).sha256 != process_picture(picture()).sha256


@pytest.mark.parametrize(
    ("width", "widths"), [(100, [100]), (320, [320]), (500, [320, 500]), (1000, [320, 800, 1000])]
)
def test_nothing_is_enlarged(width: int, widths: list[int]) -> None:
    assert [made for made, _ in process_picture(picture((width, 50))).widths] == widths


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_the_accepted_kinds(kind: str, mode: str) -> None:
    assert process_picture(picture(kind=kind, mode=mode)).width == 64


@pytest.mark.parametrize(
    ("kind", "mode"), [("JPEG", "CMYK"), ("PNG", "P"), ("PNG", "1"), ("PNG", "LA"), ("PNG", "I;16")]
)
def test_unusual_modes(kind: str, mode: str) -> None:
    assert process_picture(picture(kind=kind, mode=mode)).height == 48


def test_transparency_and_sixteen_bit_greys_stay() -> None:
    made = process_picture(picture(kind="PNG", mode="RGBA"))
    with Image.open(io.BytesIO(made.widths[0][1])) as image:
        assert image.mode == "RGBA"
    grey = io.BytesIO()
    Image.new("I;16", (8, 8), 128 * 256).save(grey, "PNG")
    with Image.open(io.BytesIO(process_picture(io.BytesIO(grey.getvalue())).widths[0][1])) as image:
        assert abs(image.convert("L").getpixel((4, 4)) - 128) < 4


@pytest.mark.parametrize("scale", [1, 60])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_stand_upright(orientation: int, scale: int) -> None:
    source = Image.new("RGB", (60 * scale, 30 * scale), "blue")
    source.paste("red", (0, 0, 30 * scale, 15 * scale))
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    source.save(file, "JPEG", exif=exif, quality=95)
    made = process_picture(io.BytesIO(file.getvalue()))
    assert (made.width > made.height) == (orientation < 5)
    with (
        Image.open(io.BytesIO(made.widths[0][1])) as image,
        ImageOps.exif_transpose(Image.open(file)) as expected,
    ):
        for across, down in ((0.2, 0.2), (0.8, 0.2), (0.2, 0.8), (0.8, 0.8)):
            red, _, blue = image.convert("RGB").getpixel(
                (int(image.width * across), int(image.height * down))
            )
            as_shown = expected.getpixel((int(expected.width * across), int(expected.height * down)))
            assert (red > blue) == (as_shown[0] > as_shown[2])


def test_no_metadata_is_left() -> None:
    exif = Image.Exif()
    exif[0x010E] = "SEGRETO descrizione"
    exif.get_ifd(0x8825)[1] = "N"
    icc = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    options = {"exif": exif, "comment": b"SEGRETO commento", "icc_profile": icc, "xmp": b"<x>SEGRETO</x>"}
    source = picture((900, 600), **options)
    assert b"SEGRETO commento" in source.getvalue()
    for _, data in process_picture(source).widths:
        assert b"SEGRETO" not in data
        assert not any(chunk in data for chunk in (b"EXIF", b"XMP ", b"ICCP"))


def test_what_is_refused_by_content() -> None:
    assert refusal(b"") == "empty"
    assert refusal(b"<svg xmlns='http://www.w3.org/2000/svg'/>") == "not_a_picture"
    assert refusal(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n") == "not_a_picture"
    assert refusal(picture(kind="BMP").getvalue()) == "not_a_picture"
    assert refusal(picture(kind="TIFF").getvalue()) == "not_a_picture"
    assert refusal(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic") == "heic"
    assert refusal(b"\xff\xd8\xff\xe0 not really") == "not_a_picture"
    assert refusal(b"a" * 11, max_bytes=10) == "too_heavy"


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_picture_cut_short_is_broken(kind: str) -> None:
    source = Image.effect_noise((200, 200), 80).convert("RGB")
    file = io.BytesIO()
    source.save(file, kind)
    assert refusal(file.getvalue()[: len(file.getvalue()) // 2]) in ("broken", "not_a_picture")


@pytest.mark.parametrize("side", [6_500, 9_700, 14_000, 60_000])
def test_bombs_are_refused_before_decoding(side: int) -> None:
    assert side * side > MAX_PIXELS
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    png = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    idat = b"IDAT" + zlib.compress(b"\0" * 100)
    png += struct.pack(">I", len(idat) - 4) + idat + struct.pack(">I", zlib.crc32(idat))
    assert refusal(png) == "too_many_pixels"


def test_very_tall_pictures_fit_webp() -> None:
    made = process_picture(picture((10, 30_000), "PNG", "L"))
    assert made.height <= 6400


def test_pictures_are_drawn_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small files that take 400 MB each while they are drawn, sent all at once, must not fill the memory."""
    begun, go = threading.Event(), threading.Event()
    draw = pictures._draw

    def slowly(image: Image.Image) -> Image.Image:
        begun.set()
        go.wait(30)
        return draw(image)

    monkeypatch.setattr(pictures, "_draw", slowly)
    monkeypatch.setattr(pictures, "PATIENCE", 0.01)
    first = threading.Thread(target=process_picture, args=(picture(),))
    first.start()
    assert begun.wait(30)
    with pytest.raises(Unavailable):
        process_picture(picture())
    go.set()
    first.join(30)
    assert process_picture(picture()).width == 64


def test_who_finds_enough_others_before_them_does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty small files that take long to draw would keep every thread of a process from those who read."""
    places = threading.BoundedSemaphore(1)
    monkeypatch.setattr(pictures, "_PLACES", places)
    monkeypatch.setattr(pictures, "PATIENCE", 30.0)
    with pictures._TURN, places:
        refused: list[bool] = []
        asked = threading.Thread(target=lambda: refused.append(_is_refused()))
        asked.start()
        asked.join(20)
    assert refused == [True]
    assert process_picture(picture()).width == 64


def _is_refused() -> bool:
    try:
        process_picture(picture())
    except Unavailable:
        return True
    return False
