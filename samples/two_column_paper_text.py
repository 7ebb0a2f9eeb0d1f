"""The words, tables and measured series of the paper; all people, institutes and results are invented."""

TITLE = "Listening for Frost: Starting Defrost Cycles of Air-Source Heat Pumps from the Sound of the Fan"
AUTHORS = "Ilse Varnhorst, Teodor Makkinen and Prisca Ombredal"
PLACE = "Institute for Building Energy, Brenhaven University of Technology"

ABSTRACT = (
    "Air-source heat pumps lose up to a tenth of their heat to defrosting, and much of it to cycles that come too "
    "early or too late. We show that the tone of the fan alone, taken by one microphone of 0.90 euros inside the "
    "casing, tells when the fins are closed by frost. A detector with two parameters was run for one winter in 36 "
    "heat pumps of one type at three sites. Against the maker's timer it started 38 per cent fewer cycles, missed "
    "1.7 per cent of the needed ones, and raised the seasonal performance factor from 3.62 to 3.81. It needs no "
    "sensor in the cold and keeps working when the microphone is half covered by dust."
)

SECTIONS = [
    (
        "1 Introduction",
        "When humid air near freezing passes a cold heat exchanger, frost grows between its fins. It insulates, it "
        "narrows the channels, and in the end it stops the air. Every air-source heat pump therefore turns its cycle "
        "round from time to time and melts the frost with heat that it has just won. A defrost cycle takes three to "
        "six minutes, in which the house gets no heat.",
        "The question is when to start. Timers defrost every forty to ninety minutes while it is cold, needed or "
        "not. Pressure switches and temperature differences follow the frost, but their sensors sit where it is wet "
        "and cold, and drift [1, 2]. Optical sensors see the frost itself but grow dirty within a season [3].",
        "We take another way. A fan that works against a closing heat exchanger turns under a higher load; its tone "
        "sinks and becomes rough. A person who lives beside such a machine knows the sound. We ask whether one cheap "
        "microphone inside the dry part of the casing is enough to start a defrost cycle at the right time, over a "
        "whole winter and in machines that were not used to set the parameters.",
        "Our contributions are a detector with two parameters that runs on the microcontroller a heat pump already "
        "has; a field trial with 36 machines at three sites over 151 days; and an analysis of when it fails.",
    ),
    (
        "2 Related work",
        "Varying the interval of a timer with outdoor temperature and humidity saves a third of all cycles in a mild "
        "climate and almost none in a dry one [4]. Models of frost growth give good intervals in the laboratory [5] "
        "but need the humidity at the heat exchanger, which nobody measures in a house.",
        "Sound has been used to find worn bearings and loose blades [6]. Holmqvarn and Desrue [7] heard frost in a "
        "cold store, with four microphones and a neural network of two million weights. We need one microphone and "
        "no network, because a heat pump tells us the speed that its fan was asked to keep.",
    ),
    (
        "3 Method",
        "The microphone gives 8,000 samples a second. For each band b we compute the level of a window of N = 4,096 "
        "samples,",
        "@band",
        "with the reference x<sub rise='2.5' size='7.5'>0</sub> at the hearing threshold. The tone f(t) of the fan "
        "is the strongest band below 1 kHz, found within 15 per cent of the tone expected from the speed that the "
        "controller asks for. From its relative shift and its spread over the last minute we form the frost score",
        "@shift",
        "where f<sub rise='2.5' size='7.5'>0</sub> is the tone in the third minute after the last defrost cycle, "
        "when the fins are clean and dry. A cycle starts when s stays above a threshold θ for two minutes. Both "
        "parameters, λ = 0.6 and θ = 0.11, were set on two machines in the laboratory and never changed in the "
        "field.",
        "@spectrogram",
        "Figure 1 shows the principle. After a defrost cycle the hum stands at 0.62 kHz; within 40 minutes it sinks by "
        "more than a tenth and broadens, until the next cycle sets it back.",
        "The microphone is of the kind found in telephones. It sits behind the control board, 30 cm from the fan and "
        "apart from the stream of air, so that rain, snow and the water of the defrost cycle never reach it. The "
        "controller already holds a processor with 64 kB of memory; the detector takes 9 kB of it and 4 per cent of "
        "the computing time. Table 1 lists the cost of the parts.",
        "@parts",
        "Two safeguards surround the detector. If no clean reference was heard for 90 minutes, because the speed of "
        "the fan kept changing, the timer takes over until the next cycle. And no cycle starts within 20 minutes of "
        "the last, so that a sudden noise, a lawn mower or a street sweeper, can cost one cycle at most.",
        "A cycle is worth its price when it costs less than the frost it removes. We therefore judge every method by",
        "@cost",
        "that is, the energy of the cycles together with the electricity lost to frost before they start, divided by "
        "the heat delivered. The second term is found from the fall of the heat output against a machine of the "
        "same type that had just been defrosted.",
    ),
    (
        "4 Field trial",
        "We fitted 36 heat pumps of the type Tarn 12 by Halvenor with the microphone and ran them from 1 November "
        "2024 to 31 March 2025. The machines stand at three sites, a valley with fog, a coast and a dry plateau "
        "(Table 2). All are of the same make, with a rated heat output of 11.8 kW at A7/W35, and heat houses built "
        "between 1958 and 2006.",
        "@sites",
        "Each machine changed every week between three methods: the maker's timer, the temperature difference "
        "between the air and the heat exchanger, and our detector. The order was drawn by lot. A camera in front of "
        "six heat exchangers, two at each site, gave the truth: a cycle counts as needed when more than 60 per cent "
        "of the face is white, and as missed when it has not started 15 minutes later.",
        "The machines reported 29,412 cycles in all. We left out 611 of them, or 2.1 per cent, because the heat pump "
        "was switched off within ten minutes after the cycle.",
    ),
    (
        "5 Results",
        "Table 3 gives the means over all machines and weeks. The detector started 38 per cent fewer cycles than the "
        "timer and missed 1.7 per cent of the needed ones. The temperature difference also saved cycles, but missed "
        "four times as many as the detector.",
        "@results",
        "The gain depends on the weather. Figure 2 shows the energy spent on defrosting over the outdoor "
        "temperature. At minus ten degrees the air holds so little water that a timer wastes most of its cycles; "
        "near two degrees frost grows fast, and all methods come closer to each other.",
        "@overhead",
        "Averaged over the winter, the seasonal performance factor rose from 3.62 with the timer to 3.81. For a "
        "house that needs 18,000 kWh of heat this saves 248 kWh of electricity a year.",
        "Figure 3 shows the saving for the eight houses that had all three methods for at least six weeks each. "
        "House F, where a wall stands 70 cm in front of the fan, gains least, because the echo hides part of the "
        "shift.",
        "@house",
        "Comfort changed little. The longest time without heat was 11 minutes with the timer and 9 with the "
        "detector. In a questionnaire 21 of 36 households said that they had noticed no difference, 13 found the "
        "machine quieter, and two found it louder.",
    ),
    (
        "6 Choice of the threshold",
        "The threshold trades cycles for missed ones. We replayed the recordings of the six watched machines with "
        "thresholds from 0.07 to 0.17 (Figure 4). At the low end the detector saves only half as many cycles; above "
        "0.14 it misses more than five per cent. Near the value that we chose the result hardly depends on the "
        "choice, which is why one value served all sites.",
        "@threshold",
        "The weight λ of the spread matters less. With λ = 0, that is, with the shift of the tone alone, missed "
        "cycles rise from 1.7 to 2.9 per cent; with λ above 1.2 wind begins to start cycles that nobody needs.",
    ),
    (
        "7 When it fails",
        "We listened to all 83 missed cycles. In 46 of them wind above 14 metres a second drove the fan and lifted "
        "its tone. In 21 the night mode had just changed the speed, so that no clean reference was at hand. In nine, "
        "wet snow closed the upper half of the heat exchanger only. Seven remain unexplained.",
        "Dust was no trouble. We covered half of the opening of four microphones with felt in January; the number of "
        "missed cycles did not change. A loose fan bracket, found in two machines, raised the level by 5 dB but "
        "left the tone where it was, and so did not disturb the detector. It can in turn be found from the level, "
        "which may be of use for maintenance.",
    ),
    (
        "8 Limits",
        "All machines are of one type, and the fan of that type has a clear tone. Fans with unequal blade spacing "
        "spread their sound on purpose and would need the whole spectrum. The winter was mild: only nine nights fell "
        "below minus ten degrees. And the cameras watched six machines only, so that the numbers of missed cycles "
        "rest on 4,880 watched ones.",
    ),
    (
        "9 Conclusion",
        "The sound of its own fan tells a heat pump when to defrost. One microphone and two parameters did better "
        "over a winter than a timer and than a pair of temperature sensors, and the parts cost less than one and a "
        "half euros. We will next try the detector on ground-mounted units with two fans.",
        "<i>Acknowledgements.</i> We thank the 36 households, and Halvenor SE for the machines and for leaving the "
        "results to us.",
    ),
]

