"""Documents by id, pattern and condition mean the same wherever they can be said: one table, each way to ask."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from service_server import Served, served
from small_index import small_settings, write_pdf

from pagesight.agent import ask, create_page_agent
from pagesight.agent.cli import main
from pagesight.agent.testing import ScriptedReasoner, calls
from pagesight.indexing import PageIndex
from pagesight.indexing.errors import SettingsError
from pagesight.tools.allowed_documents import AllowedDocuments

QUESTION = "How high was the net revenue?"
NOT_FOUND = "Not found in these documents."
YEARS = (2019, 2020, 2021)
#: What is said → the years whose reports are left; an id stands as ID and its year.
HANDLES = [
    ({"where": "year >= 2020"}, {2020, 2021}),
    ({"documents": ["*-2019.pdf"]}, {2019}),
    ({"documents": ["ID 2021"]}, {2021}),
    ({"documents": ["*-202*"], "where": "year != 2020"}, {2021}),
    ({"documents": ["report-2019.pdf", "ID 2020"]}, {2019, 2020}),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("years")
    with PageIndex.open(folder / "index", settings=small_settings()) as index:
        for year in YEARS:
            lines = [f"Report of {year}", f"The net revenue was {year - 1990} million euros."]
            index.add([write_pdf(folder / f"report-{year}.pdf", [lines])], metadata={"year": year})
    return folder / "index"


@pytest.fixture(scope="module")
def index(folder: Path) -> Iterator[PageIndex]:
    with PageIndex.open(folder, settings=small_settings(), create=False) as opened:
        yield opened


@pytest.fixture(scope="module")
def service(folder: Path) -> Iterator[Served]:
    pytest.importorskip("fastapi", reason="fastapi is not installed: the extra http brings it")
    with served(folder, reasoner="offline") as running:
        yield running


def said(index: PageIndex, handle: dict[str, Any]) -> dict[str, Any]:
    """The handle with ids in their places."""
    ids = {f"ID {year}": index.document(f"report-{year}.pdf").document_id for year in YEARS}
    documents = handle.get("documents")
    return {**handle, **({"documents": [ids.get(name, name) for name in documents]} if documents else {})}


def as_options(handle: dict[str, Any]) -> list[str]:
    where = ["--where", handle["where"]] if "where" in handle else []
    return [*where, *(part for name in handle.get("documents", []) for part in ("--document", name))]


def years(hits: Any) -> set[int]:
    names = [hit["document"] if isinstance(hit, dict) else hit.document for hit in hits]
    return {int(name.removeprefix("report-").removesuffix(".pdf")) for name in names}


@pytest.mark.parametrize(("handle", "left"), HANDLES)
def test_for_an_agent_for_one_question_and_for_the_models_own_search(
    index: PageIndex, handle: dict[str, Any], left: set[int]
) -> None:
    named = said(index, handle)
    assert years(ask(create_page_agent(index, model="offline", **named), QUESTION).hits) == left
    assert years(ask(create_page_agent(index, model="offline"), QUESTION, context=named).hits) == left
    model = ScriptedReasoner(script=[calls("search_pages", query="net revenue", **named), NOT_FOUND])
    assert years(ask(create_page_agent(index, model=model), QUESTION).hits) == left


@pytest.mark.parametrize("key", ["document", "Documents", "tenants", "were"])
def test_a_misspelt_key_is_an_error_as_it_would_narrow_nothing(index: PageIndex, key: str) -> None:
    agent = create_page_agent(index, model="offline")
    with pytest.raises(SettingsError, match=f"'{key}' in the context narrows nothing: did you mean"):
        ask(agent, QUESTION, context={key: "report-2023.pdf"})
    with pytest.raises(SettingsError, match="narrows nothing"):
        ask(agent, QUESTION, context=SimpleNamespace(**{key: "report-2023.pdf"}))
    ask(agent, QUESTION, context={"tenant_id": 7, "user": "somebody", "locale": "de"})


@pytest.mark.parametrize(("handle", "left"), HANDLES)
def test_on_the_command_line(
    index: PageIndex, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    handle: dict[str, Any], left: set[int],
) -> None:  # fmt: skip
    monkeypatch.setenv("PAGESIGHT_REASONER", "offline")
    options = ["--index", str(folder), *as_options(said(index, handle))]
    assert main(["search", QUESTION, "--json", *options]) == 0
    assert years(json.loads(capsys.readouterr().out)) == left
    main(["ask", QUESTION, "--json", *options])
    answer = json.loads(capsys.readouterr().out)
    assert answer["found"]
    assert years(answer["citations"]) <= left
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{QUESTION}\n"))
    main(["chat", *options])
    shown = capsys.readouterr()
    told = shown.out + shown.err
    assert {year for year in YEARS if f"report-{year}.pdf" in told} <= left
    assert any(f"report-{year}.pdf" in told for year in left)


@pytest.mark.parametrize(("handle", "left"), HANDLES)
async def test_over_mcp(index: PageIndex, handle: dict[str, Any], left: set[int]) -> None:
    pytest.importorskip("mcp", reason="the MCP SDK is not installed: the extra mcp brings it")
    from pagesight.agent.mcp import make_server

    named = said(index, handle)
    found: Any = await make_server(index).call_tool("search_pages", {"query": "net revenue", **named})
    assert years(found.structuredContent["hits"]) == left
    bounded = make_server(AllowedDocuments(index).narrowed(named.get("documents"), named.get("where")))
    found = await bounded.call_tool("search_pages", {"query": "net revenue"})
    assert years(found.structuredContent["hits"]) == left


@pytest.mark.parametrize(("handle", "left"), HANDLES)
def test_over_http(index: PageIndex, service: Served, handle: dict[str, Any], left: set[int]) -> None:
    named = said(index, handle)
    with service.client() as client:
        assert years(client.post("/search", json={"query": "net revenue", **named}).json()["hits"]) == left
        assert years(client.post("/ask", json={"question": QUESTION, **named}).json()["hits"]) == left
