"""What is true of Halvenor SE, the invented company of the samples: every document takes its figures from here.

Money is in millions of euros unless a name says otherwise. A statement is a tuple of rows (label, note, 2024, 2023,
weight), where weight is "line" or "total"; totals are computed, so that no table contradicts its own sum.
"""

COMPANY = "Halvenor SE"
YEARS = ["2020", "2021", "2022", "2023", "2024"]

REVENUE = [521.4, 612.9, 774.6, 885.4, 962.8]
EBIT = [49.5, 62.5, 88.3, 104.1, 124.6]
DIVIDEND_PER_SHARE = [0.40, 0.45, 0.55, 0.65, 0.80]
SHARES_MILLION = 43.6

SEGMENTS = {
    "Air-source": [232.1, 284.6, 377.2, 441.5, 486.2],
    "Ground-source": [151.8, 170.3, 208.5, 223.9, 214.7],
    "Commercial systems": [84.7, 95.2, 113.3, 131.6, 158.3],
    "Service and controls": [52.8, 62.8, 75.6, 88.4, 103.6],
}
SEGMENT_EBIT = {  # (2024, 2023)
    "Air-source": (66.1, 56.3),
    "Ground-source": (23.2, 25.4),
    "Commercial systems": (17.5, 11.0),
    "Service and controls": (25.3, 20.2),
    "Group functions": (-7.5, -8.8),
}
REGION_SHARES = {
    "Nordics": 34,
    "Germany, Austria,\nSwitzerland": 29,
    "Benelux, France": 18,
    "UK, Ireland": 11,
    "Other": 8,
}

QUARTERS = ["Q1 23", "Q2 23", "Q3 23", "Q4 23", "Q1 24", "Q2 24", "Q3 24", "Q4 24"]
ORDER_INTAKE = [241, 219, 188, 176, 205, 238, 262, 271]
UNITS_SOLD = {"Air-source": [58, 69, 88, 97, 108], "Ground-source": [19, 21, 25, 26, 24]}  # thousand heat pumps
EMISSIONS = {"Scope 1": [14.2, 13.1, 11.8, 10.4, 8.9], "Scope 2": [21.5, 18.9, 15.2, 11.6, 7.3]}  # kt CO2e
AGE_BANDS = {"under 25": 9, "25–34": 27, "35–44": 29, "45–54": 22, "55 and over": 13}  # % of employees

HEADCOUNT_BY_FUNCTION = [
    ("Production and logistics", 1842, 1731),
    ("Sales and service", 988, 941),
    ("Research and development", 412, 378),
    ("Administration", 246, 240),
]
HEADCOUNT_BY_SITE = [
    ("Brenhaven (head office, plant)", 1204, 1162),
    ("Torvik (plant)", 986, 871),
    ("Mühlau (plant, laboratory)", 642, 627),
    ("Service branches (22)", 656, 630),
]

# Strategy: the deck's path starts from the report's last year and passes through the middle of the report's guidance.
REVENUE_PATH = {"2024": 962.8, "2025e": 1040, "2026e": 1150, "2027e": 1270, "2028e": 1400}
GUIDANCE_2025 = {"revenue": "1,020 to 1,060", "margin": "13.0 to 14.0", "capex": "about 85"}
INVESTMENT_PLAN = {
    "Torvik line 3": [38, 46, 12, 0],
    "R290 platform": [22, 28, 24, 18],
    "Service hubs": [9, 14, 18, 16],
    "Maintenance": [16, 17, 18, 20],
}

# The heat pump that the data sheet, the price list, the letter and the paper share.
PUMP = "Tarn 12"
PUMP_ORDER_NUMBER = "TA-12-400-R"
PUMP_PRICE_EUR = 9480
PUMP_NIGHT_DB = 49


def _summed(label, rows, note=""):
    return (label, note, round(sum(r[2] for r in rows), 1), round(sum(r[3] for r in rows), 1), "total")


def _line(label, this_year, last_year, note=""):
    return (label, note, this_year, last_year, "line")


