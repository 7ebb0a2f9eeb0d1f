"""The words and the small tables of the annual report; figures of the statements come from `facts`."""

import facts

SECTIONS = {
    2: "The year in brief",
    3: "Letter to shareholders",
    4: "Key figures",
    5: "Business review",
    6: "Segments",
    7: "Products and innovation",
    8: "People",
    9: "Sustainability",
    10: "Income statement",
    11: "Balance sheet",
    12: "Cash flow statement",
    13: "Notes to the statements",
    14: "Outlook and financial calendar",
}

TILES = [
    ("962.8", "EUR million revenue,<br/>8.7 % more than in 2023"),
    ("12.9 %", "EBIT margin,<br/>after 11.8 per cent"),
    ("132,000", "heat pumps delivered<br/>in fourteen markets"),
    ("3,488", "employees at the<br/>end of the year"),
]

BRIEF_LEAD = (
    "Halvenor grew in a market that did not. Demand was weak in the first quarter and recovered steadily; the new Tarn "
    "series with propane as its refrigerant made the difference."
)
ABOUT = (
    "Halvenor develops, makes and services heat pumps for homes and for larger buildings. The company was founded in "
    "Brenhaven in 1961 as a maker of marine refrigeration and turned to heat pumps in 1979. It runs three plants, in "
    "Brenhaven, Torvik and Mühlau, and 22 service branches. Its product families are Tarn (air-source), Grund "
    "(ground-source) and Massif (commercial systems); Kern is the name of its controls."
)

LETTER_LEAD = (
    "Dear shareholders, in 2024 we did what we had promised in a harder year: we kept our people, and used the time."
)
LETTER = [
    "When the year began, our order books were thinner than at any time since 2021. Subsidy rules had changed in "
    "three of our largest markets within a few months, wholesalers were living off full warehouses, and many "
    "households put off their decision. We answered with patience. We cut overtime rather than jobs, brought forward "
    "the conversion of the second line in Torvik, and launched the Tarn series with propane in April, four months "
    "before our own plan.",
    "From the second quarter on, orders grew without a break. By December we had taken in orders for EUR 976 "
    "million, more than our revenue for the year. Revenue rose by 8.7 per cent to EUR 962.8 million, and the "
    "operating result by 19.7 per cent to EUR 124.6 million. The margin of 12.9 per cent is the best in the history "
    "of the company.",
    "Not everything went well. Ground-source sales fell by 4.1 per cent, because drilling permits were slow and new "
    "detached houses rare. In the autumn we found that the night mode of some early Tarn 12 units was louder than "
    "our data sheet allows. The cause was a fan bracket from one supplier; we exchange it free of charge and have "
    "set aside EUR 3.2 million for the work. A quiet machine is our promise, and we would rather pay for it than "
    "explain it.",
    "In October we bought Ferrolin Controls, a team of 38 engineers whose software balances heat pumps, storage and "
    "the price of electricity. It will be the heart of the next generation of Kern.",
    "The Management Board and the Supervisory Board propose a dividend of EUR 0.80 per share, after EUR 0.65 last "
    "year. That is 40 per cent of the result for the year and leaves us the means for the third line in Torvik.",
    "I thank our employees for a year in which they had to slow down and then run, our partners in the trade for their "
    "trust, and you, our shareholders, for thinking in heating seasons rather than in quarters.",
]

KEY_FIGURES = (
    "Revenue has grown by 85 per cent in four years, of which about one tenth came from higher prices. The margin "
    "rose in every year, as the share of components made in our own plants went from 41 to 58 per cent."
)
KEY_FIGURES_NOTE = (
    "Return on capital employed is EBIT divided by the mean of equity and net financial debt at the start and the "
    "end of the year. The dividend for 2024 is the proposal to the annual general meeting."
)


