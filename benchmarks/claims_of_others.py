"""Claims as a stranger would write them, by hand, of pages that the check of claims was not made for.

    python benchmarks/claims_of_others.py --out FOLDER [--real shared/data/mmlb-dev/documents] [--show]

Lists of one form, in ``claim_lists/``: ``made`` is of documents that this script makes, an order form in euros and
cents, a quarterly statement in thousands with its years from right to left and a contract, German and English, each as
text and as a scan that is skewed and noisy, and reports in Russian and in Chinese. Those of pages are of real documents
(``--real``), written from their pictures: ``pages_seen``, ``pages_more``, ``pages_opened``, ``pages_newer``,
``pages_recent`` and ``pages_later`` are there to correct the check by, ``pages_kept``, ``pages_sealed``,
``pages_fresh``, ``pages_blind``, ``pages_apart`` and ``pages_last``, of other pages, only to measure it. ``manuals`` is
of manuals in Debian's packages (developers-reference, debian-faq, valgrind, ghostscript-doc, r-doc-pdf), for
``--list manuals --real FOLDER``. A line is a kind of claim and a claim; it cites the page of the heading above it
unless it names another.
"""

from __future__ import annotations

import argparse
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import pypdfium2
from claims import Claim, table
from PIL import Image, ImageFilter
from reportlab.lib.pagesizes import A4
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import registerFont
from reportlab.pdfgen.canvas import Canvas

from pagesight.agent import check_claims
from pagesight.indexing import PageIndex, load_settings

_OF_PAGES = [
    "pages_seen", "pages_more", "pages_opened", "pages_newer", "pages_recent", "pages_later",
    "pages_kept", "pages_sealed", "pages_fresh", "pages_blind", "pages_apart", "pages_last",
]  # fmt: skip
_LISTS = Path(__file__).resolve().parent / "claim_lists"

ORDER = [
    ("Pos.", "Artikel", "Menge", "Einzelpreis", "Gesamt"),
    ("1", "Schaltschrank Typ K4", "12 Stück", "1.249,50 €", "14.994,00 €"),
    ("2", "Frequenzumrichter FU 22", "8 Stück", "2.310,00 €", "18.480,00 €"),
    ("3", "Steuerleitung ölflex", "450 m", "3,85 €", "1.732,50 €"),
    ("4", "Inbetriebnahme vor Ort", "16 Std.", "118,00 €", "1.888,00 €"),
    ("", "Summe netto", "", "", "37.094,50 €"),
    ("", "Umsatzsteuer 19 %", "", "", "7.047,96 €"),
    ("", "Gesamtbetrag", "", "", "44.142,46 €"),
]
ORDER_TEXT = [
    "Auftragsbestätigung Nr. 2024-3391 vom 14. März 2024",
    "Kunde: Halmstad Papier GmbH, Kassel. Ansprechpartnerin: Frau Dr. Ines Oberländer.",
    "Die Lieferung erfolgt frei Haus bis zum 30. Juni 2024. Bei Zahlung innerhalb von 10 Tagen",
    "gewähren wir 2 % Skonto. Der Kaufpreis ist spätestens 30 Tage nach Lieferung fällig.",
]
QUARTER = [
    ("in kEUR", "Q3 2024", "Q3 2023", "9M 2024", "9M 2023"),
    ("Revenue", "48,216", "44,907", "141,330", "133,518"),
    ("of which services", "11,482", "9,976", "33,105", "28,840"),
    ("Cost of materials", "(21,640)", "(20,955)", "(64,871)", "(62,204)"),
    ("Personnel expenses", "(14,118)", "(13,302)", "(41,990)", "(39,655)"),
    ("EBITDA", "7,904", "6,488", "22,517", "19,260"),
    ("Net result", "3,127", "(412)", "8,846", "5,031"),
    ("Employees (number)", "1,084", "1,041", "1,084", "1,041"),
]
QUARTER_TEXT = [
    "Interim statement of Nordvik Instruments plc for the third quarter of 2024",
    "Revenue grew by 7.4 % to kEUR 48,216, driven by demand for gas analysers in the Baltic states.",
    "The order backlog stood at kEUR 61,750 on 30 September 2024, against kEUR 58,290 a year earlier.",
    "Nothing in these statements has been audited. The next report is due on 12 March 2025.",
]
CONTRACT = [
    "Lease agreement between Castor Estates Ltd (the landlord) and Brightwell Dental LLP (the tenant)",
    "1. The lease begins on 1 May 2023 and runs for seven years. The tenant may end it after year four",
    "with nine months' written notice. The landlord has no such right.",
    "2. The rent is £86,400 a year, payable quarterly in advance. It is not subject to value added tax.",
    "3. The tenant shall not sublet without the landlord's consent, which must not be withheld unreasonably.",
    "4. A deposit of £21,600 is held by Fenwick & Rowe Solicitors in Leeds.",
    "5. The premises comprise 312 square metres on the second floor of Harbour House, Whitby.",
]

RUSSIAN = [
    "Отчёт компании «Полярис» за 2024 год",
    "Выручка выросла на 12,5 % и составила 48,2 млрд рублей в 2024 году.",
    "Чистая прибыль снизилась до 3,1 млрд рублей.",
    "В компании работает 5 420 человек. Завод в Перми выпускает 120 тонн в сутки.",
    "Директор компании — Анна Смирнова. Договор с портом действует 7 лет.",
]
CHINESE = [
    "北辰公司2024年度报告",
    "2024年营业收入为48.2亿元，同比增长12.5%。",
    "净利润下降至3.1亿元。",
    "公司员工5420人，杭州工厂每天生产120吨。",
    "董事长为李明华。港口合同为期7年。",
]

