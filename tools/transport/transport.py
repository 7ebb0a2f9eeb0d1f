"""How pages' pictures reach the model. One seam:

- `BytesTransport`   raw bytes, set into the request by `pagesight.agent.reasoners.gemini`: Gemini only
- `Base64Transport`  LangChain's standard image block, which every chat model takes
- `FilesTransport`   (files_api.py) uploaded once through Gemini's Files API, then named by its address: Gemini only
- `AutoTransport`    inline while the request stays under a limit, then by files
- `BucketTransport`  named by their ``gs://`` address in a bucket: Vertex AI only

A block stands in one model call and never in the conversation's state.
"""

from __future__ import annotations

import base64
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from pagesight.indexing.calls.progress import tell_bytes
from pagesight.tools.transport.pictures import Picture

if TYPE_CHECKING:
    from google.genai import types
    from langchain_core.messages import BaseMessage

Block = dict[str, Any]

_INLINE = "pagesight-inline:"


class Transport(Protocol):
    """Makes the content blocks by which the pictures of one model call travel; raises ReasonerError when it cannot.

    ``inline_only`` says that all of them stand in the request, whose size is then the limit.
    """

    inline_only: bool

    def blocks(self, pictures: Sequence[Picture]) -> list[Block]:
        """A block for each picture, in the same order."""
        ...

    async def ablocks(self, pictures: Sequence[Picture]) -> list[Block]:
        """The same, async."""
        ...


class _Inline(ABC):
    """What stands in the request itself."""

    inline_only = True

    def blocks(self, pictures: Sequence[Picture]) -> list[Block]:
        """A block for each picture, in the same order."""
        tell_bytes(sum(picture.inline_size for picture in pictures))
        return [self._block(picture) for picture in pictures]

    async def ablocks(self, pictures: Sequence[Picture]) -> list[Block]:
        """The same, async."""
        return self.blocks(pictures)

    @abstractmethod
    def _block(self, picture: Picture) -> Block: ...


class Base64Transport(_Inline):
    """LangChain's standard image block."""

    def _block(self, picture: Picture) -> Block:
        data = base64.b64encode(picture.data).decode("ascii")
        return {"type": _kind(picture), "base64": data, "mime_type": picture.mime_type, **picture.asked}


class BytesTransport(_Inline):
    """A reference that carries its bytes along; `inline_parts` sets them into the request, no base64 on the way."""

    def _block(self, picture: Picture) -> Block:
        reference = _INLINE + picture.sha256
        return {**_reference(picture, reference), "extras": {"data": picture.data}}


class AutoTransport:
    """Inline until the pictures of a call would pass ``limit`` bytes in the request; those beyond it as files.

    The first pictures of a conversation stay what they are from call to call, so that Gemini's cache of prefixes holds.
    """

    inline_only = False

    def __init__(self, inline: Transport, files: Transport, limit: int):
        self._inline = inline
        self._files = files
        self._limit = limit

    def blocks(self, pictures: Sequence[Picture]) -> list[Block]:
        """A block for each picture, in the same order."""
        fitting = self._fitting(pictures)
        return [*self._inline.blocks(pictures[:fitting]), *self._files.blocks(pictures[fitting:])]

    async def ablocks(self, pictures: Sequence[Picture]) -> list[Block]:
        """The same, async."""
        fitting = self._fitting(pictures)
        return [*await self._inline.ablocks(pictures[:fitting]), *await self._files.ablocks(pictures[fitting:])]

    def _fitting(self, pictures: Sequence[Picture]) -> int:
        """How many of the pictures, from the first on, fit into the request."""
        total = 0
        for number, picture in enumerate(pictures):
            total += picture.inline_size
            if total > self._limit:
                return number
        return len(pictures)


class BucketTransport:
    """Whole pages by their address in a bucket, ``gs://BUCKET/FOLDER/<document_id>/<page>.<suffix>``; regions inline.

    What `pagesight files --export DIR` writes must lie there; nothing is uploaded here.
    """

    inline_only = False

    def __init__(self, bucket: str, inline: Transport):
        self._bucket = bucket.rstrip("/")
        self._inline = inline

    def blocks(self, pictures: Sequence[Picture]) -> list[Block]:
        """A block for each picture, in the same order."""
        beside = iter(self._inline.blocks([picture for picture in pictures if not picture.name]))
        return [self._bucket_reference(picture) if picture.name else next(beside) for picture in pictures]

    async def ablocks(self, pictures: Sequence[Picture]) -> list[Block]:
        """The same, async."""
        return self.blocks(pictures)

    def _bucket_reference(self, picture: Picture) -> Block:
        return _reference(picture, f"{self._bucket}/{picture.name}{picture.suffix}")


def inline_parts(contents: Iterable[types.Content], messages: Sequence[BaseMessage]) -> None:
    """Put the bytes that the blocks of ``messages`` carry in the place of their references in a Gemini request."""
    from google.genai import types

    blocks = [block for message in messages if isinstance(message.content, list) for block in message.content]
    carried = {
        block["file_id"]: types.Blob(data=block["extras"]["data"], mime_type=block["mime_type"])
        for block in blocks
        if isinstance(block, dict) and str(block.get("file_id", "")).startswith(_INLINE)
    }
    for content in contents:
        content.parts = [_with_bytes(part, carried) for part in content.parts or []]


def _with_bytes(part: types.Part, carried: Mapping[str, types.Blob]) -> types.Part:
    data = carried.get(part.file_data.file_uri or "") if part.file_data else None
    # A copy: what else the part says, such as its resolution, stays.
    return part.model_copy(update={"file_data": None, "inline_data": data}) if data else part


def _reference(picture: Picture, address: str) -> Block:
    return {"type": "image", "file_id": address, "mime_type": picture.mime_type, **picture.asked}


def _kind(picture: Picture) -> str:
    return "image" if picture.mime_type.startswith("image/") else "file"