def five_years(margins):
    """Label and five printed values for each row of the key figures; margins in per cent."""
    return [
        ("Revenue", [f"{value:,.1f}" for value in facts.REVENUE]),
        ("EBIT", [f"{value:,.1f}" for value in facts.EBIT]),
        ("EBIT margin, %", [f"{value:.1f}" for value in margins]),
        ("Result for the year", ["33.6", "42.1", "60.3", "71.0", "87.2"]),
        ("Cash flow from operating activities", ["61.7", "58.2", "66.9", "80.4", "141.2"]),
        ("Capital expenditure", ["36.1", "44.9", "58.3", "64.8", "72.5"]),
        ("Net financial debt", ["74.5", "86.2", "104.8", "120.0", "119.2"]),
        ("Return on capital employed, %", ["14.8", "16.1", "18.9", "20.3", "22.2"]),
        ("Earnings per share, EUR", ["0.77", "0.97", "1.38", "1.63", "2.00"]),
        ("Dividend per share, EUR", [f"{value:.2f}" for value in facts.DIVIDEND_PER_SHARE]),
        ("Employees at year end", ["2,418", "2,655", "3,012", "3,290", "3,488"]),
    ]


MARKETS = [
    "The European market for heat pumps shrank by about three per cent in 2024, after a fall of five per cent in the "
    "year before. Stocks at wholesalers, which had stood at almost five months of sales in January, were back to a "
    "normal ten weeks by September. Our own order intake turned in the second quarter and was higher in every "
    "quarter after that than in the one before.",
    "Prices were stable. We passed on lower costs of copper and electronics to installers in the form of a longer "
    "warranty, seven years instead of five, and not as discounts.",
]
REGIONS = [
    "The Nordic countries remained our largest region. The German-speaking countries overtook their level of 2022 "
    "again, helped by the new subsidy for natural refrigerants.",
    "In the United Kingdom and Ireland we doubled the number of trained installers to 1,900.",
]

SEGMENTS_INTRO = (
    "Air-source heat pumps brought in half of our revenue. Commercial systems grew fastest, with orders from schools "
    "and hospitals; service and controls earned the highest margin."
)
SEGMENTS = [
    "<b>Air-source.</b> The propane models of the Tarn series made up 61 per cent of the units sold in the fourth "
    "quarter. A better mix and the second line in Torvik raised the margin by 0.8 points.",
    "<b>Ground-source.</b> Fewer new houses meant fewer boreholes. We took Grund 17 out of the range and will bring a "
    "propane successor in 2026.",
    "<b>Commercial systems.</b> The Massif 90 cascade went into 214 buildings, among them the hospital of Sundvika "
    "with 1.4 megawatts, our largest plant so far.",
]


def segment_rows():
    """One printed row for each segment, then group functions and the group as a whole."""
    rows = []
    for name, (ebit, ebit_before) in facts.SEGMENT_EBIT.items():
        if name == "Group functions":
            rows.append([name, "–", "–", "–", f"({-ebit:.1f})", f"({-ebit_before:.1f})", "–"])
            continue
        before, now = facts.SEGMENTS[name][-2:]
        change = f"{100 * (now / before - 1):+.1f} %".replace("-", "−")
        rows.append(
            [
                name,
                f"{now:.1f}",
                f"{before:.1f}",
                change,
                f"{ebit:.1f}",
                f"{ebit_before:.1f}",
                f"{100 * ebit / now:.1f} %",
            ]
        )
    return [*rows, ["Group", "962.8", "885.4", "+8.7 %", "124.6", "104.1", "12.9 %"]]


