"""Bytes to text: the encoding is told, or plain to see, or the file is refused."""

from __future__ import annotations

import codecs
import re
import unicodedata
from itertools import pairwise

from index.errors import LoadError

SAMPLE = 50_000
"""So many bytes decide which encoding an old file is in; all of it then has to agree."""
TOO_FEW, FEW = 4, 10
RIVAL, RIVAL_OF_FEW = 0.59, 0.3
"""Another reading that is more likely than so much of the best one makes the encoding unclear. Fewer than
`FEW` bytes that are not ASCII tell less, and a file of fewer than `TOO_FEW` bytes tells nothing."""

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # Begins with the one of UTF-16, so it is tried first.
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ENCODINGS = (
    *("cp932", "euc_jis_2004", "iso2022_jp_2", "gb18030", "big5hkscs", "cp949", "cp874"),
    *("cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256"),
    *("iso8859-2", "iso8859-5", "iso8859-7", "iso8859-9", "koi8-r", "cp866"),
)
"""What files were commonly written in before UTF-8."""
SIGNATURES = {
    b"%PDF-": "a PDF file",
    b"PK\x03\x04": "a zip file or an office document",
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1": "an old or encrypted office document",
    b"{\\rtf1": "an RTF file",
    b"\x1f\x8b\x08": "a compressed file",
    b"\x7fELF": "a program",
    b"\x89PNG\r\n": "a picture",
    b"GIF87a": "a picture",
    b"GIF89a": "a picture",
    b"\xff\xd8\xff": "a picture",
}
"""How files begin that no suffix makes a text."""

_control = re.compile(r"[\x00-\x08\x0e-\x1f]")
_letter = r"[^\W\d_]"
_scripts = ("A-Za-zÀ-ÖØ-öø-ʯ", "Ͱ-Ͽ", "Ѐ-ӿ", "֐-׿", "؀-ۿ", "฀-๿")
_mixed = re.compile("|".join(f"[{one}][{two}]" for one in _scripts for two in _scripts if one != two))
_broken = re.compile(
    rf"[─-▟⌠⌡]|{_letter}[¡-©«¬®-´¶¸¹»-¿×÷‚†‡‰€™˜ˆ]+{_letter}|{_letter}[¤¦¨¬¯¶¸]|[¤¦¨¬¯¶¸]{_letter}"
)
_east_asian = re.compile(r"[぀-ヿ㐀-鿿가-힯豈-﫿]+")


def decode(data: bytes) -> str:
    """Return the text that the bytes of a text file are, without a byte order mark.

    Raises:
        LoadError: If they are no text, or it is not plain which text they are.
    """
    for signature, kind in SIGNATURES.items():
        if data.startswith(signature):
            raise LoadError(f"{kind} under a wrong suffix")
    text = _decoded(data)
    if "\0" in text or len(_control.findall(text[:8192])) > len(text[:8192]) // 50:
        raise LoadError("a binary file, not text")
    if not text.strip():
        raise LoadError("it holds no text")
    return text


def _decoded(data: bytes) -> str:
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            try:
                return data[len(bom) :].decode(encoding)
            except UnicodeDecodeError as error:
                raise LoadError(
                    f"encoding unclear: it begins as {encoding[:6].upper()} but is not"
                ) from error
    if b"\x1b$" in data:  # ISO-2022 needs no bytes that are not ASCII.
        return _guessed(data)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        if b"\0" in data[:8192]:
            raise LoadError("a binary file, not text") from error
        if _cut_off(data, error):
            return data[: error.start].decode()
    return _guessed(data)


def _cut_off(data: bytes, error: UnicodeDecodeError) -> bool:
    """Whether only the last character is incomplete, in what is UTF-8 without a doubt."""
    complete = error.end == len(data) and error.reason == "unexpected end of data"
    return complete and not data[: error.start].isascii()


def _guessed(data: bytes) -> str:
    """The one reading that is much more likely than all others and looks like text."""
    import chardet

    guesses = chardet.detect_all(data[:SAMPLE], ignore_threshold=True, include_encodings=_ENCODINGS)
    if len(data) < TOO_FEW:
        guesses = []
    text, limit = "", 0.0
    few = sum(byte > 127 for byte in data[:SAMPLE]) < FEW
    for guess in guesses:
        try:
            reading = data.decode(str(guess["encoding"]))
        except (UnicodeDecodeError, LookupError):
            continue
        if not _plausible(reading[:SAMPLE]):
            continue
        if not text:
            doubtful = few and guess["encoding"] != "Windows-1252"  # by far the most common
            text, limit = reading, guess["confidence"] * (RIVAL_OF_FEW if doubtful else RIVAL)
        elif reading != text and guess["confidence"] > limit:
            text = ""
            break
    if not text:
        raise LoadError("encoding unclear: save it as UTF-8")
    return text


def _plausible(text: str) -> bool:
    """Whether a text is free of what a wrong encoding makes of words."""
    if _mixed.search(text) or _broken.search(text):
        return False
    runs = [len(run[0]) for run in _east_asian.finditer(text)]
    if 2 * runs.count(1) > sum(runs):
        return False
    for one, two in pairwise(text):
        if one.islower() and two.isupper() and not (one.isascii() and two.isascii()):
            return False
    return not any(
        unicodedata.category(char) in ("Cc", "Cn", "Co") and not char.isspace() for char in set(text)
    )
