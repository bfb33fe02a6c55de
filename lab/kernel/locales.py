"""The languages the site can speak: how each calls itself, its direction, and which one a reader wants."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Locale:
    """A language: its code (BCP 47), its own name for itself, its direction (`ltr` or `rtl`)."""

    code: str
    native_name: str
    direction: str = "ltr"


SUPPORTED: dict[str, Locale] = {
    locale.code: locale
    for locale in (
        Locale("it", "Italiano"),
        Locale("en", "English"),
        Locale("ar", "العربية", "rtl"),
        Locale("bn", "বাংলা"),
        Locale("de", "Deutsch"),
        Locale("es", "Español"),
        Locale("fr", "Français"),
        Locale("pa", "ਪੰਜਾਬੀ"),
        Locale("pt", "Português"),
        Locale("ro", "Română"),
        Locale("ru", "Русский"),
        Locale("sq", "Shqip"),
        Locale("tr", "Türkçe"),
        Locale("uk", "Українська"),
        Locale("ur", "اردو", "rtl"),
        Locale("zh", "中文"),
    )
}

_RIGHT_TO_LEFT = frozenset({"ar", "dv", "fa", "he", "ku-arab", "ps", "sd", "ug", "ur", "yi"})
_MAX_HEADER = 1000


def direction(code: str) -> str:
    """`rtl` or `ltr` for any language code, known to us or not."""
    lowered = code.replace("_", "-").lower()
    return "rtl" if lowered in _RIGHT_TO_LEFT or lowered.split("-")[0] in _RIGHT_TO_LEFT else "ltr"


def native_name(code: str) -> str:
    """What speakers call the language; the code itself when we do not know it."""
    locale = SUPPORTED.get(code) or SUPPORTED.get(code.replace("_", "-").split("-")[0].lower())
    return locale.native_name if locale else code


def negotiate(accept_language: str | None, enabled: Sequence[str]) -> str:
    """The enabled language a browser asks for most (RFC 9110 qualities), else the first enabled one.

    `fr-CH` is served by `fr`; a language refused with `q=0` is not served.
    Raises ValueError if none is enabled.
    """
    if not enabled:
        raise ValueError("no language is enabled")
    wishes = [_wish(part) for part in (accept_language or "")[:_MAX_HEADER].split(",")]
    by_base = {code.lower(): code for code in reversed(enabled)}
    # sorted() is stable: among equal qualities the order of the header decides.
    for base, quality in sorted(wishes, key=lambda wish: -wish[1]):
        if quality > 0 and base in by_base:
            return by_base[base]
    return enabled[0]


def _wish(part: str) -> tuple[str, float]:
    tag, _, parameters = part.strip().lower().partition(";")
    quality = 1.0
    name, _, value = parameters.strip().partition("=")
    if name.strip() == "q":
        try:
            quality = float(value)
        except ValueError:
            quality = 0.0
    return tag.strip().split("-")[0], quality if 0.0 <= quality <= 1.0 else 0.0
