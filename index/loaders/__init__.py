"""Files to documents. A new format is a module with a `load`, and its suffixes in `FORMATS`."""

from __future__ import annotations

from importlib import import_module
from pathlib import PurePosixPath

from index.errors import LoadError
from index.types import Document

LOADER = "formats-1"
"""Raised whenever the text, title or date of an unchanged file would differ."""
MAX_BYTES = 50_000_000

FORMATS = {
    "text": ".txt .text .rst .adoc .org .tex",
    "markdown": ".md .markdown .mdown .mkd",
    "code": ".py .pyi .js .mjs .cjs .jsx .ts .tsx .vue .java .kt .kts .scala .groovy .c .h .cc .cpp .hpp .cs .go .rs"
    " .swift .m .rb .php .pl .pm .lua .r .jl .dart .ex .exs .erl .hs .ml .clj .lisp .el .sql .sh .bash .zsh .fish"
    " .ps1 .bat .css .scss .less .xml .yaml .yml .toml .ini .cfg .conf .properties .proto .graphql .tf .cmake .log",
    "html": ".html .htm .xhtml",
    "pdf": ".pdf",
    "word": ".docx .docm",
    "slides": ".pptx .pptm",
    "sheets": ".xlsx .xlsm",
    "rows": ".csv .tsv",
    "records": ".json .jsonl .ndjson",
    "epub": ".epub",
    "rtf": ".rtf",
    "mail": ".eml",
    "subtitles": ".srt .vtt",
}
"""Each format's module, and the suffixes that it reads."""
HARMLESS = frozenset({"text", "markdown", "code"})
"""Formats that need no parser, so nothing in a file can make them slow or large."""
NAMED = {"readme": "text", "license": "text", "licence": "text", "changelog": "text", "authors": "text"} | {
    "notice": "text",
    "makefile": "code",
    "dockerfile": "code",
}
"""Formats of files that are known by their whole name, in lower case."""
INSTEAD = {
    ".doc": ".docx",
    ".xls": ".xlsx",
    ".ppt": ".pptx",
    ".odt": ".docx",
    ".ods": ".xlsx",
    ".odp": ".pptx",
} | {
    ".pages": ".docx",
    ".numbers": ".xlsx",
    ".msg": ".eml",
    ".mobi": ".epub",
}
"""What a file in a format that cannot be read can be saved as."""

_format_of = {suffix: name for name, suffixes in FORMATS.items() for suffix in suffixes.split()}


def format_of(file: str) -> str | None:
    """Return the key in `FORMATS` that a file's name stands for; None when there is none."""
    name = file[file.rfind("/") + 1 :].lower()  # Asked for every file at every sync.
    return NAMED.get(name) or _format_of.get(name[name.rfind(".") :])


def unread(file: str, size: int) -> str | None:
    """Return why a file of this name and size in bytes cannot be a document; None when it may be one."""
    if size > MAX_BYTES:
        return f"larger than {MAX_BYTES // 1_000_000} MB"
    if format_of(file):
        return None
    suffix = PurePosixPath(file).suffix.lower()
    advice = f": save it as {INSTEAD[suffix]}" if suffix in INSTEAD else ""
    return f"{suffix or 'a file without a suffix'} is not a format that can be read yet{advice}"


def load(file: str, data: bytes) -> Document:
    """Return the document that a file holds.

    Args:
        file: Its path relative to the corpus folder, with `/` separators; the suffix decides how
            it is read.
        data: Its bytes.

    Raises:
        LoadError: If the format is not known, or the bytes are not what the suffix says. The
            message is a reason that can stand after the file's name.
    """
    if reason := unread(file, len(data)):
        raise LoadError(reason)
    try:
        document: Document = import_module(f"index.loaders.{format_of(file)}").load(file, data)
    except (LoadError, MemoryError):
        raise
    except ImportError as error:
        raise LoadError(f"what reads it is not installed: {error.name}") from error
    except Exception as error:
        # Parsers in C report it as an error of their own; 2 is libxml2's.
        if "memory" in str(error).lower() or getattr(error, "code", None) == 2:
            raise MemoryError from error
        suffix = PurePosixPath(file).suffix.lower()
        raise LoadError(f"it is damaged, or not a {suffix} file ({type(error).__name__})") from error
    return document
