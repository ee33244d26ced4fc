"""Settings: arguments first, then the environment, then `[tool.footnote]` in pyproject.toml, then defaults.

This is the only place where the environment is read.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import platformdirs
from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    PyprojectTomlConfigSettingsSource,
    SettingsConfigDict,
)

from rag.errors import ConfigurationError
from rag.types import Gate


class Settings(BaseSettings):
    """What can be set; each field is also `FOOTNOTE_` and its name in capitals in the environment."""

    model_config = SettingsConfigDict(
        env_prefix="FOOTNOTE_",
        env_ignore_empty=True,
        extra="forbid",
        frozen=True,
        pyproject_toml_table_header=("tool", "footnote"),
    )

    corpus: Path | None = Field(
        default=None, description="Folder of documents; the shipped seeds when not set."
    )
    index_dir: Path | None = Field(
        default=None,
        description="Folder for indexes, each corpus in one of its own; the user's cache when not set.",
    )
    chunks: int = Field(default=6, ge=1, le=100, description="How many chunks are read for an answer.")
    gate: Gate = Field(default="balanced", description="How sure an answer must be to be given.")
    host: str = Field(default="127.0.0.1", description="Address the page listens on.")
    port: int = Field(
        default=7860, ge=0, le=65535, description="Port the page listens on; 0 takes a free one."
    )

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
        raise ConfigurationError(
            f"The setting {name} cannot be {first['input']!r}: {first['msg']}."
        ) from error
    except ValueError as error:
        raise ConfigurationError(
            f"The pyproject.toml of the working folder cannot be read: {error}."
        ) from error


def shipped_seeds() -> Path:
    """Return the folder of documents that comes with Footnote."""
    package = Path(__file__).resolve().parent
    inside = package / "seeds"
    return inside if inside.is_dir() else package.parent / "seeds"
