"""What a document's journey asks of any encoder beyond its vectors; one without weights has nothing to do for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from pagesight.indexing.calls.ledger import Spent
from pagesight.indexing.encoders.interface import PageEncoder
from pagesight.indexing.encoders.trust import EncoderCode
from pagesight.indexing.encoders.vision import VisionEncoder

if TYPE_CHECKING:
    from PIL.Image import Image

    from pagesight.indexing.pages import PageText
    from pagesight.indexing.vectors.multivector import MultiVector


def encoder_code(encoder: PageEncoder) -> list[EncoderCode]:
    """The code that an encoder runs beside pagesight's own."""
    return encoder.code() if isinstance(encoder, VisionEncoder) else []


def note_costs(encoder: PageEncoder, note: Callable[[Spent], None]) -> None:
    """Have what an encoder behind HTTP costs noted, from now on."""
    if isinstance(encoder, VisionEncoder):
        encoder.notes_costs(note)


def settle_costs(encoder: PageEncoder) -> None:
    """Have what an encoder has cost until now noted."""
    if isinstance(encoder, VisionEncoder):
        encoder.settle()


def foresee(encoder: PageEncoder, pictures: Callable[[], Iterator[Image]]) -> None:
    """Tell an encoder of all pages before they are encoded; ``pictures`` gives them, each time it is called."""
    if isinstance(encoder, VisionEncoder):
        encoder.foresee(pictures)


def pages_ahead(encoder: PageEncoder) -> int:
    """How many pages are best begun before the first of them is waited for."""
    return encoder.pages_ahead if isinstance(encoder, VisionEncoder) else 0


def begin_pages(
    encoder: PageEncoder, pictures: Sequence[Image | None], texts: Sequence[PageText]
) -> Callable[[], list[MultiVector]]:
    """What gives the vectors of a batch of pages, begun now where the encoder can: see `PageEncoder.encode_pages`.

    What goes wrong is raised where the vectors are asked for, whether it was begun before or not.
    """
    if not isinstance(encoder, VisionEncoder):
        return partial(encoder.encode_pages, pictures, texts)
    try:
        return encoder.begin_pages(pictures, texts)
    except Exception as error:  # noqa: BLE001 (it is raised again where it belongs)
        return partial(_raise, error)


def _raise(error: Exception) -> list[MultiVector]:
    raise error
