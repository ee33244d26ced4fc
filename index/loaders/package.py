"""Zip files with documents in them: nothing is unpacked that would be too large."""

from __future__ import annotations

import datetime
import io
from zipfile import BadZipFile, ZipFile

from lxml import etree

from index.errors import LoadError
from index.loaders.encoding import SIGNATURES
from index.loaders.parts import iso_date

UNPACKED = 200_000_000
"""Bytes that all files in a package may have together."""

_CORE = "docProps/core.xml"


def open_package(data: bytes, kind: str) -> ZipFile:
    """Return a zip file whose files are small enough to be read.

    Args:
        data: Its bytes.
        kind: What it should be, for the reason.

    Raises:
        LoadError: If it is none, holds more than `UNPACKED`, or is encrypted.
    """
    try:
        package = ZipFile(io.BytesIO(data))
    except BadZipFile as error:
        if data.startswith(b"PK"):
            raise LoadError(f"a damaged {kind} file") from error
        other = next((f" but {name}" for start, name in SIGNATURES.items() if data.startswith(start)), "")
        raise LoadError(f"no {kind} file{other}") from error
    # What a file says of its size is as much as will be read of it.
    if sum(info.file_size for info in package.infolist()) > UNPACKED:
        raise LoadError(f"it unpacks to more than {UNPACKED // 1_000_000} MB")
    if any(info.flag_bits & 1 for info in package.infolist()):
        raise LoadError(f"a {kind} file that asks for a password: save it without one")
    return package


def tree(package: ZipFile, path: str) -> etree._Element:
    """Return the XML of a file in a package; nothing that it refers to is fetched or put in its place.

    Raises:
        KeyError: If there is no such file.
        XMLSyntaxError: If it is not XML.
    """
    safe = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    return etree.fromstring(package.read(path), safe)


def office_properties(package: ZipFile) -> tuple[str, datetime.date | None]:
    """Return the title of an office document, and the day when it was last saved; both may be missing."""
    if _CORE not in package.namelist():
        return "", None
    core = tree(package, _CORE)
    title = core.findtext("{http://purl.org/dc/elements/1.1/}title") or ""
    moments = (
        core.findtext(f"{{http://purl.org/dc/terms/}}{name}") or "" for name in ("modified", "created")
    )
    return title, next(filter(None, map(iso_date, moments)), None)
