"""Claims as a stranger would write them, over documents that this script makes in other layouts than claims.py's.

    python benchmarks/claims_of_others.py --out FOLDER

An order form in euros and cents, a quarterly statement in thousands with its years from right to left, a contract and
a protocol, German and English, as text and as a scan that is skewed and noisy. Each claim is written by hand from what
stands on the page, in forms that claims.py has none of; it was written after the check, and nothing was fitted to it
before it was first measured.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from pathlib import Path

import pypdfium2
from claims import Claim, table
from PIL import Image, ImageFilter
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from pagesight.indexing import PageIndex, load_settings

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

Row = tuple[str, ...]


def _said(document: str, source: str, true: str, false: str) -> Iterator[Claim]:
    """Claims of a document, one a line: a false one as "kind: text"."""
    for line in true.strip().splitlines():
        yield Claim(f"{line.strip()} [{document} p. 1].", "right", source)
    for line in false.strip().splitlines():
        kind, _, text = line.strip().partition(": ")
        yield Claim(f"{text} [{document} p. 1].", kind, source)


def _order(document: str, source: str) -> Iterator[Claim]:
    yield from _said(document, source, """
        Der Schaltschrank Typ K4 kostet 1.249,50 Euro das Stück
        Bestellt wurden 8 Frequenzumrichter FU 22
        450 Meter Steuerleitung kosten zusammen 1.732,50 €
        Für die Inbetriebnahme sind 16 Stunden zu je 118 € angesetzt
        Der Gesamtbetrag liegt bei 44.142,46 €
        Gesamtbetrag: EUR 44.142,46
        Netto ergeben sich 37.094,50 Euro, dazu kommen 7.047,96 Euro Umsatzsteuer
        Das Skonto beträgt 2 %
        Geliefert wird bis zum 30.06.2024
        Kunde ist die Halmstad Papier GmbH
        Im Vertrag steht: „Der Kaufpreis ist spätestens 30 Tage nach Lieferung fällig“
        Der Auftrag vom 14.3.2024 hat die Nummer 2024-3391
        The order totals EUR 44,142.46
        The net sum is €37,094.50
        Der Gesamtbetrag ist um 7.047,96 € höher als die Summe netto
        """, """
        wrong number: Der Schaltschrank Typ K4 kostet 1.294,50 Euro das Stück
        wrong number: Der Gesamtbetrag liegt bei 44.124,46 €
        wrong number: Das Skonto beträgt 3 %
        wrong number: Geliefert wird bis zum 30.07.2024
        wrong number: The order totals EUR 44,142.64
        wrong unit: Der Gesamtbetrag liegt bei 44.142,46 US-Dollar
        wrong unit: Der Gesamtbetrag liegt bei 44.142,46 Mio. €
        wrong unit: Bestellt wurden 450 kg Steuerleitung
        wrong unit: Für die Inbetriebnahme sind 16 Tage angesetzt
        wrong unit: Das Skonto beträgt 2 €
        swapped rows: Der Frequenzumrichter FU 22 kostet 1.249,50 € das Stück
        swapped rows: Bestellt wurden 12 Frequenzumrichter FU 22
        swapped rows: Die Summe netto beträgt 44.142,46 €
        swapped rows: Die Inbetriebnahme kostet zusammen 1.732,50 €
        swapped columns: Der Einzelpreis des Schaltschranks Typ K4 beträgt 14.994,00 €
        swapped columns: Die Frequenzumrichter FU 22 kosten zusammen 2.310,00 €
        number elsewhere: Der Kaufpreis ist innerhalb von 10 Tagen nach Lieferung fällig
        number elsewhere: Die Umsatzsteuer beträgt 2 %
        invented quote: Im Vertrag steht: „Der Kaufpreis ist frühestens 30 Tage nach Lieferung fällig“
        invented quote: Im Vertrag steht: „Die Lieferung erfolgt ab Werk bis zum 30. Juni 2024“
        wrong name: Kunde ist die Halmstad Karton GmbH
        wrong name: Ansprechpartnerin ist Frau Dr. Ines Oberhofer
        wrong name: Der Kunde sitzt in Marburg
        wrong name: Marburg
        wrong sum: Der Gesamtbetrag ist um 8.047,96 € höher als die Summe netto
        """)  # fmt: skip


def _quarter(document: str, source: str) -> Iterator[Claim]:
    yield from _said(document, source, """
        Revenue in the third quarter of 2024 was EUR 48.216 million
        Q3 2024 revenue: kEUR 48,216 (Q3 2023: kEUR 44,907)
        In Q3 2023 the company made a net loss of kEUR 412
        The net result for the first nine months of 2024 was EUR 8.8 million
        Services brought in EUR 11.5 million in Q3 2024
        EBITDA rose from kEUR 6,488 to kEUR 7,904 in the third quarter
        EBITDA rose by 21.8 % in the third quarter, from kEUR 6,488 to kEUR 7,904
        At the end of the quarter 1,084 people were employed, 43 more than a year before
        The order backlog was EUR 61.75 million on 30 September 2024
        The cost of materials in Q3 2024 came to EUR 21.64 million
        Der Umsatz im dritten Quartal 2024 betrug 48,2 Mio. EUR
        Das EBITDA lag im Q3 2024 bei 7,9 Mio. EUR
        The next report is due on 12 March 2025
        The figures have not been audited
        Personnel expenses for 9M 2024 amounted to kEUR 41,990
        """, """
        wrong number: Revenue in the third quarter of 2024 was EUR 48.612 million
        wrong number: The next report is due on 21 March 2025
        wrong number: The order backlog was EUR 67.15 million on 30 September 2024
        wrong unit: Revenue in the third quarter of 2024 was EUR 48,216 million
        wrong unit: Revenue in the third quarter of 2024 was USD 48.2 million
        wrong unit: Personnel expenses for 9M 2024 amounted to EUR 41,990
        wrong unit: Revenue grew by 7.4 million euros
        swapped columns: Revenue in the third quarter of 2024 was EUR 44.9 million
        swapped columns: The net result in Q3 2024 was a loss of kEUR 412
        swapped columns: EBITDA in Q3 2024 was kEUR 22,517
        swapped columns: EBITDA for 9M 2023 was kEUR 22,517
        swapped columns: Das EBITDA lag im Q3 2023 bei 7,9 Mio. EUR
        swapped rows: EBITDA in Q3 2024 was kEUR 3,127
        swapped rows: The cost of materials in Q3 2024 came to EUR 14.118 million
        swapped rows: Services brought in EUR 48.2 million in Q3 2024
        number elsewhere: The order backlog was EUR 58.29 million on 30 September 2024
        number elsewhere: Revenue grew by 48.2 %
        wrong sum: EBITDA rose by 31.8 % in the third quarter, from kEUR 6,488 to kEUR 7,904
        wrong sum: At the end of the quarter 1,084 people were employed, 53 more than a year before
        wrong sign: EBITDA fell from kEUR 6,488 to kEUR 7,904 in the third quarter
        wrong sign: In Q3 2023 the company made a net profit of kEUR 412
        wrong sign: The figures have been audited
        invented quote: It says: “Nothing in these statements has been omitted.”
        invented quote: It says: “driven by weak demand for gas analysers in the Baltic states”
        wrong name: Growth was driven by demand in the Balkan states
        wrong name: Nordvik Instruments makes the statement for Sverre Holding
        """)  # fmt: skip


def _contract(document: str, source: str) -> Iterator[Claim]:
    yield from _said(document, source, """
        The lease begins on 1 May 2023
        The lease runs for 7 years from 1 May 2023
        The rent is £86,400 per year
        A year's rent of GBP 86,400 is payable quarterly in advance
        The rent comes to £21,600 a quarter, a fourth of £86,400
        The deposit of £21,600 is held by Fenwick & Rowe Solicitors
        The landlord is Castor Estates Ltd
        The tenant is Brightwell Dental LLP
        The premises are 312 m² in size
        Notice must be given nine months ahead
        The landlord has no right to end the lease early
        The agreement says “The landlord has no such right.”
        Die Jahresmiete beträgt 86.400 £
        The premises are in Whitby
        """, """
        wrong number: The lease begins on 1 May 2024
        wrong number: The lease runs for five years
        wrong number: The rent is £84,600 per year
        wrong number: Notice must be given six months ahead
        wrong unit: The rent is €86,400 per year
        wrong unit: The rent is £86,400 per month
        wrong unit: The premises are 312 square feet in size
        wrong unit: The lease runs for seven months
        number elsewhere: The deposit is £86,400
        number elsewhere: The rent is £21,600 per year
        wrong sign: The rent is subject to value added tax
        wrong sign: The tenant may sublet without the landlord's consent
        invented quote: The agreement says “The tenant has no such right.”
        invented quote: The agreement says “payable monthly in advance”
        invented quote: The agreement says “The tenant may end it after year three”
        wrong name: The landlord is Brightwell Dental LLP
        wrong name: The landlord is Pollux Estates Ltd
        wrong name: The premises are in Scarborough
        wrong name: The deposit is held in York
        wrong name: York
        wrong name: The deposit is held by Fenwick & Stone Solicitors
        """)  # fmt: skip


MADE = {
    "order.pdf": ([*ORDER_TEXT], ORDER, _order, "de"),
    "quarter.pdf": ([*QUARTER_TEXT], QUARTER, _quarter, "en"),
    "contract.pdf": ([*CONTRACT], [], _contract, "en"),
}


def write(path: Path, text: list[str], rows: list[Row]) -> None:
    """A page with lines of text and a table below them, numbers to the right."""
    canvas = Canvas(str(path), A4)
    canvas.setFont("Helvetica-Bold", 12)
    canvas.drawString(50, 780, text[0])
    canvas.setFont("Helvetica", 10)
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


def main() -> None:
    """Makes the documents, checks the claims, and prints the table and what was judged wrongly."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--out", type=Path, required=True, help="folder for documents and index")
    given = options.parse_args()
    folder, chance = given.out / "documents", random.Random(5)
    folder.mkdir(parents=True, exist_ok=True)
    claims: list[Claim] = []
    for name, (text, rows, said, language) in MADE.items():
        path = folder / name
        write(path, text, rows)
        scan(path, path.with_name(f"scan-{name}"), chance)
        claims += said(name, f"{language} text")
        claims += said(f"scan-{name}", f"{language} scan")
    with PageIndex.open(given.out / "index", settings=load_settings(encoder="lexical")) as index:
        index.add(folder)
        from pagesight.agent import check_claims

        wrong: list[Claim] = []
        doubted = lambda text: any(one.outcome == "unsupported" for one in check_claims(index, text))  # noqa: E731
        print("\n".join(table(claims, doubted, wrong)))
        for claim in wrong:
            reasons = "; ".join(f"{one.outcome}: {one.reason}" for one in check_claims(index, claim.text))
            print(f"\n{claim.kind} ({claim.source}): {claim.text}\n    {reasons}")


if __name__ == "__main__":
    main()
