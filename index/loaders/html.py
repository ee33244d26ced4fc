"""Web pages: what a reader sees, block by block; tables row by row."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator

from lxml import etree
from lxml import html as parser

from index.errors import LoadError
from index.loaders.encoding import decode
from index.loaders.parts import clean, document, iso_date, rows_as_lines
from index.types import Document

_UNSEEN = (
    *("script", "style", "noscript", "template", "svg", "math", "iframe", "object", "canvas"),
    *("audio", "video", "select", "textarea", "head"),
)
_APART = frozenset(
    [
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "p",
        "pre",
        "table",
        "ul",
        "ol",
        "blockquote",
        "article",
        "section",
        "nav",
        "header",
        "footer",
        "aside",
    ]
)
_BLOCKS = _APART | frozenset(
    [
        "address",
        "body",
        "button",
        "caption",
        "center",
        "dd",
        "details",
        "dialog",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "form",
        "hr",
        "html",
        "label",
        "legend",
        "li",
        "main",
        "option",
        "summary",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
    ]
)
_LINE, _BLOCK = "\x1e", "\x1f"
_ends = re.compile(f"[{_LINE}{_BLOCK}][ {_LINE}{_BLOCK}]*")
_space = re.compile(r"\s+")
_hidden = re.compile(r"(?:display:none|visibility:hidden|font-size:0|opacity:0)(?![.\d])", re.IGNORECASE)
_charset = re.compile(
    rb"""<meta[^>]{0,200}charset\s*=\s*["']?([\w-]{1,20})|encoding=["']([\w-]{1,20})""", re.IGNORECASE
)
_declaration = re.compile(r"\s*<\?xml[^>]*>")
_date_named = re.compile(
    r"(?:article:|og:|dc\.|dcterms\.|citation_)?(?:published|publish|publication|modified|updated|date)"
    r"(?:_?time|_?date|\.issued|\.modified)?",
    re.IGNORECASE,
)


def load(file: str, data: bytes) -> Document:
    """Return what a page shows, with the title and date that it gives of itself."""
    root = parse(page_of(data))
    title, date = _title(root), _date(root)
    return document(file, text_of(root), title=title, date=date)


def parse(page: str) -> parser.HtmlElement:
    """Return the tree of a page; whatever it holds, nothing is fetched for it.

    Raises:
        LoadError: If there is nothing in it.
    """
    try:
        return parser.document_fromstring(_declaration.sub("", page, count=1))
    except etree.ParserError as error:
        raise LoadError("it holds no text") from error


def text_of(root: parser.HtmlElement) -> str:
    """Return what is shown of a page: a line for each block, a blank line before each that stands apart.

    Elements that are hidden by their own attributes are left out. The tree is changed.
    """
    for element in [*root.iter(*_UNSEEN), *filter(_is_hidden, root.xpath("//*[@hidden or @style]"))]:
        if element.getparent() is not None:
            element.drop_tree()
    for table in [
        table for table in root.iter("table") if next(table.iterdescendants("table"), None) is None
    ]:
        _write_rows(table)
    text = "".join(_pieces(root))
    return clean(_ends.sub(lambda ends: "\n\n" if _BLOCK in ends[0] else "\n", text))


def page_of(data: bytes) -> str:
    """Return a page decoded as it says, where that works; else as any text.

    Raises:
        LoadError: As `index.loaders.encoding.decode`.
    """
    declared = _charset.search(data, 0, 2048)
    name = (declared[1] or declared[2]).decode().lower() if declared else ""
    encoding = {"iso-8859-1": "cp1252", "shift_jis": "cp932", "gb2312": "gb18030", "gbk": "gb18030"}.get(
        name, name
    )
    if encoding and not encoding.startswith("utf-") and b"\0" not in data:
        try:
            return data.decode(encoding)
        except (UnicodeDecodeError, LookupError):
            pass
    return decode(data)


def _is_hidden(element: parser.HtmlElement) -> bool:
    return "hidden" in element.attrib or bool(_hidden.search("".join(element.get("style", "").split())))


def _write_rows(table: parser.HtmlElement) -> None:
    """Replace a table's rows by lines that can be understood alone."""
    rows = [[_inline(cell) for cell in row if cell.tag in ("td", "th")] for row in table.iter("tr")]
    lines = "\n".join(rows_as_lines(rows))
    caption = table.find("caption")
    title = _inline(caption) + "\n" if caption is not None else ""
    tail = table.tail
    table.clear()
    table.tag, table.text, table.tail = "pre", title + lines, tail


def _inline(element: parser.HtmlElement) -> str:
    return _space.sub(" ", " ".join(element.itertext())).strip()


def _pieces(root: parser.HtmlElement) -> Iterator[str]:
    """The text with marks where lines and blocks end; runs of space are one, but in `pre`."""
    kept = 0
    for event, element in etree.iterwalk(root, events=("start", "end", "comment", "pi")):
        if event in ("start", "end"):
            tag = element.tag
            kept += (event == "start") - (event == "end") if tag == "pre" else 0
            if tag in _BLOCKS or (tag == "br" and event == "start"):
                yield _BLOCK if tag in _APART else _LINE
            if event == "start" and tag == "li":
                yield "- "
        text = element.text if event == "start" else element.tail
        if event != "pi" and text:
            yield text if kept else _space.sub(" ", text)


def _title(root: parser.HtmlElement) -> str:
    found = root.xpath("//meta[@property='og:title']/@content")
    found += [_inline(heading) for heading in root.iter("h1")][:1]
    found += [_inline(title) for title in root.iter("title")][:1]
    return next((str(title) for title in found if title.strip()), "")


def _date(root: parser.HtmlElement) -> datetime.date | None:
    """The last date of its own that a page gives to machines."""
    given = [
        meta.get("content", "")
        for meta in root.iter("meta")
        if _date_named.fullmatch(meta.get("property") or meta.get("name") or meta.get("itemprop") or "")
    ]
    dates = [date for date in map(iso_date, given) if date]
    return max(dates, default=None)
