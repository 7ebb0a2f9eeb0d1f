"""Who answers and within which limits, written on an agent's graph for whoever reads its answers."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from pagesight.indexing.calls.prices import Price
from pagesight.tools.sent_pictures import CallLimits

if TYPE_CHECKING:
    from langgraph.graph.state import CompiledStateGraph


@dataclass(frozen=True)
class AgentLimits:
    """An agent's reasoner by name, what the pictures of one ``call`` may come to, and the price of its tokens.

    ``price`` None is not known.
    """

    reasoner: str
    call: CallLimits = field(default_factory=CallLimits)
    price: Price | None = None

    def as_metadata(self) -> dict[str, Any]:
        """As they stand in the graph's metadata."""
        price = asdict(self.price) if self.price else None
        return {"pagesight_reasoner": self.reasoner, "pagesight_limits": asdict(self.call), "pagesight_price": price}


def limits_of(agent: CompiledStateGraph[Any, Any, Any, Any]) -> AgentLimits:
    """The inverse of `AgentLimits.as_metadata`, for an agent."""
    metadata = (agent.config or {}).get("metadata", {})
    call = CallLimits(**metadata.get("pagesight_limits", {}))
    price = metadata.get("pagesight_price")
    return AgentLimits(metadata.get("pagesight_reasoner", agent.name), call, Price(**price) if price else None)