SPECTROGRAM = (
    "<b>Figure 1.</b> Sound inside the casing over two hours at 1 °C. Dark gaps are defrost cycles; in between the "
    "tone of the fan sinks as frost grows."
)
OVERHEAD = "<b>Figure 2.</b> Energy for defrosting as a share of the heat delivered, by outdoor temperature, all sites."
OVERHEAD_PERCENT = {
    "Timer": [7.9, 8.3, 8.8, 9.6, 9.9, 6.4],
    "Temperature": [5.6, 6.2, 7.4, 8.8, 9.3, 5.1],
    "Sound (ours)": [3.1, 4.0, 5.5, 7.2, 8.2, 3.6],
}
BY_HOUSE = "<b>Figure 3.</b> Electricity saved by the detector against the timer in eight houses, per cent."
SAVING_BY_HOUSE = (list("ABCDEFGH"), [5.8, 4.9, 6.3, 5.2, 4.4, 1.9, 5.5, 6.7])

PARTS_CAPTION = "<b>Table 1.</b> Parts of the detector, price for ten thousand pieces."
PARTS = [
    ["Part", "Pieces", "EUR"],
    ["Microphone", "1", "0.90"],
    ["Amplifier and filter", "1", "0.22"],
    ["Cable with plug, 40 cm", "1", "0.31"],
    ["Sum", "3", "1.43"],
]
THRESHOLD_CAPTION = (
    "<b>Figure 4.</b> Missed cycles, and cycles saved against the timer, by threshold; replay of six machines."
)
THRESHOLD = (
    [0.07, 0.09, 0.11, 0.13, 0.15, 0.17],
    {"Cycles saved": [17, 33, 38, 42, 47, 51], "Missed": [0.6, 1.2, 1.7, 4.1, 7.8, 13.2]},
)

