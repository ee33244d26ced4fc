"""Settings: arguments first, then the environment, then `[tool.footnote]` in pyproject.toml, then defaults.

This is the only place where the environment is read.
"""

from __future__ import annotations

import hashlib
import os
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import urlsplit

import platformdirs
from pydantic import AliasChoices, Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    PyprojectTomlConfigSettingsSource,
    SettingsConfigDict,
)

from rag.errors import ConfigurationError
from rag.types import Gate

if TYPE_CHECKING:
    from index import Embedder

_PREFIX = "FOOTNOTE_"
_ADDRESSES = {
    "base_url": ("http://localhost:11434/v1", "put it in OPENAI_API_KEY"),
    "embedder_url": ("http://localhost:11434/v1", "put it in FOOTNOTE_EMBEDDER_KEY"),
    "chroma_url": ("http://localhost:8000", "none is sent to Chroma"),
}
"""Of each address: an example, and where a key goes."""


class Settings(BaseSettings):
    """What can be set; each field is also `FOOTNOTE_` and its name in capitals in the environment."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX,
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        populate_by_name=True,
        pyproject_toml_table_header=("tool", "footnote"),
    )

    corpus: Path | None = Field(
        default=None, description="Folder of documents; the shipped seeds when not set."
    )
    index_dir: Path | None = Field(
        default=None,
        description="Folder for indexes, each corpus in one of its own; the user's cache when not set.",
    )
    patience: float = Field(
        default=6,
        ge=0,
        description="Seconds that the first question waits for the index, for a small folder up to four times "
        "as long; then what there is has to do.",
    )
    embedder: str = Field(
        default="minilm",
        description="What turns texts into vectors: `minilm`, `openai:MODEL` or `fastembed:MODEL`.",
    )
    embedder_url: str | None = Field(
        default=None,
        description="Address of the server of `openai:MODEL`, mostly ending in /v1; that of `base_url` when not set.",
    )
    embedder_key: SecretStr | None = Field(
        default=None,
        description="Key for that server; never shown or logged. That of `base_url` goes to no other address.",
    )
    chroma_url: str | None = Field(
        default=None,
        description="Address of a Chroma server for the vectors; Chroma runs inside Footnote when not set.",
    )
    snapshots: Path | None = Field(
        default=None,
        description="Folder that an index is published to by another computer; asked in place of documents.",
    )
    chunks: int = Field(default=6, ge=1, le=100, description="How many chunks are read for an answer.")
    gate: Gate = Field(default="balanced", description="How sure an answer must be to be given.")
    api_key: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("FOOTNOTE_API_KEY", "OPENAI_API_KEY"),
        description="Key for the model's server; never shown or logged.",
    )
    base_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("FOOTNOTE_BASE_URL", "OPENAI_BASE_URL"),
        description="Address of an OpenAI-compatible server, mostly ending in /v1; OpenAI's own when not set.",
    )
    model: str | None = Field(
        default=None,
        description="Model that writes the answers, by any name the server knows; `extractive` for none.",
    )
    timeout: float = Field(default=60, gt=0, description="Seconds a model may take for an answer, at most.")
    first_token_timeout: float = Field(
        default=20, gt=0, description="Seconds until the first token, and between two tokens, at most."
    )
    rewrite_timeout: float = Field(
        default=5, gt=0, description="Seconds a model may take to rewrite or translate a question."
    )
    context_window: int | None = Field(
        default=None,
        ge=512,
        description="Tokens the model can take in; what its server says, else a safe guess, when not set.",
    )
    unsupported: Literal["mark", "remove"] = Field(
        default="mark", description="What becomes of a model's sentence that its passages do not support."
    )
    verify: Literal["local", "model"] = Field(
        default="local", description="Whether the model is asked about what the local check calls weak."
    )
    host: str = Field(default="127.0.0.1", description="Address the page listens on.")
    port: int = Field(
        default=7860, ge=0, le=65535, description="Port the page listens on; 0 takes a free one."
    )
    token: SecretStr | None = Field(
        default=None, description="What everyone who asks over the network must know; nothing when not set."
    )

    @field_validator("base_url", "embedder_url", "chroma_url")
    @classmethod
    def _plain_address(cls, address: str | None, field: ValidationInfo) -> str | None:
        example, key = _ADDRESSES[str(field.field_name)]
        parts = urlsplit(address or "http://none")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"it must be an address such as {example}")
        if parts.username or parts.password or parts.query:
            raise ValueError(f"a key does not belong in the address: {key}")
        return address

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Say in which order the sources count."""
        return init_settings, env_settings, PyprojectTomlConfigSettingsSource(settings_cls)

    def index_folder(self, corpus: Path) -> Path:
        """Return where the index of a folder of documents lives."""
        indexes = self.index_dir or platformdirs.user_cache_path("footnote") / "indexes"
        resolved = corpus.resolve()
        digest = hashlib.sha256(str(resolved).encode(errors="surrogateescape")).hexdigest()[:12]
        return indexes / f"{resolved.name}-{digest}"

    def make_embedder(self) -> Embedder | None:
        """Return what turns texts into vectors; None for the one that ships with Footnote.

        Raises:
            EmbedderError: If there is no such embedder, or it lacks its key.
        """
        if self.embedder == "minilm":
            return None
        from index import make_embedder

        key = self.embedder_key or (None if self.embedder_url else self.api_key)
        return make_embedder(
            self.embedder,
            base_url=self.embedder_url or self.base_url,
            api_key=key.get_secret_value() if key else None,
        )


def load_settings(**given: object) -> Settings:
    """Return the settings in force; arguments that are None do not count as given.

    Raises:
        ConfigurationError: If a setting is unknown or its value cannot work, naming it, or if the working
            folder has a pyproject.toml that is not TOML.
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        secret = name.lower().endswith(("key", "token", "url"))  # by whichever of its names it was given
        value = "that" if secret else repr(first["input"])
        raise ConfigurationError(f"The setting {name} cannot be {value}: {first['msg']}.") from None
    except ValueError as error:
        raise ConfigurationError(
            f"The pyproject.toml of the working folder cannot be read: {error}."
        ) from error


def misspelt() -> list[str]:
    """Return a sentence for each variable of the environment that looks like a setting and is none."""
    known, found = list(Settings.model_fields), []
    for variable in sorted(os.environ):
        prefix, name = variable[: len(_PREFIX)].upper(), variable[len(_PREFIX) :].lower()
        if prefix == _PREFIX and name not in known:
            near = get_close_matches(name, known, n=1)
            advice = f"did you mean {_PREFIX}{near[0].upper()}?" if near else "it does nothing."
            found.append(f"There is no setting {variable}: {advice}")
    return found


def shipped_seeds() -> Path:
    """Return the folder of documents that comes with Footnote."""
    package = Path(__file__).resolve().parent
    inside = package / "seeds"
    return inside if inside.is_dir() else package.parent / "seeds"