Row = tuple[str, ...]
MADE: dict[str, tuple[list[str], Sequence[Row]]] = {
    "order.pdf": (ORDER_TEXT, ORDER),
    "quarter.pdf": (QUARTER_TEXT, QUARTER),
    "contract.pdf": (CONTRACT, []),
    "russian.pdf": (RUSSIAN, []),
    "chinese.pdf": (CHINESE, []),
}
SCANNED = ("order.pdf", "quarter.pdf", "contract.pdf")
_OF_ALL_SCRIPTS = "STSong-Light"  # a font that every viewer has, with Cyrillic letters too


def listed(name: str, prefix: str = "", source: str = "") -> Iterator[Claim]:
    """The claims of a list; of the documents whose names have the prefix, and from what source, where that is given."""
    document = page = form = ""
    for line in (_LISTS / f"{name}.txt").read_text("utf-8").splitlines():
        if heading := re.fullmatch(r"# (\S+) p\. (\d+) \| (.+)", line):
            document, page, form = heading.groups()
        elif line:
            kind, _, text = line.partition(": ")
            said = re.fullmatch(r"(.+?)(?: \[p\. (\d+)\])?", text)
            assert said
            yield Claim(f"{said[1]} [{prefix}{document} p. {said[2] or page}].", kind, f"{form} {source}".strip())


def write(path: Path, text: list[str], rows: Sequence[Row]) -> None:
    """A page with lines of text and a table below them, numbers to the right."""
    canvas = Canvas(str(path), A4)
    latin = all(letter < "\u0400" or letter in "“”—–€" for line in text for letter in line)
    canvas.setFont("Helvetica-Bold" if latin else _OF_ALL_SCRIPTS, 12)
    canvas.drawString(50, 780, text[0])
    canvas.setFont("Helvetica" if latin else _OF_ALL_SCRIPTS, 10)
    for number, line in enumerate(text[1:]):
        canvas.drawString(50, 750 - 18 * number, line)
    edges = [50, 80, 330, 430, 545] if rows and len(rows[0]) == 5 and rows[0][0] == "Pos." else [50, 290, 375, 460, 545]
    for number, row in enumerate(rows):
        y = 620 - 22 * number
        canvas.setFont("Helvetica-Bold" if not number else "Helvetica", 10)
        for column, cell in enumerate(row):
            left = column == 0 or (column == 1 and edges[1] == 80)
            (canvas.drawString if left else canvas.drawRightString)(edges[column], y, cell)
    canvas.showPage()
    canvas.save()


def scan(path: Path, target: Path, chance: random.Random) -> None:
    """The page as a scan: turned a little, noisy and pale."""
    picture = pypdfium2.PdfDocument(path)[0].render(scale=170 / 72).to_pil().convert("L")
    picture = picture.rotate(chance.uniform(-0.6, 0.6), expand=False, fillcolor=255)
    picture = picture.filter(ImageFilter.GaussianBlur(0.7))
    noise = Image.effect_noise(picture.size, 28)
    Image.blend(picture, noise, 0.12).convert("RGB").save(target, resolution=170, quality=60)


def make(folder: Path) -> list[Claim]:
    """Makes the documents, as text and as scans; returns what is claimed of them."""
    folder.mkdir(parents=True, exist_ok=True)
    registerFont(UnicodeCIDFont(_OF_ALL_SCRIPTS))
    chance = random.Random(5)
    for name, (text, rows) in MADE.items():
        write(folder / name, text, rows)
        if name in SCANNED:
            scan(folder / name, folder / f"scan-{name}", chance)
    scanned = (one for one in listed("made", "scan-", "scan") if any(f"[scan-{name} " in one.text for name in SCANNED))
    return [*listed("made", "", "text"), *scanned]


def measure(index: PageIndex, claims: list[Claim], *, show: bool) -> None:
    """Checks the claims, and prints the table and, if asked, what was judged wrongly."""
    wrong: list[Claim] = []
    doubted = lambda text: any(one.outcome == "unsupported" for one in check_claims(index, text))  # noqa: E731
    print("\n".join(table(claims, doubted, wrong)))
    for claim in wrong if show else []:
        reasons = "; ".join(f"{one.outcome}: {one.reason}" for one in check_claims(index, claim.text))
        print(f"\n{claim.kind} ({claim.source}): {claim.text}\n    {reasons}")


def main() -> None:
    """Makes or takes the documents, checks what is claimed of them, and prints a table for each list."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--out", type=Path, required=True, help="folder for documents and index")
    options.add_argument("--real", type=Path, help="folder of the real documents, whose lists are checked instead")
    options.add_argument("--list", help="of the lists of real documents, the one to be checked")
    options.add_argument("--show", action="store_true", help="print the claims that were judged wrongly too")
    given = options.parse_args()
    folder = given.real or given.out / "documents"
    of_pages = [given.list] if given.list else _OF_PAGES
    lists = {name: list(listed(name)) for name in of_pages} if given.real else {"made": make(folder)}
    with PageIndex.open(given.out / f"index-{folder.name}", settings=load_settings(encoder="lexical")) as index:
        index.add(folder)
        for name, claims in lists.items():
            print(f"\n{name}")
            measure(index, claims, show=given.show)


if __name__ == "__main__":
    main()
