"""What a ratio that a question names is made of: statements print its parts, and seldom the ratio."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pagesight.indexing.lexical.tokens import TERM_RULES, informative, tokenize

#: Names of ratios and of figures, as patterns, with the lines of statements that they are worked out of: as textbooks
#: of accounting have them, in the words of reports in English and German. Margins, tax rates and others that reports
#: print by name are left out: with their parts, pages that print them were found worse.
_PARTS = (
    (r"fixed asset turnover", "net revenues sales property plant equipment"),
    (r"(?<!fixed )(?:total )?asset turnover", "net revenues sales total assets"),
    (r"inventory turnover|days (?:of )?inventory|dio\b", "cost of sales goods sold inventories"),
    (r"receivables? turnover|days sales outstanding|dso\b", "net revenues sales accounts receivable"),
    (r"payables? turnover|days payables? outstanding|dpo\b", "cost of sales goods sold accounts payable"),
    (r"return on (?:total )?assets|roa\b", "net income total assets"),
    (r"return on (?:shareholders['’]? )?equity|roe\b", "net income total shareholders equity"),
    (r"return on (?:invested capital|capital employed)|roi?c\b|roce\b", "operating income total assets equity"),
    (r"(?<!non-)current ratio", "total current assets total current liabilities"),
    (r"quick ratio|acid[- ]test", "current assets inventories total current liabilities"),
    (r"cash ratio", "cash and cash equivalents total current liabilities"),
    (r"debt[- ]to[- ]equity|gearing|leverage ratio", "total liabilities debt total shareholders equity"),
    (r"interest cover(?:age)?|times interest earned", "operating income interest expense"),
    (r"to (?:total )?assets? ratio", "total assets"),
    (r"capex", "capital expenditures purchases of property equipment"),
    (r"r\s?&\s?d\b", "research and development product development"),
    (r"sg&a\b", "selling general and administrative"),
    (r"verschuldungsgrad", "Fremdkapital Verbindlichkeiten Eigenkapital"),
    (r"gesamtkapitalrendite", "Jahresüberschuss Zinsaufwand Bilanzsumme"),
    (r"zinsdeckung\w*", "Betriebsergebnis EBIT Zinsaufwand"),
    (r"liquidität (?:[1-3]\.|\w+ten) grades", "flüssige Mittel Forderungen kurzfristige Verbindlichkeiten"),
)  # fmt: skip
_NAMED = [(re.compile(rf"(?<!\w)(?:{names})", re.IGNORECASE), parts) for names, parts in _PARTS]


def parts_of_ratios(question: str, rules: int = TERM_RULES) -> Sequence[str]:
    """The terms, each once, of what the ratios that a question names are worked out of; none for other questions."""
    named = " ".join(parts for names, parts in _NAMED if names.search(question))
    return informative(tokenize(named, rules)) if named else []
