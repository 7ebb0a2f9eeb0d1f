"""The words and the measured values of the letter; the senders and their houses are invented."""

from facts import PUMP, PUMP_NIGHT_DB, PUMP_ORDER_NUMBER, PUMP_PRICE_EUR

UNITS, DISCOUNT = 14, 0.12
NET = UNITS * PUMP_PRICE_EUR * (1 - DISCOUNT)

LETTERHEAD = (
    "Seeufer Housing Cooperative",
    "412 homes in Mühlau since 1926",
    "Seeufer Housing Cooperative, Uferweg 22, Mühlau   |   office@seeufer.example   |   Chair: Henrike Altvogt",
)
RECIPIENT = ["Halvenor SE", "Customer Service", "Kaien 7", "Brenhaven"]
REFERENCES = ["Our reference: HA/2025-031", "Your order: 2024-118-0457 of 9 September 2024"]
SUBJECT = f"Noise at night: {UNITS} heat pumps {PUMP}, order number {PUMP_ORDER_NUMBER}"
PARAGRAPHS = [
    "Dear Sir or Madam,",
    f"on 4 December 2024 you delivered {UNITS} heat pumps {PUMP} to our houses at Uferweg 2 to 28. They heat well "
    "and the tenants are content with their rooms. Since the cold weeks in January, however, we have had complaints "
    "from nine tenants about a humming tone at night.",
    f"Your data sheet gives a sound power level of {PUMP_NIGHT_DB} dB(A) in night mode. On the nights of 28 and 29 "
    "January we had all units measured by a sworn expert, Mr Jorin Feldkamp. Eight of them keep the value; six do "
    "not. The loudest, at Uferweg 18, reached 54.5 dB(A). The full list is on the next page.",
    "We ask you to bring the six units to the promised value by 31 March 2025 at no cost to us, and to name a date "
    "for the work by 7 March. We also ask you to bear the expert's fee of EUR 1,860.00.",
    f"The price after your discount of 12 per cent was EUR {NET:,.2f}. Until the work is done we hold back ten per "
    f"cent of it, EUR {NET / 10:,.2f}, from the final invoice.",
    "We would rather praise these machines than complain about them, and look forward to your answer.",
    "Yours faithfully,",
]
CLOSING = ["Henrike Altvogt", "Chair of the Board"]

PAGE_TWO = (
    "Measurements in night mode, 28 and 29 January 2025",
    "Sound power level according to the expert's report, between 23:00 and 04:00. The week of manufacture is taken "
    "from the type plate.",
    [
        "Units above 49 dB(A): Uferweg 4, 8, 10, 18, 22 and 26.",
        "The expert notes that the tone comes from the holder of the fan and that it vanishes when the holder is "
        "pressed by hand.",
        "Enclosed: expert's report of 5 February 2025, 11 pages (sent by separate post).",
    ],
)
MEASURED = [
    ["House", "Serial number", "Week made", "Level in dB(A)", "Outside °C"],
    ["Uferweg 2", "T12-24-40117", "40/2024", "48.5", "−3"],
    ["Uferweg 4", "T12-24-35022", "35/2024", "53.0", "−3"],
    ["Uferweg 6", "T12-24-40121", "40/2024", "48.0", "−3"],
    ["Uferweg 8", "T12-24-35027", "35/2024", "53.5", "−4"],
    ["Uferweg 10", "T12-24-36004", "36/2024", "52.5", "−4"],
    ["Uferweg 12", "T12-24-40125", "40/2024", "48.5", "−4"],
    ["Uferweg 14", "T12-24-41008", "41/2024", "49.0", "−4"],
    ["Uferweg 16", "T12-24-41011", "41/2024", "48.0", "−4"],
    ["Uferweg 18", "T12-24-36013", "36/2024", "54.5", "−5"],
    ["Uferweg 20", "T12-24-41015", "41/2024", "48.5", "−5"],
    ["Uferweg 22", "T12-24-37002", "37/2024", "52.0", "−5"],
    ["Uferweg 24", "T12-24-41019", "41/2024", "47.5", "−5"],
    ["Uferweg 26", "T12-24-37006", "37/2024", "53.5", "−5"],
    ["Uferweg 28", "T12-24-41022", "41/2024", "48.0", "−5"],
]
