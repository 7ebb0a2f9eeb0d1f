"""Pictures out of sight of what traces a call: a message holds a line of text, which carries the picture's block along.

LangChain hands a model's messages to every callback, and so to LangSmith, OpenTelemetry and ``astream_events``, before
it calls the model. What is written of such a line anywhere is its text; `revealed` gives the model the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import BaseMessage

from pagesight.tools.transport.pictures import Picture
from pagesight.tools.transport.transport import Block, Transport


class PictureLine(str):
    """A line such as ``[picture: image/webp, 35,120 bytes]``, with the ``block`` that it stands for."""

    block: Block

    @classmethod
    def of(cls, picture: Picture, block: Block) -> PictureLine:
        """The line for a picture."""
        line = cls(f"[picture: {picture.mime_type}, {len(picture.data):,} bytes]")
        line.block = block
        return line


class HiddenTransport:
    """Another transport, whose blocks stand behind lines of text until they are `revealed`."""

    def __init__(self, seen: Transport):
        self._seen = seen
        self.inline_only = seen.inline_only

    def blocks(self, pictures: Sequence[Picture]) -> list[Block]:
        """A line for each picture, in the same order."""
        return _lines(pictures, self._seen.blocks(pictures))

    async def ablocks(self, pictures: Sequence[Picture]) -> list[Block]:
        """The same, async."""
        return _lines(pictures, await self._seen.ablocks(pictures))


def revealed(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """The messages with pictures in the place of their lines; copies where there are any."""
    return [_revealed(message) for message in messages]


def _revealed(message: BaseMessage) -> BaseMessage:
    if not isinstance(message.content, list) or not any(map(_line, message.content)):
        return message
    content = [line.block if (line := _line(part)) else part for part in message.content]
    return message.model_copy(update={"content": content})


def _line(part: Any) -> PictureLine | None:
    text = part.get("text") if isinstance(part, dict) else None
    return text if isinstance(text, PictureLine) else None


def _lines(pictures: Sequence[Picture], blocks: Sequence[Block]) -> list[Block]:
    return [
        {"type": "text", "text": PictureLine.of(picture, block)}
        for picture, block in zip(pictures, blocks, strict=True)
    ]
