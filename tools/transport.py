"""How a page's picture reaches the model. One seam, three ways:

- ``bytes``   raw bytes in a part of google-genai, set into the request by `pagesight.agent.gemini`: Gemini only
- ``base64``  LangChain's standard image block, which every chat model takes
- ``files``   uploaded once through Gemini's Files API, then named by its address: Gemini only

A block stands in one model call and never in the conversation's state.
"""

from __future__ import annotations

import asyncio
import base64
import io
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from pagesight.indexing.errors import ReasonerError
from pagesight.tools.pictures import Picture

if TYPE_CHECKING:
    from google.genai import types
    from langchain_core.messages import BaseMessage

Block = dict[str, Any]

#: A picture that will not be ready within this many seconds is given up.
_PATIENCE = 60.0
_POLL_EVERY = 0.5
#: A file this near its expiry is uploaded again, so that it outlives the model call.
_MARGIN = timedelta(minutes=30)
_LIFE = timedelta(hours=47)
_INLINE = "pagesight-inline:"


class Transport(Protocol):
    """Makes the content block by which a picture travels; raises ReasonerError when it cannot."""

    def block(self, picture: Picture) -> Block:
        """The block for a picture."""
        ...

    async def ablock(self, picture: Picture) -> Block:
        """The same, async."""
        ...


class Base64Transport:
    """LangChain's standard image block."""

    def block(self, picture: Picture) -> Block:
        """The block for a picture."""
        data = base64.b64encode(picture.data).decode("ascii")
        return {"type": "image", "base64": data, "mime_type": picture.mime_type}

    async def ablock(self, picture: Picture) -> Block:
        """The same, async."""
        return self.block(picture)


class BytesTransport:
    """A reference that carries its bytes along; `inline_parts` sets them into the request, no base64 on the way."""

    def block(self, picture: Picture) -> Block:
        """The block for a picture."""
        reference = _INLINE + picture.sha256
        return {"type": "image", "file_id": reference, "mime_type": picture.mime_type, "extras": {"data": picture.data}}

    async def ablock(self, picture: Picture) -> Block:
        """The same, async."""
        return self.block(picture)


def inline_parts(contents: Iterable[types.Content], messages: Sequence[BaseMessage]) -> None:
    """Put the bytes that the blocks of ``messages`` carry in the place of their references in a Gemini request."""
    from google.genai import types

    blocks = [block for message in messages if isinstance(message.content, list) for block in message.content]
    carried = {
        block["file_id"]: types.Part.from_bytes(data=block["extras"]["data"], mime_type=block["mime_type"])
        for block in blocks
        if isinstance(block, dict) and str(block.get("file_id", "")).startswith(_INLINE)
    }
    for content in contents:
        content.parts = [
            carried.get(part.file_data.file_uri or "", part) if part.file_data else part for part in content.parts or []
        ]


@dataclass(frozen=True)
class _Upload:
    uri: str
    expires: datetime


class FilesTransport:
    """Gemini's Files API: a picture is uploaded once by its content and used until it is about to expire.

    ``model`` is the chat model whose google-genai client and key are used. It is held, since it closes its client when
    it is collected. Two questions that need the same new picture at the same moment may both upload it; no harm.
    """

    def __init__(self, model: Any):
        self._model = model
        self._uploads: dict[str, _Upload] = {}

    def block(self, picture: Picture) -> Block:
        """The block for a picture; uploads it when that is needed, and waits until it can be used."""
        known = self._known(picture)
        return _reference(picture, known or self._keep(picture, self._uploaded(picture)))

    async def ablock(self, picture: Picture) -> Block:
        """The same, async."""
        known = self._known(picture)
        return _reference(picture, known or self._keep(picture, await self._auploaded(picture)))

    def _uploaded(self, picture: Picture) -> types.File:
        from pagesight.tools.refusals import plain_refusals

        files = self._model.client.files
        with plain_refusals(self._model.google_api_key):
            file = files.upload(file=io.BytesIO(picture.data), config={"mime_type": picture.mime_type})
            deadline = time.monotonic() + _PATIENCE
            while _waits(file, deadline):
                time.sleep(_POLL_EVERY)
                file = files.get(name=file.name)
        return file

    async def _auploaded(self, picture: Picture) -> types.File:
        from pagesight.tools.refusals import plain_refusals

        files = self._model.async_client.files
        with plain_refusals(self._model.google_api_key):
            file = await files.upload(file=io.BytesIO(picture.data), config={"mime_type": picture.mime_type})
            deadline = time.monotonic() + _PATIENCE
            while _waits(file, deadline):
                await asyncio.sleep(_POLL_EVERY)
                file = await files.get(name=file.name)
        return file

    def _known(self, picture: Picture) -> _Upload | None:
        upload = self._uploads.get(picture.sha256)
        return upload if upload and upload.expires - _MARGIN > datetime.now(UTC) else None

    def _keep(self, picture: Picture, file: types.File) -> _Upload:
        expires = file.expiration_time or datetime.now(UTC) + _LIFE
        upload = self._uploads[picture.sha256] = _Upload(file.uri or "", expires)
        return upload


def _reference(picture: Picture, upload: _Upload) -> Block:
    return {"type": "image", "file_id": upload.uri, "mime_type": picture.mime_type}


def _waits(file: types.File, deadline: float) -> bool:
    """Whether an uploaded file is still being processed; raises ReasonerError when that failed or takes too long."""
    state = file.state.name if file.state else "ACTIVE"
    if state == "ACTIVE":
        return False
    if state == "FAILED" or time.monotonic() > deadline:
        raise ReasonerError(
            f"the Files API did not make a page's picture ready (state {state}): ask again, or send the pictures with "
            "the request by PAGESIGHT_TRANSPORT=bytes"
        )
    return True
