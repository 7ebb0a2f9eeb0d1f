"""A call of a model's server: JSON there and back, tried again where that may help, and errors for people."""

from __future__ import annotations

from typing import Any

import httpx
import orjson
from pydantic import SecretStr

from pagesight.indexing.calls.asked_waits import PASSING, retry_after
from pagesight.indexing.calls.deadline import ends_within
from pagesight.indexing.calls.network_errors import network_error
from pagesight.indexing.calls.retries import Attempts, FailedAttempt
from pagesight.indexing.encoders.roles import ENCODER, Role
from pagesight.indexing.errors import EncoderError

_TOLD = 300  # characters of what a server says that stand in a message
_LONGEST_CONNECT = 10.0  # seconds: a guess, not measured
_MOST_BYTES = 256 << 20  # of an answer: eight pages of 2,000 vectors with 4,096 numbers each, in text


class ServerCalls:
    """The calls of one server. Redirections are not followed: a key stays with its host.

    ``attempts`` and ``longest_wait`` are those of `pagesight.indexing.calls.retries.Attempts`; ``timeout`` the seconds
    of one call. Methods raise EncoderError.
    """

    def __init__(
        self,
        address: str,
        key: SecretStr | None,
        *,
        timeout: float,
        attempts: int,
        longest_wait: float,
        at_once: int,
        role: Role = ENCODER,
    ) -> None:
        headers = {"content-type": "application/json"}
        if key:
            headers["authorization"] = f"Bearer {key.get_secret_value()}"
        self._address, self._key, self._timeout, self._role = address, key, timeout, role
        self._attempts, self._longest_wait = attempts, longest_wait
        self._client = httpx.Client(
            base_url=address,
            headers=headers,
            timeout=httpx.Timeout(timeout, connect=_LONGEST_CONNECT),
            limits=httpx.Limits(max_connections=at_once, max_keepalive_connections=at_once),
            event_hooks={"response": [ends_within(timeout)]},
        )

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """The answer, a JSON object."""
        content = orjson.dumps(body)  # a picture of 2 MB in .1 ms, where json takes 4; it reads vectors faster, too
        try:
            for attempt in Attempts(self._address, _failure_of, self._attempts, self._longest_wait):
                with attempt:
                    response = self._client.post(path, content=content)
                    response.raise_for_status()
        except httpx.HTTPStatusError as error:
            raise self._refused(path, error.response) from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            raise self._unreachable(error) from error
        return self._read(response)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _read(self, response: httpx.Response) -> dict[str, Any]:
        try:
            answer = orjson.loads(response.content) if len(response.content) <= _MOST_BYTES else None
        except ValueError as error:
            raise self.bad_answer("no JSON") from error
        if not isinstance(answer, dict):
            raise self.bad_answer("no JSON object")
        return answer

    def bad_answer(self, what: str) -> EncoderError:
        """The error for an answer that cannot be used."""
        return EncoderError(
            f"the {self._role.noun}'s server {self._address} answered with {what}. Ask who runs it, or take another "
            f"{self._role.noun}."
        )

    def _unreachable(self, error: Exception) -> EncoderError:
        kind = network_error(error)
        said = f"cannot be reached ({self._without_key(str(error)) or type(error).__name__})"
        if kind == "silent":
            said = f"did not answer within {self._timeout:g} s: set {self._role.timeout} to more, or look there"
        return EncoderError(f"the {self._role.noun}'s server {self._address} {said}. {self._role.again}.")

    def _refused(self, path: str, response: httpx.Response) -> EncoderError:
        said = self._without_key(_said(response))
        tail = {
            401: " Set the key that belongs to it.",
            403: " Set the key that belongs to it.",
            404: f" Does it serve this model, at {path}?",
            429: f" {self._role.again} later.",
        }.get(response.status_code, "")
        return EncoderError(
            f"the {self._role.noun}'s server {self._address} refused the request ({response.status_code} {said}).{tail}"
        )

    def _without_key(self, text: str) -> str:
        key = self._key.get_secret_value() if self._key else ""
        return text.replace(key, "…") if key else text


def _failure_of(error: BaseException) -> FailedAttempt | None:
    if isinstance(error, httpx.HTTPStatusError):
        status = error.response.status_code
        return FailedAttempt(str(status), status in PASSING, retry_after(error.response.headers))
    network = network_error(error)
    return FailedAttempt(type(error).__name__, passing=network == "broken") if network else None


def _said(response: httpx.Response) -> str:
    """What a server says about a refusal, whichever field it says it in."""
    try:
        told: Any = response.json()
    except ValueError:
        told = response.text
    for field in ("error", "detail", "message"):
        told = told.get(field, told) if isinstance(told, dict) else told
    told = told.get("message", told) if isinstance(told, dict) else told
    return " ".join(str(told).split())[:_TOLD]