def income_statement():
    """Rows of the income statement from revenue to the result for the year."""
    gross = [_line("Revenue", 962.8, 885.4, "1"), _line("Cost of sales", -618.9, -577.3)]
    operating = [
        _line("Research and development", -57.8, -51.4, "2"),
        _line("Selling and distribution", -118.6, -110.9),
        _line("Administration", -49.2, -46.8),
        _line("Other operating income", 6.3, 5.1),
    ]
    finance = [_line("Finance income", 3.4, 2.2), _line("Finance costs", -14.8, -13.6)]
    tax = [_line("Income tax", -26.0, -21.7, "3")]
    before_tax = gross + operating + finance
    return [
        *gross,
        _summed("Gross profit", gross),
        *operating,
        _summed("Operating result (EBIT)", gross + operating),
        *finance,
        _summed("Result before tax", before_tax),
        *tax,
        _summed("Result for the year", before_tax + tax),
    ]


def assets():
    """Rows of the asset side of the balance sheet."""
    fixed = [
        _line("Property, plant and equipment", 348.2, 307.2, "4"),
        _line("Right-of-use assets", 41.7, 39.8),
        _line("Goodwill and intangible assets", 129.4, 106.1, "5"),
        _line("Deferred tax assets", 11.2, 12.0, "3"),
    ]
    current = [
        _line("Inventories", 164.3, 176.7, "6"),
        _line("Trade receivables", 151.9, 142.1),
        _line("Other current assets", 22.6, 21.1),
        _line("Cash and cash equivalents", 85.8, 96.5),
    ]
    sums = [_summed("Non-current assets", fixed), _summed("Current assets", current)]
    return [*fixed, sums[0], *current, sums[1], _summed("Total assets", fixed + current)]


def equity_and_liabilities():
    """Rows of the financing side of the balance sheet; its total equals that of `assets`."""
    equity = [
        _line("Share capital", 43.6, 43.6),
        _line("Reserves", 118.2, 118.6),
        _line("Retained earnings", 309.3, 250.4),
    ]
    long_term = [
        _line("Borrowings", 168.0, 186.5, "7"),
        _line("Lease liabilities", 43.1, 41.2),
        _line("Pension obligations", 28.7, 29.9),
        _line("Warranty provisions", 39.4, 34.8, "8"),
    ]
    current = [
        _line("Borrowings due within one year", 37.0, 30.0, "7"),
        _line("Trade payables", 112.8, 106.7),
        _line("Income tax payable", 14.6, 12.3),
        _line("Other current liabilities", 40.4, 47.5),
    ]
    sums = [
        _summed("Equity", equity),
        _summed("Non-current liabilities", long_term),
        _summed("Current liabilities", current),
    ]
    total = _summed("Total equity and liabilities", equity + long_term + current)
    return [*equity, sums[0], *long_term, sums[1], *current, sums[2], total]


def cash_flow():
    """Rows of the cash flow statement from the result for the year to the cash at its end."""
    operating = [
        _line("Result for the year", 87.2, 71.0),
        _line("Depreciation and amortisation", 48.9, 44.6),
        _line("Change in inventories", 12.4, -31.7, "6"),
        _line("Change in trade receivables", -9.8, -14.2),
        _line("Change in trade payables", 6.1, 8.9),
        _line("Other non-cash items", -3.6, 1.8),
    ]
    investing = [
        _line("Purchase of property, plant and equipment", -72.5, -64.8, "4"),
        _line("Capitalised development", -14.3, -12.9, "5"),
        _line("Purchase of Ferrolin Controls", -18.0, 0.0, "5"),
        _line("Proceeds from disposals", 2.1, 1.2),
    ]
    financing = [
        _line("New borrowings", 30.0, 45.0, "7"),
        _line("Repayment of borrowings", -41.5, -28.0, "7"),
        _line("Lease payments", -9.4, -8.7),
        _line("Dividends paid", -28.3, -24.0),
    ]
    opening = [_line("Cash at the start of the year", 96.5, 108.3)]
    return [
        *operating,
        _summed("Cash flow from operating activities", operating),
        *investing,
        _summed("Cash flow from investing activities", investing),
        *financing,
        _summed("Cash flow from financing activities", financing),
        *opening,
        _summed("Cash at the end of the year", operating + investing + financing + opening),
    ]
