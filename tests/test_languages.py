"""Words of many scripts: what a term is, and that pages in them are found, quoted and marked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen import canvas
from small_index import small_settings

from pagesight.agent import ask, create_page_agent
from pagesight.indexing import PageIndex
from pagesight.indexing.lexical.query import read_query
from pagesight.indexing.lexical.tokens import TERM_RULES, places_of_terms, tokenize

#: A font of Adobe's that viewers bring along, by script, with a sentence a page: the first one is asked for.
SENTENCES = {
    "HeiseiMin-W3": [
        "当社の純利益は三百二十億円でした。",
        "新しい電池の研究開発を続けています。",
        "従業員は約三千人です。",
    ],
    "STSong-Light": ["公司净利润为三百二十亿元。", "研发新型电池的费用不断增加。", "员工约三千人。"],
    "HYSMyeongJo-Medium": ["회사의 순이익은 삼백이십억 원이었다.", "새로운 전지를 연구한다.", "직원은 약 삼천 명이다."],
}
ASKED = {"HeiseiMin-W3": "純利益", "STSong-Light": "净利润是多少", "HYSMyeongJo-Medium": "순이익"}


def sentences(path: Path, font: str) -> Path:
    pdfmetrics.registerFont(UnicodeCIDFont(font))
    sheet = canvas.Canvas(str(path))
    for sentence in SENTENCES[font]:
        sheet.setFont(font, 14)
        sheet.drawString(60, 700, sentence)
        sheet.showPage()
    sheet.save()
    return path


@pytest.mark.parametrize("font", SENTENCES)
def test_a_word_within_a_sentence_without_spaces_is_found_quoted_and_marked(tmp_path: Path, font: str):
    with PageIndex.open(tmp_path / "index", settings=small_settings(encoder="lexical")) as index:
        index.add(sentences(tmp_path / "report.pdf", font))
        hit = index.search(ASKED[font])[0]
    assert (hit.page, hit.lines) == (1, [SENTENCES[font][0]])
    left, top, right, bottom = hit.boxes[0]
    assert 60 / 595 < left < right < 0.6  # the word, not the sentence
    assert 0 < top <= bottom < 0.2


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("純利益は2023年", ["純利", "利益", "益は", "2023", "年"]),
        ("ราคา", ["รา", "าค", "คา"]),
        ("तिमाही का शुद्ध लाभ", ["तिमाही", "का", "शुद्ध", "लाभ"]),
        ("வருவாய் நிகர", ["வருவாய்", "நிகர"]),
        ("নিট মুনাফা", ["নিট", "মুনাফা"]),
        ("مُحَمَّد", ["محمد"]),
        ("٤٥٢٠ دينار", ["4520", "دينار"]),
        ("שָׁלוֹם", ["שלום"]),
        ("İSTANBUL Istanbul istanbul", ["istanbul"] * 3),
        ("ΛΌΓΟΣ λόγος", ["λόγοσ"] * 2),
        ("Größe Straßenbahn", ["größe", "straßenbahn"]),
        ("10⁶ 3½ 45¹ 512³", ["10", "6", "3", "1", "2", "45", "1", "512", "3"]),
        ("m² CO₂ №5", ["m2", "co2", "no5"]),
    ],
)
def test_a_term_is_what_its_script_takes_for_one(text: str, terms: list[str]):
    assert tokenize(text) == terms


def test_terms_of_a_sentence_without_spaces_know_their_place():
    assert places_of_terms("純利益") == [("純利", 0, pytest.approx(2 / 3)), ("利益", pytest.approx(1 / 3), 1)]
    assert places_of_terms("net revenue") == [("net", 0, 1), ("revenue", 0, 1)]


@pytest.mark.parametrize(
    ("question", "terms"),
    [
        ("¿Cuál fue el ingreso neto de la empresa?", {"ingreso", "neto", "empresa"}),
        ("Quel est le chiffre d'affaires de la société ?", {"chiffre", "affaires", "société"}),
        ("Qual foi o lucro líquido da empresa?", {"lucro", "líquido", "empresa"}),
        ("Как был получен чистый доход?", {"получен", "чистый", "доход"}),
        ("कंपनी का शुद्ध लाभ कितना था", {"कंपनी", "शुद्ध", "लाभ"}),
        ("Which era had a son of Sin?", {"era", "son", "sin"}),
    ],
)
def test_questions_lose_the_function_words_of_their_own_language(question: str, terms: set[str]):
    assert terms <= set(read_query(question).terms)
    assert not {"de", "la", "le", "est", "o", "da", "как", "का", "which"} & set(read_query(question).terms)


def test_an_index_keeps_the_rules_that_it_was_made_with(tmp_path: Path):
    place, settings = tmp_path / "index", small_settings(encoder="lexical")
    with PageIndex.open(place, settings=settings) as index:
        index.add(sentences(tmp_path / "report.pdf", "HeiseiMin-W3"))
    manifest = next(file for file in place.glob("*.json") if "term_rules" in file.read_text())
    assert json.loads(manifest.read_text())["term_rules"] == TERM_RULES
    with PageIndex.open(place, settings=settings) as index:
        assert index.search("純利益")[0].page == 1


@pytest.mark.parametrize(
    ("font", "asked", "page"), [("HeiseiMin-W3", "「池」", 2), ("STSong-Light", "“池”", 2), ("STSong-Light", "亿", 1)]
)
def test_one_character_finds_and_quotes_the_line_that_holds_it(tmp_path: Path, font: str, asked: str, page: int):
    with PageIndex.open(tmp_path / "index", settings=small_settings(encoder="lexical")) as index:
        index.add(sentences(tmp_path / "report.pdf", font))
        lines = {hit.page: hit.lines for hit in index.search(asked, top_k=3)}
        assert lines[page] == [SENTENCES[font][page - 1]]
        assert not any(lines[other] for other in lines if other != page)
        answer = ask(create_page_agent(index, model="offline"), asked).text
    assert SENTENCES[font][page - 1].rstrip("。") in answer