PRODUCTS_LEAD = "The Tarn series with R290 is the largest change to our range in fifteen years."
PRODUCTS = [
    "Propane, known as R290 when it is a refrigerant, has a global warming potential of 0.02 and reaches flow "
    "temperatures of 72 °C, enough for the radiators of most older houses. It burns, and so a machine must hold "
    "little of it and hold it well. Our engineers brought the charge down to 1.85 kilograms in the Tarn 12 and "
    "placed every joint in the outdoor unit.",
    "Noise decides whether a neighbour becomes a customer. The larger fan of the Tarn series turns more slowly, and "
    "its blades carry the serrated edge that we patented in 2022. In night mode the Tarn 12 is rated at 49 dB(A).",
]
PROJECTS = [
    ["Project", "Aim", "Start of series", "Spending"],
    ["Tarn 20", "Propane unit for small apartment houses", "2026", "11.4"],
    ["Grund R290", "Ground-source successor with propane", "2026", "16.8"],
    ["Massif 140", "Cascade for district heat, 75 °C flow", "2027", "21.5"],
    ["Kern 4", "Control that follows electricity prices", "2025", "8.2"],
    ["Silent defrost", "Defrost cycles started from sound", "2027", "3.9"],
]

PEOPLE_LEAD = "We kept every permanent job through the weak winter and hired 198 more people by the end of the year."
PEOPLE = [
    "Most of the new colleagues work on the second line in Torvik, which went to three shifts in September. In "
    "research and development we grew by 34 people, not counting the team of Ferrolin Controls, which joins the "
    "figures in 2025.",
    "Women hold 31 per cent of leading positions, after 28 per cent in the year before. Staff turnover fell to 5.4 per "
    "cent.",
]
SAFETY = [
    "Each employee spent 3.6 days in training, half of it on work with flammable refrigerants. Our academy in Mühlau "
    "taught 4,260 installers.",
    "There were 4.1 accidents per million hours worked, after 5.3. None was fatal.",
]

SUSTAINABILITY_LEAD = "A heat pump saves most when it runs. But what leaves our own chimneys is ours to answer for."
SUSTAINABILITY = [
    "Since 2020 we have cut the emissions of our plants by more than half while making seven tenths more machines. "
    "The largest steps were the contract for wind power in Brenhaven and the heat from our own Massif cascades in "
    "the paint shop.",
    "What remains in scope 1 is mostly test gas. The new recovery station in Torvik takes back 97 per cent of it; "
    "the same plant will be built in Mühlau in 2025.",
]
TARGETS = [
    ["Target", "2023", "2024", "Target 2028"],
    ["Renewable share of electricity used, %", "71", "84", "100"],
    ["Waste sent to landfill, kg per unit made", "1.9", "1.4", "0.5"],
    ["Refrigerant recovered from returned units, %", "88", "92", "98"],
    ["Suppliers with an audited climate plan, % of spend", "34", "47", "80"],
    ["Recycled copper in heat exchangers, %", "22", "29", "50"],
]

PER_SHARE = [
    ["Per share, EUR", "2024", "2023"],
    ["Earnings per share, basic and diluted", "2.00", "1.63"],
    ["Dividend per share (2024: proposed)", "0.80", "0.65"],
    ["Shares outstanding, million", "43.6", "43.6"],
]
INCOME = [
    "Cost of sales grew less than revenue, because more compressors came from our own line and freight became "
    "cheaper. The gross margin rose from 34.8 to 35.7 per cent. Selling and distribution includes EUR 3.2 million "
    "for the exchange of fan brackets in early Tarn 12 units.",
    "Finance costs rose with the interest on the loan for Torvik. The tax rate was 23.0 per cent, after 23.4 per cent.",
]
BALANCE = (
    "Equity came to 49.3 per cent of total assets, after 45.8 per cent. Net financial debt is borrowings less cash and "
    "stood at EUR 119.2 million."
)

