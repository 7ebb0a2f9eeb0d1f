"""The agent: answers questions about an index by searching its pages, looking at them and citing what it saw."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pagesight.agent.answers.answer import Answer
    from pagesight.agent.answers.citations import Citation
    from pagesight.agent.answers.claims.check_claims import acheck_claims, check_claims
    from pagesight.agent.answers.claims.claim import Claim, Evidence
    from pagesight.agent.asking import aask, aresume, ask, astream, resume, stream
    from pagesight.agent.graph import create_page_agent
    from pagesight.agent.loop.confirmation import ConfirmBefore
    from pagesight.agent.reasoners.capabilities import Capabilities
    from pagesight.agent.reasoners.gemini_requests import with_fitted_requests
    from pagesight.agent.reasoners.offline.quoting import QuotingReasoner
    from pagesight.agent.run.run import HowToAsk
    from pagesight.agent.run.steps import Step
    from pagesight.agent.subagent import answers_in, as_node, as_tool
    from pagesight.agent.sweeps.estimate import SweepEstimate
    from pagesight.agent.sweeps.sweep import asweep, sweep
    from pagesight.agent.sweeps.swept import SweepTable, SweptRow
    from pagesight.indexing.pages import Hit
    from pagesight.tools.allowed_documents import AllowedDocuments

__all__ = [
    "AllowedDocuments",
    "Answer",
    "Capabilities",
    "Citation",
    "Claim",
    "ConfirmBefore",
    "Evidence",
    "Hit",
    "HowToAsk",
    "QuotingReasoner",
    "Step",
    "SweepEstimate",
    "SweepTable",
    "SweptRow",
    "aask",
    "acheck_claims",
    "answers_in",
    "aresume",
    "as_node",
    "as_tool",
    "ask",
    "astream",
    "asweep",
    "check_claims",
    "create_page_agent",
    "resume",
    "stream",
    "sweep",
    "with_fitted_requests",
]

# Where each name lives; imported when it is first used, so that importing the package loads no graph and no model.
_HOMES = {
    "AllowedDocuments": "pagesight.tools.allowed_documents",
    "Answer": ".answers.answer",
    "Capabilities": ".reasoners.capabilities",
    "Citation": ".answers.citations",
    "Claim": ".answers.claims.claim",
    "ConfirmBefore": ".loop.confirmation",
    "Evidence": ".answers.claims.claim",
    "Hit": "pagesight.indexing.pages",
    "QuotingReasoner": ".reasoners.offline.quoting",
    "HowToAsk": ".run.run",
    "Step": ".run.steps",
    "SweepEstimate": ".sweeps.estimate",
    "SweepTable": ".sweeps.swept",
    "SweptRow": ".sweeps.swept",
    "aresume": ".asking",
    "resume": ".asking",
    "aask": ".asking",
    "acheck_claims": ".answers.claims.check_claims",
    "answers_in": ".subagent",
    "as_node": ".subagent",
    "as_tool": ".subagent",
    "ask": ".asking",
    "astream": ".asking",
    "asweep": ".sweeps.sweep",
    "check_claims": ".answers.claims.check_claims",
    "create_page_agent": ".graph",
    "stream": ".asking",
    "sweep": ".sweeps.sweep",
    "with_fitted_requests": ".reasoners.gemini_requests",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name], __name__), name)


def __dir__() -> list[str]:
    return sorted(__all__)
