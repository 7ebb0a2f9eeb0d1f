"""How each chat model of an agent is spoken to: its pictures, the way they travel, the prompt with the pages in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from langchain_core.language_models import BaseChatModel
from langchain_core.runnables import Runnable, RunnableLambda
from langgraph.constants import TAG_NOSTREAM

from pagesight.agent.answers.answer_form import form_note
from pagesight.agent.answers.claims.blind_look import reading
from pagesight.agent.hydrate import Hydrator
from pagesight.agent.prompts import SYSTEM_PROMPT
from pagesight.agent.reasoners.chains import chained, chat_models
from pagesight.agent.reasoners.choose import Reasoner, make_reasoner, transport_for
from pagesight.agent.reasoners.late_pictures import with_late_pictures
from pagesight.agent.reasoners.offline.quoting import QuotingReasoner
from pagesight.agent.request.attached_images import note_home
from pagesight.indexing.calls.prices import answering
from pagesight.indexing.errors import ReasonerError, SettingsError
from pagesight.indexing.settings import Settings
from pagesight.tools.allowed_documents import AllowedDocuments
from pagesight.tools.gemini_service.picture_tokens import PictureRule, counts_by_resolution, rule_for
from pagesight.tools.locate import Look, looking
from pagesight.tools.messages.attached import FOLDER
from pagesight.tools.messages.authorship import Author
from pagesight.tools.messages.conversation import PageView
from pagesight.tools.messages.sent_pictures import CallLimits
from pagesight.tools.transport.hidden import HiddenTransport
from pagesight.tools.transport.pictures import Form, Pictures

if TYPE_CHECKING:
    from pagesight.indexing import PageIndex
    from pagesight.tools.transport.transport import Transport


@dataclass(frozen=True)
class Speaker:
    """A chat model as the agent speaks with it: with its own pictures, transport (None: it sees none) and prompt."""

    reasoner: Reasoner
    pictures: Pictures
    way: Transport | None
    hydrator: Hydrator


@dataclass(frozen=True)
class Speakers:
    """The ``model``, one chat model or a chain of some, and how each of them is spoken to, by its identity."""

    model: Runnable[Any, Any]
    each: Mapping[int, Speaker]
    limits: CallLimits

    @property
    def first(self) -> Speaker:
        """Who answers as long as it can."""
        return next(iter(self.each.values()))

    def looking(self, model: BaseChatModel, options: Mapping[str, Any]) -> Runnable[Look, Any]:
        """How one of them looks for things on a page. One that sees no pictures finds nothing."""
        speaker = self.each[id(model)]
        if speaker.way is None:
            return RunnableLambda(_blind, name="look")
        return looking(speaker.reasoner.model, speaker.pictures, speaker.way)

    def reading(self, model: BaseChatModel, options: Mapping[str, Any]) -> Runnable[PageView, Any]:
        """How one of them says what stands at a place, to check a claim that it is not told."""
        speaker = self.each[id(model)]
        if speaker.way is None:
            return RunnableLambda(_blind, name="blind_look")
        return reading(speaker.reasoner.model, speaker.pictures, speaker.way)

    def filler(self, form: Any) -> Runnable[Any, Any]:
        """Who puts answers into a form: messages → raw and parsed. Raises SettingsError where one of them cannot."""

        def filling(model: BaseChatModel, options: Mapping[str, Any]) -> Runnable[Any, Any]:
            reasoner = self.each[id(model)].reasoner
            if not reasoner.can.forms:
                raise SettingsError(
                    f"{reasoner.name} puts no answer into a form: leave response_format out, or take another model"
                )
            return reasoner.model.with_structured_output(form, include_raw=True).with_config(tags=[TAG_NOSTREAM])

        return chained(self.model, filling)

    @property
    def see(self) -> bool:
        """Whether one of them looks at pictures."""
        return any(speaker.way for speaker in self.each.values())


def make_speakers(
    model: str | Runnable[Any, Any] | None,
    allowed: AllowedDocuments,
    settings: Settings,
    author: Author,
    *,
    transport: str | None = None,
    addition: Runnable[Any, Any] | None = None,
    trace_pictures: bool = False,
    form: Any = None,
) -> Speakers:
    """The speakers for a model by its name, a chat model, or a chain of fallbacks.

    Only the first is bound to the ``transport``: the others get pictures in the way that suits each. ``addition`` is
    the user's part of the prompt, ``form`` what answers are put into. Raises as `make_reasoner` and `transport_for`.
    """
    whole, reasoners = _reasoners(model, settings, allowed.index)
    wanted = [transport or settings.pictures.transport, *["auto"] * len(reasoners)]
    uploads = allowed.index.path / "uploads"
    ways = [transport_for(one, way, settings, uploads) for one, way in zip(reasoners.values(), wanted, strict=False)]
    inline = any(way and way.inline_only for way in ways)
    budget = settings.budget
    limits = CallLimits(
        budget.images_per_call, budget.image_tokens_per_call, settings.pictures.inline_limit if inline else None
    )
    prompt = SYSTEM_PROMPT + (form_note(form) if form else "")
    hydrator = Hydrator(prompt, _pictures(allowed.index, settings, next(iter(reasoners.values()))), None, limits,
                        author=author, allowed=allowed, addition=addition,
                        attachments=allowed.index.path / FOLDER)  # fmt: skip
    each = {
        name: _speaker(reasoner, way, hydrator, settings, trace_pictures)
        for (name, reasoner), way in zip(reasoners.items(), ways, strict=True)
    }
    note_home(author.index, allowed.index.path / FOLDER, seen=any(ways))
    return Speakers(whole, each, limits)


def _reasoners(
    model: str | Runnable[Any, Any] | None, settings: Settings, index: PageIndex
) -> tuple[Runnable[Any, Any], dict[int, Reasoner]]:
    """What answers, one chat model or a chain of some, and the reasoner of each, by its identity."""
    if model is not None and not isinstance(model, str | BaseChatModel):
        return model, {id(one): make_reasoner(one, settings) for one in chat_models(model)}
    chosen = make_reasoner(model, settings)
    if isinstance(chosen.model, QuotingReasoner):
        quoting = QuotingReasoner(index=index)
        return quoting, {id(quoting): replace(chosen, model=quoting, given=quoting)}
    whole: Any = model if isinstance(model, BaseChatModel) else chosen.given
    return whole, {id(whole): chosen}


def _blind(wanted: Look | PageView) -> Any:
    raise ReasonerError("the model that would look sees no pictures")


def _speaker(
    reasoner: Reasoner, way: Transport | None, hydrator: Hydrator, settings: Settings, trace_pictures: bool
) -> Speaker:
    if way and not trace_pictures:
        way, reasoner = HiddenTransport(way), replace(reasoner, model=with_late_pictures(reasoner.model))
    pictures = _pictures(hydrator.pictures.index, settings, reasoner)
    own = replace(
        hydrator, pictures=pictures, transport=way, in_tool_replies=reasoner.can.pictures_in_tool_replies
    )  # fmt: skip
    return Speaker(reasoner, pictures, way, own)


def _pictures(index: PageIndex, settings: Settings, reasoner: Reasoner) -> Pictures:
    form: Form = settings.pictures.pages_as if reasoner.can.pdf_pages else "picture"
    return Pictures(index, picture_rule(settings, reasoner.name), form=form, webp=reasoner.can.webp)


def picture_rule(settings: Settings, reasoner: str) -> PictureRule:
    """How the reasoner of that name counts pictures, as the settings have it."""
    shown = settings.pictures
    # The client drops a picture's own resolution for an old name, also where a newer model answers to it.
    closer = shown.closer_regions and counts_by_resolution(reasoner)
    return rule_for(
        answering(reasoner), tiles=shown.tiles_per_picture, asked=shown.media_resolution, closer_regions=closer
    )
