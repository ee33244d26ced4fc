"""What went wrong with a model's server, as a sentence for people.

The server's own words are never passed on: they can repeat a key, a path or a prompt.
"""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Iterator, Mapping

import openai

from rag.errors import ModelError

LONGEST_PAUSE = 5.0
"""Seconds; a server that asks for a longer pause is not asked again."""

_overflow = re.compile(
    r"context[ _-]*(?:length|window|size)|maximum context|too many tokens|n_ctx|prompt is too long|exceeds? the (?:available )?context",
    re.IGNORECASE,
)
_STATUS = {
    401: "refused the key: check OPENAI_API_KEY",
    402: "says that the account is out of credit",
    403: "does not allow this key to use the model {model}: check the account's rights",
    404: "has no model {model} or is at another address: check FOOTNOTE_MODEL and OPENAI_BASE_URL",
    408: "gave up waiting for the request: try again",
    409: "reported a conflict: try again",
    413: "found the request too large",
    429: "is busy or this account is over its limit: try again later",
}
_AGAIN = (408, 409, 429, 500, 502, 503, 504, 529)


def explain(error: Exception, server: str, model: str) -> ModelError:
    """Return a failure as the error that people read.

    Args:
        error: What the client raised.
        server: The server's address, without anything secret.
        model: The model's name.
    """
    if isinstance(error, ModelError):
        return error
    if isinstance(error, openai.APIStatusError):
        return _status(error, server, model)
    if isinstance(error, TimeoutError | openai.APITimeoutError):
        return ModelError(f"The model's server at {server} did not answer in time.")
    if isinstance(error, openai.APIConnectionError | OSError):
        return _connection(error, server)
    if isinstance(error, openai.APIError):
        overflow = bool(_overflow.search(str(error.message)))
        return ModelError(f"The model's server at {server} reported an error.", overflow=overflow)
    if isinstance(error, openai.OpenAIError | json.JSONDecodeError | UnicodeDecodeError):
        return malformed(server)
    return ModelError(f"The connection to the model's server at {server} broke.", retry_after=0.0)


def malformed(server: str) -> ModelError:
    """Return the error for an answer that is not the protocol's."""
    return ModelError(
        f"The server at {server} does not speak OpenAI's protocol: check OPENAI_BASE_URL, which mostly ends in /v1.",
        lasting=True,
    )


def _status(error: openai.APIStatusError, server: str, model: str) -> ModelError:
    status = error.status_code
    if status in (400, 413, 422, 500) and _overflow.search(f"{error.code} {error.message}"):
        return ModelError(f"The prompt does not fit into the model {model}.", overflow=True)
    if 300 <= status < 400:
        what = "sends requests elsewhere: check OPENAI_BASE_URL"
    elif status >= 500:
        what = f"failed with error {status}: try again later"
    else:
        what = _STATUS.get(status, f"refused the request with error {status}")
    spent = error.code == "insufficient_quota"
    if spent:
        what = _STATUS[402]
    pause = _pause(error.response.headers) if status in _AGAIN and not spent else None
    return ModelError(
        f"The model's server at {server} {what.format(model=model)}.",
        retry_after=pause,
        lasting=pause is None,
    )


def _pause(headers: Mapping[str, str]) -> float | None:
    """The pause that a server asks for in seconds, 0 when it asks for none, None when it is too long."""
    try:
        seconds = float(headers.get("retry-after-ms", "nan")) / 1000
        seconds = seconds if seconds == seconds else float(headers.get("retry-after", "0"))
    except ValueError:  # A date: no server of a model is known to send one.
        return None
    return max(seconds, 0.0) if seconds <= LONGEST_PAUSE else None


def _connection(error: Exception, server: str) -> ModelError:
    causes = list(_chain(error))
    text = " ".join(str(cause) for cause in causes).lower()
    if any(isinstance(cause, ssl.SSLError) for cause in causes) or "certificate" in text:
        return ModelError(
            f"The secure connection to {server} failed: check its certificate and https or http.",
            lasting=True,
        )
    if any(isinstance(cause, socket.gaierror) for cause in causes) or "name resolution" in text:
        return ModelError(
            f"There is no server named in {server}: check OPENAI_BASE_URL and the network.", lasting=True
        )
    if any(isinstance(cause, ConnectionRefusedError) for cause in causes) or "attempts failed" in text:
        return ModelError(
            f"No model server is running at {server}: start it or check OPENAI_BASE_URL.", lasting=True
        )
    return ModelError(f"The connection to the model's server at {server} broke.", retry_after=0.0)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        yield from getattr(error, "exceptions", ())
        error = error.__cause__ or error.__context__
