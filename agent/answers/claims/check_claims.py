"""The check of claims by words alone: no model is called, nothing is paid for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from pagesight.agent.answers.citations import CitationReader
from pagesight.agent.answers.claims.answer_text.claim_text import cited_sentences
from pagesight.agent.answers.claims.claim import Claim
from pagesight.agent.answers.claims.readings import Readings
from pagesight.agent.answers.claims.sentence_check import SentenceCheck
from pagesight.indexing import PageIndex
from pagesight.tools.allowed_documents import AllowedDocuments

#: What checks an answer by some documents: text → claims in their order.
Checked = Callable[[AllowedDocuments, str], list[Claim]]


def check_claims(index: PageIndex, text: str) -> list[Claim]:
    """Each claim of an answer in its order, with whether the pages and regions that it cites say it.

    ``text`` cites as answers do: ``Net revenue was EUR 885.4 million [annual-report.pdf p. 12]``. Numbers with their
    units, dates, names and quoted phrases are looked for among the words of the cited regions (pages, where no region
    is given), and a number must be of what the claim says it is of: of that row, that year, that sentence. No model is
    called, so no claim is "read". Sentences without a citation count if they hold numbers or quotations; they are
    unsupported. Raises PagesightError if the index cannot be read; a page that is not there is no error but a reason.
    """
    return claims_within(AllowedDocuments(index), text)


async def acheck_claims(index: PageIndex, text: str) -> list[Claim]:
    """`check_claims`, in a thread: reading pages may wait for the disk and for OCR."""
    return await asyncio.to_thread(check_claims, index, text)


def claims_within(allowed: AllowedDocuments, text: str, readings: Readings | None = None) -> list[Claim]:
    """`check_claims` by these documents alone: of what others say, no reason tells.

    ``readings`` are what a model has read off some of the cited places, for what words cannot tell.
    """
    sentences = cited_sentences(text, CitationReader(allowed.printed_labels()).read(text))
    checks = [SentenceCheck(allowed, sentence, readings or {}) for sentence in sentences]
    return [claim for check in checks if (claim := check.claim())]
