"""The examples of asking, each run as it is, with a scripted model in the place of a provider's."""

from __future__ import annotations

import asyncio
import inspect
import runpy
from pathlib import Path
from typing import Any

import pytest
from small_index import REPORT, small_settings, write_pdf, write_photo

from pagesight.agent.testing import ScriptedReasoner, calls
from pagesight.indexing import PageIndex

EXAMPLES = Path(__file__).parent.parent / "docs" / "examples"
QUESTION = "How high was the net revenue in 2023?"
LOOKS = f"{REPORT} p. 2"
CITED = f"4.2 billion euros [{LOOKS}]."
NOT_FOUND = "Not found in these documents."


def looks_and_says(text: str = CITED) -> list[Any]:
    return [calls("view_pages", pages=[LOOKS]), text]


def scripted(*script: Any) -> ScriptedReasoner:
    return ScriptedReasoner(script=list(script))


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    """Runs an example's `main`; gives the lines that it prints."""

    def run(example: str, *arguments: Any, **named: Any) -> list[str]:
        done = runpy.run_path(str(EXAMPLES / example))["main"](*arguments, **named)
        if inspect.iscoroutine(done):
            asyncio.run(done)
        return capsys.readouterr().out.splitlines()

    return run


def test_prompt_and_tools(run: Any, index: PageIndex) -> None:
    model = scripted(calls("exchange_rate", currency="dollar"), *looks_and_says())
    lines = run("prompt_and_tools.py", index, QUESTION, model=model)
    assert lines == ["· exchange_rate", "· view_pages", "· the answer", CITED]
    assert "The user is Ada" in model.requests[0].texts[0]


def test_answer_in_a_form(run: Any, index: PageIndex) -> None:
    filled = calls("Revenue", billions=4.2, currency="euros", source=CITED)
    lines = run("answer_in_a_form.py", index, QUESTION, model=scripted(*looks_and_says(), filled))
    assert lines[0].startswith("billions=4.2 currency='euros'")
    assert lines[1:] == [f"cited: {LOOKS}"]


def test_many_tenants(run: Any, index: PageIndex) -> None:
    lines = run("many_tenants.py", index, QUESTION, "acme", "globex", model="offline")
    assert [line.partition(",")[0] for line in lines] == ["acme: found in []", "globex: found in []"]


def test_images_beside_a_question(run: Any, index: PageIndex) -> None:
    model = scripted(NOT_FOUND)
    assert run("images_beside_a_question.py", index, "?", str(write_photo(Path("p.png"))), model=model) == [NOT_FOUND]
    assert any(isinstance(message.content, list) for message in model.requests[0].messages)


def test_resume_after_a_crash(run: Any, index: PageIndex) -> None:
    with pytest.raises(OSError, match="gone"):
        run("resume_after_a_crash.py", index, QUESTION, "t.db", model=scripted(looks_and_says()[0], OSError("gone")))
    assert run("resume_after_a_crash.py", index, QUESTION, "t.db", model=scripted(CITED)) == [CITED]


def test_confirm_costly_steps(run: Any, index: PageIndex) -> None:
    many = calls("view_pages", pages=[f"{REPORT} p. {number}" for number in range(2, 7)])
    asked: list[str] = []
    lines = run("confirm_costly_steps.py", index, QUESTION, model=scripted(many, CITED),
                say=lambda text: asked.append(text) or "yes")  # fmt: skip
    assert lines == [CITED]
    assert asked[0].startswith("Look at 5 pages")


def test_streamed_answer(run: Any, index: PageIndex) -> None:
    draft = f"It was 9 [{REPORT} p. 9]."
    lines = run("streamed_answer.py", index, QUESTION, model=scripted(looks_and_says()[0], draft, CITED))
    assert lines[1].startswith("(a draft: It was 9")
    assert lines[-1] == CITED


def test_traced_without_pictures(run: Any, index: PageIndex) -> None:
    lines = run("traced_without_pictures.py", index, QUESTION, model=scripted(*looks_and_says()))
    assert lines[0].startswith("[picture: image/png, ")
    assert lines[1:] == [CITED]


def test_fallback_models(run: Any, index: PageIndex) -> None:
    pytest.importorskip("langchain")
    model = scripted(OSError("down"), OSError("down")).with_fallbacks([scripted(*looks_and_says())])
    assert run("fallback_models.py", index, QUESTION, model=model) == [f"{CITED} (by ScriptedReasoner)"]


def test_two_runs_on_a_thread(run: Any, index: PageIndex) -> None:
    lines = run("two_runs_on_a_thread.py", index, QUESTION, "And?", model=scripted(NOT_FOUND, NOT_FOUND))
    assert lines == ["2 questions in the thread"]


def test_create_agent(run: Any, index: PageIndex) -> None:
    pytest.importorskip("langchain")
    assert run("create_agent.py", index, QUESTION, model=scripted(*looks_and_says())) == [f"{CITED} (2 calls)"]


def test_deep_agent(run: Any, index: PageIndex) -> None:
    pytest.importorskip("deepagents")
    lead = scripted(calls("task", description=QUESTION, subagent_type="documents"), "So it was.")
    lines = run("deep_agent.py", index, QUESTION, lead, model=scripted(*looks_and_says()))
    assert lines == ["So it was.", f"rests on: {LOOKS}"]


def test_state_context_and_store(run: Any, index: PageIndex) -> None:
    model = scripted(calls("last_user"), NOT_FOUND, calls("last_user"), NOT_FOUND)
    assert run("state_context_and_store.py", index, "Who?", model=model) == [NOT_FOUND] * 2
    assert model.requests[-1].texts[-1] == "Ada"


def test_another_question_from_before(run: Any, index: PageIndex) -> None:
    model = scripted(NOT_FOUND, NOT_FOUND, *looks_and_says())
    lines = run("another_question_from_before.py", index, "How high was it?", QUESTION, model=model)
    assert lines == [NOT_FOUND, CITED, "3 states can be gone back to"]
    asked = [message.text for message in model.requests[-1].messages if message.type == "human"]
    assert "How high was it?" not in asked


def test_narrowed_by_metadata(run: Any, tmp_path: Path) -> None:
    with PageIndex.open(tmp_path / "index", settings=small_settings()) as index:
        for year in (2019, 2020, 2021):
            paper = write_pdf(tmp_path / f"report-{year}.pdf", [[f"Net revenue in {year}"]])
            index.add([paper], metadata={"year": year})
        lines = run("narrowed_by_metadata.py", index, QUESTION, "year >= 2020", "*-2021.pdf", model="offline")
    assert lines == ["found in ['report-2020.pdf', 'report-2021.pdf']", "found in ['report-2021.pdf']"]


def test_conversation_kept_elsewhere(run: Any, index: PageIndex) -> None:
    model = scripted(*looks_and_says(), NOT_FOUND)
    assert run("conversation_kept_elsewhere.py", index, QUESTION, "And in dollars?", model=model) == [CITED, NOT_FOUND]
    assert CITED in model.requests[-1].texts
