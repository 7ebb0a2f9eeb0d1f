"""Makes the sample documents of this folder: `python samples/make_samples.py [--out DIR]`.

Two runs on one machine write the same bytes: dates and random seeds are fixed, and reportlab is told to leave the time
out. Needs reportlab, matplotlib, fonttools, pillow, numpy and pypdfium2, which the project's `dev` group brings.
"""

import argparse
from pathlib import Path

import annual_report
import datenblatt
import price_list
import scanned_letter
import strategy_deck
import two_column_paper

DOCUMENTS = {
    "annual-report.pdf": annual_report.make,
    "strategy-deck.pdf": strategy_deck.make,
    "two-column-paper.pdf": two_column_paper.make,
    "scanned-letter.pdf": scanned_letter.make,
    "datenblatt.pdf": datenblatt.make,
    "price-list.pdf": price_list.make,
}


def main():
    """Write every document to the folder that the command line names, by default the one of this script."""
    parser = argparse.ArgumentParser(description="Make the sample documents.")
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent, help="folder to write to")
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in DOCUMENTS.items():
        make(folder / name)
        print(f"{name}: {(folder / name).stat().st_size / 1000:,.0f} kB")


if __name__ == "__main__":
    main()
