"""E-mail: who wrote what to whom and when."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable
from email.message import EmailMessage

from index.errors import LoadError
from index.loaders.encoding import decode
from index.loaders.html import page_of, parse, text_of
from index.loaders.parts import clean, document
from index.types import Document

HEADERS = ("From", "To", "Cc", "Date", "Subject")


def load(file: str, data: bytes) -> Document:
    """Return the headers that people read, the text, and the names of what is attached.

    Raises:
        LoadError: If it has no header of an e-mail.
    """
    message = email.message_from_bytes(data, policy=email.policy.default)
    lines = [f"{name}: {message[name]}" for name in HEADERS if message[name]]
    if not lines:
        raise LoadError("not an e-mail")
    attached = [f"Attached: {name}" for part in message.iter_attachments() if (name := part.get_filename())]
    sent = getattr(message["Date"], "datetime", None)
    text = clean("\n".join(lines) + "\n\n" + _body(message) + "\n\n" + "\n".join(attached))
    return document(file, text, title=str(message["Subject"] or ""), date=sent.date() if sent else None)


def _body(message: EmailMessage) -> str:
    part = message.get_body(("plain", "html"))
    if part is None:
        return ""
    data = part.get_payload(decode=True)
    assert isinstance(data, bytes)
    if part.get_content_subtype() == "html":
        return text_of(parse(_decoded(data, part.get_content_charset(), page_of)))
    return _decoded(data, part.get_content_charset(), decode)


def _decoded(data: bytes, charset: str | None, otherwise: Callable[[bytes], str]) -> str:
    if not data.strip():
        return ""
    try:
        return data.decode(charset or "ascii")
    except (UnicodeDecodeError, LookupError):
        return otherwise(data)
