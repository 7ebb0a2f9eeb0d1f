"""Gemini's Files API: a page's picture is uploaded once by its content and used until it is about to expire."""

from __future__ import annotations

import asyncio
import hashlib
import io
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pagesight.indexing.calls.progress import tell_bytes
from pagesight.indexing.errors import ReasonerError
from pagesight.tools.gemini_service.api_version import API_VERSION
from pagesight.tools.gemini_service.errors import attempts_at_gemini, is_about_a_file, plain_refusals
from pagesight.tools.transport.file_cache import FileCache, Upload
from pagesight.tools.transport.pictures import Picture
from pagesight.tools.transport.transport import Block

if TYPE_CHECKING:
    from google.genai import types
    from langchain_core.messages import BaseMessage

#: A file that is not ready after so many seconds is given up, and how often it is asked for; both a guess: pictures
#: are ready at once.
_LONGEST_PROCESSING = 60.0
_POLL_EVERY = 0.5
#: How long a file lives where the service does not say; it says 48 hours.
_LIFE = timedelta(hours=47)
#: Uploads at the same time: a guess, not measured against the service.
_AT_ONCE = 4
#: Seconds for one request where the model has no time limit of its own: a guess.
_TIMEOUT = 120.0


class FilesTransport:
    """Pictures as files of the Files API, noted in ``folder`` so that other threads and processes use them too.

    ``model`` is the chat model whose google-genai client and key are used. It is held, since it closes its client when
    it is collected.
    """

    inline_only = False

    def __init__(self, model: Any, folder: Path, *, attempts: int = 3, longest_wait: float = 60.0):
        self._model = model
        self._attempts = attempts
        self._longest_wait = longest_wait
        self.cache = FileCache(folder, _owner(model))

    def blocks(self, pictures: Sequence[Picture]) -> list[Block]:
        """A block for each picture, in the same order; uploads what is needed, and waits until it can be used."""
        living = self.cache.living() if pictures else {}
        missing = list({picture.sha256: picture for picture in pictures if picture.sha256 not in living}.values())
        if missing:
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                made = list(pool.map(self._upload_once, missing))
            living |= self._noted(missing, made)
        return [self._block(picture, living[picture.sha256]) for picture in pictures]

    async def ablocks(self, pictures: Sequence[Picture]) -> list[Block]:
        """The same, async."""
        living = self.cache.living() if pictures else {}
        missing = list({picture.sha256: picture for picture in pictures if picture.sha256 not in living}.values())
        places = asyncio.Semaphore(_AT_ONCE)

        async def one(picture: Picture) -> tuple[Upload, int]:
            async with places:
                return await self._aupload_once(picture)

        living |= self._noted(missing, await asyncio.gather(*(one(picture) for picture in missing)))
        return [self._block(picture, living[picture.sha256]) for picture in pictures]

    def renewed(self, picture: Picture) -> Block:
        """The block after the service said that the file is gone: it is uploaded again."""
        self.cache.forget(picture.sha256)
        return self.blocks([picture])[0]

    async def arenewed(self, picture: Picture) -> Block:
        """The same, async."""
        self.cache.forget(picture.sha256)
        return (await self.ablocks([picture]))[0]

    def _block(self, picture: Picture, upload: Upload) -> Block:
        block: Block = {"type": "image", "file_id": upload.uri, "mime_type": picture.mime_type, **picture.asked}
        return {**block, "extras": {"sent": _Sent(self, picture)}}

    def _noted(self, pictures: Sequence[Picture], made: Sequence[tuple[Upload, int]]) -> dict[str, Upload]:
        tell_bytes(sum(sent for _, sent in made))
        return {picture.sha256: upload for picture, (upload, _) in zip(pictures, made, strict=True)}

    def _upload_once(self, picture: Picture) -> tuple[Upload, int]:
        """The upload and the bytes that were sent for it: none if another thread or process was faster."""
        with self.cache.uploading(picture.sha256):
            if known := self.cache.living().get(picture.sha256):
                return known, 0
            with plain_refusals(self._model.google_api_key, address=self._model.base_url):
                upload = _as_upload(self._uploaded(picture), picture)
            self.cache.keep(picture.sha256, upload)
        return upload, len(picture.data)

    async def _aupload_once(self, picture: Picture) -> tuple[Upload, int]:
        async with self.cache.auploading(picture.sha256):
            if known := self.cache.living().get(picture.sha256):
                return known, 0
            with plain_refusals(self._model.google_api_key, address=self._model.base_url):
                upload = _as_upload(await self._auploaded(picture), picture)
            self.cache.keep(picture.sha256, upload)
        return upload, len(picture.data)

    def _uploaded(self, picture: Picture) -> types.File:
        files = self._model.client.files
        file: types.File
        for attempt in attempts_at_gemini(self._attempts, self._longest_wait):
            with attempt, _whole_uploads():
                file = files.upload(file=io.BytesIO(picture.data), config=self._config(picture.mime_type))
        deadline = time.monotonic() + _LONGEST_PROCESSING
        while _waits(file, deadline):
            time.sleep(_POLL_EVERY)
            file = files.get(name=file.name, config=self._config())
        return file

    async def _auploaded(self, picture: Picture) -> types.File:
        files = self._model.async_client.files
        file: types.File
        async for attempt in attempts_at_gemini(self._attempts, self._longest_wait):
            with attempt, _whole_uploads():
                file = await files.upload(file=io.BytesIO(picture.data), config=self._config(picture.mime_type))
        deadline = time.monotonic() + _LONGEST_PROCESSING
        while _waits(file, deadline):
            await asyncio.sleep(_POLL_EVERY)
            file = await files.get(name=file.name, config=self._config())
        return file

    def _config(self, mime_type: str | None = None) -> dict[str, Any]:
        """Without a time limit of its own, an upload to a server that went silent would never end."""
        options = {
            "api_version": API_VERSION,
            "timeout": int(1000 * (self._model.timeout or _TIMEOUT)),
            "retry_options": {"attempts": 1},
        }
        return {"http_options": options} | ({"mime_type": mime_type} if mime_type else {})


