"""The words and tables of the German data sheet, with decimal commas as German readers expect."""

from facts import PUMP_NIGHT_DB, PUMP_ORDER_NUMBER

INTRO = (
    "Die Wärmepumpen der Baureihe Tarn gewinnen Wärme aus der Außenluft. Sie liefern Vorlauftemperaturen bis 72 °C "
    "und eignen sich damit auch für ältere Gebäude mit Heizkörpern. Der gesamte Kältekreis liegt im Außengerät; ins "
    "Haus führen nur zwei Wasserleitungen."
)
FEATURES = [
    "Vorlauftemperatur bis 72 °C ohne Heizstab, auch bei −15 °C Außentemperatur",
    "Natürliches Kältemittel R290 mit sehr geringer Füllmenge",
    f"Nachtbetrieb mit nur {PUMP_NIGHT_DB} dB(A) Schallleistung (Tarn&nbsp;12)",
    "Verdichter aus eigener Fertigung, stufenlos geregelt von 25 bis 100 %",
    "Kühlen im Sommer mit derselben Anlage",
    "Regelung Kern 3, vorbereitet für veränderliche Stromtarife",
    "Sieben Jahre Gewährleistung nach Inbetriebnahme durch den Werkskundendienst",
]
ORDERS = [
    ["Bestellnummer", "Ausführung", "Netzanschluss", "Gewicht"],
    ["TA-08-230-R", "Tarn 8", "230 V, 1~, 50 Hz", "132 kg"],
    ["TA-10-400-R", "Tarn 10", "400 V, 3~, 50 Hz", "151 kg"],
    [PUMP_ORDER_NUMBER, "Tarn 12", "400 V, 3~, 50 Hz", "168 kg"],
    ["TA-12-400-C", "Tarn 12 mit Küstenschutz", "400 V, 3~, 50 Hz", "170 kg"],
    ["TA-16-400-R", "Tarn 16", "400 V, 3~, 50 Hz", "196 kg"],
]
ORDERS_NOTE = (
    "Preise siehe gültige Preisliste. Die Ausführung mit Küstenschutz wird bis 5 km Abstand zum Meer empfohlen. "
    "Zubehör: Bodenkonsole ZT-F-12, Schwingungsdämpfer ZT-V-04, Kondensatheizung ZT-K-05."
)
TECHNICAL = [
    ["Größe", "Einheit", "Tarn 8", "Tarn 10", "Tarn 12", "Tarn 16"],
    ["Heizen (EN 14511)", "", "", "", "", ""],
    ["Heizleistung A7/W35", "kW", "7,9", "9,8", "11,8", "15,6"],
    ["Leistungszahl (COP) A7/W35", "–", "5,20", "5,16", "5,12", "4,94"],
    ["Heizleistung A2/W35", "kW", "6,3", "7,8", "9,4", "12,7"],
    ["Leistungszahl (COP) A2/W35", "–", "4,32", "4,27", "4,21", "4,08"],
    ["Heizleistung A-7/W35", "kW", "6,8", "8,5", "10,2", "13,9"],
    ["Leistungszahl (COP) A-7/W35", "–", "3,22", "3,18", "3,14", "3,01"],
    ["Heizleistung A-7/W55", "kW", "6,4", "8,0", "9,6", "13,1"],
    ["Leistungszahl (COP) A-7/W55", "–", "2,38", "2,35", "2,31", "2,24"],
    ["Jahreszeitbedingte Effizienz ηs, 35 °C", "%", "198", "195", "191", "184"],
    ["Kühlen", "", "", "", "", ""],
    ["Kühlleistung A35/W18", "kW", "7,1", "8,7", "10,4", "13,8"],
    ["Leistungszahl (EER) A35/W18", "–", "4,61", "4,52", "4,44", "4,20"],
    ["Einsatzgrenzen", "", "", "", "", ""],
    ["Außentemperatur Heizen", "°C", "−22 … 40", "−22 … 40", "−22 … 40", "−20 … 40"],
    ["Vorlauftemperatur höchstens", "°C", "72", "72", "72", "70"],
    ["Kältekreis", "", "", "", "", ""],
    ["Füllmenge R290", "kg", "1,20", "1,45", "1,85", "2,40"],
    ["Höchster Betriebsdruck", "bar", "31", "31", "31", "31"],
    ["Schall", "", "", "", "", ""],
    ["Schallleistungspegel Tag, höchstens", "dB(A)", "53", "55", "56", "59"],
    ["Schallleistungspegel Nachtbetrieb", "dB(A)", "46", "48", str(PUMP_NIGHT_DB), "53"],
    ["Elektrik und Wasser", "", "", "", "", ""],
    ["Leistungsaufnahme höchstens", "kW", "3,9", "4,8", "5,6", "7,7"],
    ["Absicherung", "A", "B20", "B16", "B16", "B20"],
    ["Nennvolumenstrom", "l/h", "1.360", "1.690", "2.030", "2.680"],
    ["Maße", "", "", "", "", ""],
    ["Breite", "mm", "1.050", "1.125", "1.125", "1.260"],
    ["Höhe", "mm", "1.080", "1.410", "1.410", "1.480"],
    ["Tiefe", "mm", "490", "548", "548", "580"],
]
TECHNICAL_NOTE = (
    "A7/W35 bedeutet: Luft 7 °C, Heizwasser 35 °C. Schallleistungspegel nach EN 12102. Im Nachtbetrieb sinkt die "
    "größte Heizleistung auf 65 % des Nennwerts. Breite, Höhe und Tiefe mit Füßen, ohne Anschlüsse."
)
OUTDOOR = [-20, -15, -10, -7, 2, 7, 12]
HEAT_OUTPUT = {
    "Vorlauf 35 °C": [8.3, 9.2, 9.9, 10.2, 11.1, 11.8, 12.6],
    "Vorlauf 55 °C": [7.6, 8.5, 9.2, 9.6, 10.5, 11.1, 11.8],
    "Vorlauf 70 °C": [6.4, 7.4, 8.1, 8.5, 9.6, 10.2, 10.8],
}
SOUND = [
    ["Abstand", "Tag", "Nacht"],
    ["1 m", "51 dB(A)", "44 dB(A)"],
    ["3 m", "42 dB(A)", "35 dB(A)"],
    ["5 m", "37 dB(A)", "30 dB(A)"],
    ["10 m", "31 dB(A)", "24 dB(A)"],
]
SOUND_NOTE = "Freie Aufstellung auf dem Boden, Wand im Rücken."
INSTALLATION = (
    "Abstand zur Rückwand mindestens 250 mm, vor dem Gebläse mindestens 1.500 mm, seitlich mindestens 600 mm. Im "
    "Umkreis von 1 m dürfen sich keine Türen, Lichtschächte oder Abläufe ohne Verschluss befinden, weil R290 "
    "schwerer ist als Luft. Das Kondensat wird frostfrei in eine Sickergrube von mindestens 900 mm Tiefe geführt."
)