NOTES = [
    (
        "Revenue",
        "Revenue is recognised when a product is handed to the customer, for service contracts evenly over their "
        "term. Service contracts of EUR 61.3 million had not yet been fulfilled at the end of the year. No customer "
        "accounts "
        "for more than 6 per cent of revenue.",
    ),
    (
        "Research and development",
        "Costs of EUR 57.8 million were expensed. A further EUR 14.3 million were capitalised, "
        "nearly all for the propane platform; they are amortised over seven years.",
    ),
    (
        "Income tax",
        "The expense consists of EUR 25.2 million current and EUR 0.8 million deferred tax. Losses of EUR 9.4 "
        "million brought forward in Ireland are not recognised.",
    ),
    (
        "Property, plant and equipment",
        "Additions were EUR 72.5 million, of which EUR 41.0 million went to Torvik. "
        "Contracts for a further EUR 33.6 million had been signed at the end of the year. Buildings are depreciated "
        "over 33 "
        "years, machines over 8 to 15 years.",
    ),
    (
        "Goodwill and intangible assets",
        "Ferrolin Controls was bought on 14 October 2024 for EUR 18.0 million in cash; "
        "goodwill of EUR 10.7 million arose. Impairment tests used a discount rate of 8.4 per cent and showed no need "
        "for a "
        "write-down.",
    ),
    (
        "Inventories",
        "Raw materials EUR 71.9 million, work in progress EUR 24.6 million, finished goods EUR 67.8 million. "
        "Write-downs of EUR 4.4 million were made, chiefly on spare parts for models out of production.",
    ),
    (
        "Borrowings",
        "The loans carry a mean interest rate of 4.3 per cent; 70 per cent of them are at fixed rates. They "
        "fall due as follows, in millions of euros:",
    ),
    (
        "Warranty provisions",
        "Opening balance EUR 34.8 million, used EUR 11.9 million, added EUR 16.5 million, closing balance EUR 39.4 "
        "million. The addition contains EUR 3.2 million for Tarn 12 units made before week 38 of 2024.",
    ),
    (
        "Related parties",
        "The Halvenor Foundation holds 38.5 per cent of the shares. Apart from the dividend there were no "
        "transactions with it.",
    ),
    (
        "Events after the end of the year",
        "On 21 January 2025 the Supervisory Board approved the third line in Torvik. The "
        "contract for the building, EUR 29.5 million, was signed on 12 February 2025.",
    ),
]
MATURITIES = [
    ["Due in", "2025", "2026", "2027", "2028", "later"],
    ["EUR million", "37.0", "44.0", "52.0", "36.0", "36.0"],
]

OUTLOOK_LEAD = "For 2025 we expect growth of six to ten per cent and a further step in the margin."
OUTLOOK = [
    "We start the year with orders on hand of EUR 318 million, enough for about four months. We assume that the "
    "European market will be level, that subsidy rules in our main markets stay as they are, and that copper does "
    "not cost more than EUR 9,200 per tonne on average.",
]
GUIDANCE = [
    ["Guidance, EUR million unless stated", "2024 actual", "2025 expected"],
    ["Revenue", "962.8", facts.GUIDANCE_2025["revenue"]],
    ["EBIT margin, %", "12.9", facts.GUIDANCE_2025["margin"]],
    ["Capital expenditure", "72.5", facts.GUIDANCE_2025["capex"]],
    ["Tax rate, %", "23.0", "23 to 24"],
]
RISKS = [
    "The largest opportunity is the replacement of gas boilers in apartment houses, where we will offer a unit of "
    "our own with the Tarn 20. The largest risk is political: a pause in subsidies in one of our two largest regions "
    "could cost up to EUR 60 million of revenue in the following twelve months.",
    "We buy inverters from two suppliers only. A third will be approved in the summer; until then we hold stocks for "
    "nine weeks.",
]
CALENDAR = [
    ("6 March 2025", "Annual report 2024"),
    ("8 May 2025", "Statement on the first quarter"),
    ("20 May 2025", "Annual general meeting, Brenhaven"),
    ("23 May 2025", "Payment of the dividend"),
    ("12 June 2025", "Strategy day, Torvik"),
    ("14 August 2025", "Half-year report"),
    ("6 November 2025", "Statement on the third quarter"),
]
IMPRINT = (
    "Halvenor SE, Kaien 7, Brenhaven. investors@halvenor.example. Halvenor and every person and place of business "
    "named in this report are invented; the report is a sample document."
)
