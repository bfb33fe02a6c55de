"""Files on their way in: photographs re-made by the kernel, PDFs as they are; under names of ours."""

from __future__ import annotations

import filecmp
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

from lab.kernel import pictures
from lab.kernel.errors import Invalid, NotFound
from lab.services import event_documents
from lab.services.photos import StoredPhoto


class Upload(Protocol):
    """A file as the web server hands it over."""

    @property
    def filename(self) -> str | None:
        """The visitor's name for it; only whether there is one counts."""

    @property
    def stream(self) -> Any:
        """Its bytes."""


def given(files: Iterable[Upload]) -> list[Upload]:
    """The files of a field; browsers send an empty one when nothing was chosen."""
    return [file for file in files if file.filename]


def receive(folder: Path, file: Upload, max_bytes: int, name: str = "") -> StoredPhoto:
    """Re-make one picture and write its versions, under a random name unless one of ours is given.

    Raises `Invalid("photos", …)` as the kernel does.
    """
    picture = pictures.process_picture(file.stream, max_bytes)
    name = name or secrets.token_hex(16)
    for width, data in picture.widths:
        _write(path_of(folder, name, width), data)
    widths = tuple(width for width, _data in picture.widths)
    return StoredPhoto(name, picture.width, picture.height, widths)


def path_of(folder: Path, name: str, width: int) -> Path:
    """Where a version lies. `name` is one of ours (hexadecimal), never a visitor's."""
    return folder / name[:2] / f"{name}-{width}.webp"


def is_name(name: str) -> bool:
    """Whether a text can be a name of ours."""
    return len(name) == 32 and all(character in "0123456789abcdef" for character in name)


def _write(path: Path, data: bytes) -> None:
    # Written beside and renamed: a reader never meets half a picture, and "saved" means on the disk.
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".part")
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        # Where there is no space left nothing half-written takes up the rest.
        beside.unlink(missing_ok=True)
        raise
    beside.rename(path)


def is_same(folder: Path, one: StoredPhoto, other: StoredPhoto) -> bool:
    """Whether two stored photographs show the same picture: their versions are equal byte for byte."""
    if (one.width, one.height, one.widths) != (other.width, other.height, other.widths):
        return False
    pairs = [(path_of(folder, one.name, w), path_of(folder, other.name, w)) for w in one.widths]
    return all(theirs.is_file() and filecmp.cmp(ours, theirs, shallow=False) for ours, theirs in pairs)


def discard(folder: Path, photo: StoredPhoto) -> None:
    """Delete the files of a photograph that will not be used."""
    for width in photo.widths:
        path_of(folder, photo.name, width).unlink(missing_ok=True)


def receive_pdf(folder: Path, file: Upload, max_bytes: int) -> tuple[str, int]:
    """Store one PDF as it came under a name of ours; the name and its bytes.

    Raises `Invalid("file", "too_large" | "not_a_pdf")`.
    """
    data = file.stream.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise Invalid("file", "too_large")
    if not event_documents.looks_like_pdf(data):
        raise Invalid("file", "not_a_pdf")
    name = secrets.token_hex(16)
    _write(document_path(folder, name), data)
    return name, len(data)


def document_path(folder: Path, name: str) -> Path:
    """Where a PDF lies, apart from the pictures. Raises `NotFound` for what is no name of ours."""
    if not is_name(name):
        raise NotFound("document")
    return folder / "documents" / f"{name}.pdf"


def discard_pdf(folder: Path, name: str) -> None:
    """Delete the file of a document that is no longer anywhere; no name, no file."""
    if name:
        document_path(folder, name).unlink(missing_ok=True)
