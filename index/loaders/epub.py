"""EPUB books: their chapters in the order of reading."""

from __future__ import annotations

import posixpath
from urllib.parse import unquote
from zipfile import ZipFile

from lxml import etree

from index.errors import LoadError
from index.loaders.html import page_of, parse, text_of
from index.loaders.package import open_package, tree
from index.loaders.parts import document, iso_date
from index.types import Document

_NAMES = {
    "container": "urn:oasis:names:tc:opendocument:xmlns:container",
    "opf": "http://www.idpf.org/2007/opf",
    "dc": "http://purl.org/dc/elements/1.1/",
}
_KEYS = "META-INF/encryption.xml"
_PAGES = ("application/xhtml+xml", "text/html")


def load(file: str, data: bytes) -> Document:
    """Return the text of a book, with its title and date of publication.

    Raises:
        LoadError: If it is none, or its pages are encrypted.
    """
    package = open_package(data, "EPUB")
    if "META-INF/container.xml" not in package.namelist():
        raise LoadError("not an EPUB file")
    place = _find(tree(package, "META-INF/container.xml"), "//container:rootfile/@full-path")
    book = tree(package, place[0])
    text = "\n\n".join(_chapters(package, book, posixpath.dirname(place[0])))
    title = " ".join(_find(book, "//dc:title/text()")[:1])
    dates = filter(None, map(iso_date, _find(book, "//dc:date/text()")))
    return document(file, text, title=title, date=next(dates, None))


def _chapters(package: ZipFile, book: etree._Element, folder: str) -> list[str]:
    items = {item.get("id"): item for item in book.iterfind(".//opf:item", _NAMES)}
    encrypted = _encrypted(package)
    texts = []
    for name in _find(book, "//opf:spine/opf:itemref/@idref"):
        item = items.get(name)
        if item is None or item.get("media-type") not in _PAGES:
            continue
        path = posixpath.normpath(posixpath.join(folder, unquote(item.get("href", ""))))
        if path in encrypted:
            raise LoadError("a book that is encrypted")
        data = package.read(path) if path in package.namelist() else b""
        if data.strip():
            texts.append(text_of(parse(page_of(data))))
    return [text for text in texts if text]


def _encrypted(package: ZipFile) -> set[str]:
    """The files that cannot be read without a key."""
    if _KEYS not in package.namelist():
        return set()
    return {unquote(uri) for uri in _find(tree(package, _KEYS), "//*[local-name()='CipherReference']/@URI")}


def _find(root: etree._Element, path: str) -> list[str]:
    return [str(found) for found in root.xpath(path, namespaces=_NAMES)]
