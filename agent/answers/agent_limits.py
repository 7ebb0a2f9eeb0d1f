"""Who answers and within which limits, written on an agent's graph for whoever reads its answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from pagesight.indexing.calls.prices import Tariff
from pagesight.tools.messages.authorship import Author
from pagesight.tools.messages.sent_pictures import CallLimits

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph


@dataclass(frozen=True)
class AgentLimits:
    """An agent's reasoner by name, what the pictures of one ``call`` may come to, and the user's own ``prices``.

    ``author`` is how the agent marks its messages; without one all messages of a model count as its own.
    ``confirms``: a run may wait for a person's word.
    """

    reasoner: str
    call: CallLimits = field(default_factory=CallLimits)
    prices: Mapping[str, Sequence[float]] = field(default_factory=dict)
    author: Author | None = None
    confirms: bool = False

    @property
    def tariff(self) -> Tariff:
        """What its calls cost."""
        return Tariff(self.reasoner, self.prices)

    def as_metadata(self) -> dict[str, Any]:
        """As they stand in the graph's metadata."""
        limits, prices = asdict(self.call), dict(self.prices)
        author = asdict(self.author) if self.author else None
        return {
            "pagesight_reasoner": self.reasoner,
            "pagesight_limits": limits,
            "pagesight_prices": prices,
            "pagesight_author": author,
            **({"pagesight_confirms": True} if self.confirms else {}),
        }


def limits_of(agent: CompiledStateGraph[Any, Any, Any, Any]) -> AgentLimits:
    """The inverse of `AgentLimits.as_metadata`, for an agent."""
    metadata = (agent.config or {}).get("metadata", {})
    call = CallLimits(**metadata.get("pagesight_limits", {}))
    author = metadata.get("pagesight_author")
    return AgentLimits(
        metadata.get("pagesight_reasoner", agent.name), call, metadata.get("pagesight_prices", {}),
        Author(**author) if author else None, metadata.get("pagesight_confirms", False),
    )  # fmt: skip
