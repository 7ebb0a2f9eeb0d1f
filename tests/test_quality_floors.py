"""How well pages are found for the samples' own questions: a change that loses some of it is noticed here.

The floors lie .02 below what was measured on 25 November 2026. With few candidates, as in a large index, the documents
that a question is about and the imputed hits of pages decide.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from small_index import small_settings

from pagesight.indexing import PageIndex
from pagesight.indexing.evaluate.compare import evaluate_retrieval
from pagesight.indexing.evaluate.questions import read_questions
from pagesight.indexing.evaluate.runs import parse_run

pytestmark = pytest.mark.slow  # its indexes take a while to be made

SAMPLES = Path(__file__).parent.parent / "samples"
FEW = {"candidates": 6, "exhaustive_below": 6, "hits_per_vector": 20}


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of the samples, the scan read by OCR."""
    folder = tmp_path_factory.mktemp("samples") / "index"
    with PageIndex.open(folder, settings=small_settings(ocr=True)) as index:
        index.add(SAMPLES)
    return folder


@pytest.mark.parametrize(
    ("run", "few", "floors"),
    [
        ("hybrid", False, {"index": (0.795, 0.88), "document": (0.884, 0.94)}),
        ("hybrid", True, {"index": (0.795, 0.88), "document": (0.884, 0.94)}),
        ("vectors", False, {"index": (0.760, 0.92), "document": (0.852, 0.94)}),
        ("ocr", False, {"index": (0.795, 0.88), "document": (0.855, 0.92)}),
    ],
)
def test_the_samples_questions_find_their_pages(
    samples: Path, run: str, few: bool, floors: dict[str, tuple[float, float]]
) -> None:
    questions = read_questions(SAMPLES / "questions.jsonl").questions
    with PageIndex.open(samples, settings=small_settings(**(FEW if few else {}))) as index:
        (report,) = evaluate_retrieval(index, "samples", questions, [parse_run(run)]).runs
    for scope, (ndcg, recall) in floors.items():
        scores = report.scores[scope]
        found = scores.of("nDCG@5").mean, scores.of("R@5").mean
        assert found[0] >= ndcg, (scope, found)
        assert found[1] >= recall, (scope, found)
