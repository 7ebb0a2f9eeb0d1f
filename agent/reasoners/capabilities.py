"""What a reasoner can take and do: our own say it themselves; others are known by the client that speaks for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel


@dataclass(frozen=True)
class Capabilities:
    """What a reasoner can do; by default what any chat model of LangChain's that sees pictures can.

    ``pictures_in_tool_replies``: others refuse or drop them there. ``raw_parts``: bytes, without base64 on the way.
    ``files``: by reference to Gemini's Files API; ``buckets``: by an address in Google's Cloud Storage.
    ``forced_answer``: knows ``tool_choice="none"``, so that its last call must answer; others may not know the word.
    ``forms``: puts an answer into a form.
    """

    pictures: bool = True
    pictures_in_tool_replies: bool = False
    raw_parts: bool = False
    webp: bool = False
    pdf_pages: bool = False
    files: bool = False
    buckets: bool = False
    forced_answer: bool = False
    forms: bool = True


def of_gemini(*, vertex: bool, raw_parts: bool) -> Capabilities:
    """Gemini, by key or through Vertex AI, which reads buckets and has no Files API."""
    return Capabilities(
        pictures_in_tool_replies=True, raw_parts=raw_parts, webp=True, pdf_pages=True, files=not vertex,
        buckets=vertex, forced_answer=True,
    )  # fmt: skip


def capabilities_of(model: BaseChatModel) -> Capabilities:
    """What the model says of itself, or what is known of its kind."""
    own = getattr(model, "capabilities", None)
    return own if isinstance(own, Capabilities) else _known(model)


def _known(model: BaseChatModel) -> Capabilities:
    """WebP and PDFs go to Gemini only: whether others read them is not known."""
    if model._llm_type == "chat-google-generative-ai":
        return of_gemini(vertex=bool(getattr(model, "_use_vertexai", False)), raw_parts=False)
    return Capabilities()