@dataclass(frozen=True)
class _Sent:
    """What a block names a file of, and by which transport, so that the file can be uploaded again."""

    transport: FilesTransport = field(repr=False)
    picture: Picture = field(repr=False)


def renewed(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """The messages with every uploaded picture in them uploaded again. Raises ReasonerError when that fails."""
    fresh = {sent.picture.sha256: sent.transport.renewed(sent.picture) for sent in _sent(messages)}
    return [_with(message, fresh) for message in messages]


async def arenewed(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """The same, async."""
    fresh = {sent.picture.sha256: await sent.transport.arenewed(sent.picture) for sent in _sent(messages)}
    return [_with(message, fresh) for message in messages]


def purge(model: Any, folder: Path) -> list[Upload]:
    """Delete from the service every file that is noted in ``folder``, and strike it out; returns those that it had."""
    cache = FileCache(folder, _owner(model))
    gone = []
    for sha256, upload in cache.all().items():
        with plain_refusals(model.google_api_key, address=model.base_url):
            if _deleted(model, upload):
                gone.append(upload)
        cache.forget(sha256)
    return gone


def uploads(model: Any, folder: Path) -> list[Upload]:
    """The files that are noted in ``folder`` and still live."""
    return [upload for upload in FileCache(folder, _owner(model)).all().values() if upload.lives(timedelta())]


def _deleted(model: Any, upload: Upload) -> bool:
    """Whether the service had the file: one that expired, or that somebody deleted, it does not know or not tell of."""
    from google.genai.errors import ClientError

    try:
        model.client.files.delete(name=upload.name)
    except ClientError as error:
        if not is_about_a_file(error):
            raise
        return False
    return True


def _sent(messages: Sequence[BaseMessage]) -> list[_Sent]:
    blocks = [block for message in messages if isinstance(message.content, list) for block in message.content]
    extras = [block.get("extras") for block in blocks if isinstance(block, dict)]
    return [extra["sent"] for extra in extras if isinstance(extra, dict) and "sent" in extra]


def _with(message: BaseMessage, fresh: dict[str, Block]) -> BaseMessage:
    if not isinstance(message.content, list) or not _sent([message]):
        return message
    return message.model_copy(update={"content": [_fresh(block, fresh) for block in message.content]})


def _fresh(block: Any, fresh: dict[str, Block]) -> Any:
    sent = block.get("extras", {}).get("sent") if isinstance(block, dict) else None
    return fresh[sent.picture.sha256] if sent else block


def _as_upload(file: types.File, picture: Picture) -> Upload:
    expires = file.expiration_time or datetime.now(UTC) + _LIFE
    return Upload(file.name or "", file.uri or "", picture.mime_type, len(picture.data), expires)


def _owner(model: Any) -> str:
    """A fingerprint of the address and the key: files belong to the key's project, and no other key can use them."""
    key = model.google_api_key.get_secret_value() if model.google_api_key else ""
    return hashlib.sha256(f"{model.base_url or ''}\n{key}".encode()).hexdigest()[:16]


@contextmanager
def _whole_uploads() -> Iterator[None]:
    """Within it, google-genai's word for an upload that the service did not complete becomes ReasonerError."""
    try:
        yield
    except ValueError as error:
        raise ReasonerError(
            f"the upload of a page's picture broke off ({error}): ask again, or send the pictures with the request by "
            "PAGESIGHT_TRANSPORT=bytes"
        ) from error


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