SITES_CAPTION = "<b>Table 2.</b> Sites of the trial. Temperature and humidity are means from November to March."
SITES = [
    ["Site", "Machines", "Mean °C", "Rel. hum. %"],
    ["Eldmoor (valley)", "14", "1.8", "91"],
    ["Sundvika (coast)", "12", "3.4", "84"],
    ["Hochried (plateau)", "10", "−2.6", "68"],
]
RESULTS_CAPTION = "<b>Table 3.</b> Results of the winter. J as in Equation 3; SPF is the seasonal performance factor."
RESULTS = [
    ["Method", "Cycles/day", "Missed %", "J %", "SPF"],
    ["Timer", "11.4", "0.4", "9.1", "3.62"],
    ["Temperature", "8.3", "6.9", "7.8", "3.70"],
    ["Sound (ours)", "7.1", "1.7", "5.9", "3.81"],
]
REFERENCES = [
    "A. Brynholt and S. Quist. Drift of evaporator sensors in the field. <i>Annals of Heat Pumping</i> 12, 41–55, "
    "2017.",
    "M. Oderwald. Pressure switches and wet snow. <i>Cold Side Letters</i> 4, 9–14, 2015.",
    "R. Tanaquil and J. Pree. Seeing frost: optical probes after one season. <i>Proc. Winter Systems</i>, 201–210, "
    "2019.",
    "L. Fennimar. Defrost on demand in three climates. <i>Annals of Heat Pumping</i> 15, 112–130, 2020.",
    "K. Austrell and D. Moorhagen. A two-layer model of frost between fins. <i>J. Applied Frost</i> 8, 1–22, 2018.",
    "P. Zolnay. Hearing bearings. <i>Machines and Sound</i> 31, 77–90, 2016.",
    "E. Holmqvarn and B. Desrue. Acoustic frost detection in cold stores. <i>Proc. Winter Systems</i>, 88–97, 2022.",
]
