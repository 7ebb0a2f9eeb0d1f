"""Charts as pictures: what they show is on the page for the eye, and in no text layer.

Every function takes a size in millimetres and returns a PIL picture at CHART_DPI.
"""

import matplotlib

matplotlib.use("Agg")

import numpy as np
from house_style import CHART_DPI, INK, PALETTE, SEA, SLATE, register_fonts
from matplotlib import pyplot as plt
from PIL import Image


def axes(size_mm, font_size=7.5, *, family="DejaVu Sans"):
    """A figure and its only axes in the house style: light grid behind, no frame but the baseline."""
    register_fonts()
    plt.rcParams.update({"font.family": ["Sample Sans", family], "font.size": font_size, "axes.unicode_minus": True})
    figure, ax = plt.subplots(figsize=(size_mm[0] / 25.4, size_mm[1] / 25.4), dpi=CHART_DPI, layout="constrained")
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    ax.spines["bottom"].set_color(SLATE)
    ax.tick_params(length=0, colors=INK)
    ax.grid(axis="y", color="#DDE3E5", linewidth=0.6)
    ax.set_axisbelow(True)
    return figure, ax


def drawn(figure):
    """The figure as an RGB picture; the figure is closed."""
    figure.canvas.draw()
    picture = Image.fromarray(np.asarray(figure.canvas.buffer_rgba())).convert("RGB")
    plt.close(figure)
    return picture


def _legend(ax, columns):
    ax.legend(
        loc="lower left",
        bbox_to_anchor=(-0.01, 1.0),
        ncols=columns,
        frameon=False,
        handlelength=0.9,
        handleheight=0.9,
        columnspacing=1.4,
        borderpad=0.1,
    )


def bars(size_mm, labels, values, *, colours=None, form="{:,.0f}", unit="", font_size=7.5):
    """One bar for each label, its value above it."""
    figure, ax = axes(size_mm, font_size)
    drawn_bars = ax.bar(labels, values, width=0.62, color=colours or PALETTE[1])
    ax.bar_label(drawn_bars, [form.format(value) for value in values], padding=2, fontweight="bold")
    ax.set_ylim(0, max(values) * 1.14)
    ax.set_ylabel(unit)
    return drawn(figure)


def horizontal_bars(size_mm, shares, *, form="{:.0f} %", font_size=7.5):
    """One lying bar for each label, the first on top."""
    figure, ax = axes(size_mm, font_size)
    drawn_bars = ax.barh(list(shares), list(shares.values()), height=0.62, color=PALETTE[1])
    ax.bar_label(drawn_bars, [form.format(value) for value in shares.values()], padding=3, fontweight="bold")
    ax.invert_yaxis()
    ax.set_xlim(0, max(shares.values()) * 1.15)
    ax.grid(visible=False)
    ax.spines["bottom"].set_visible(False)
    ax.set_xticks([])
    return drawn(figure)


def stacked_bars(size_mm, labels, series, *, unit="", form="{:.0f}", font_size=7.5, totals=True):
    """Bars of one part for each series, each part labelled and the total above."""
    figure, ax = axes(size_mm, font_size)
    base = np.zeros(len(labels))
    for (name, values), shade in zip(series.items(), PALETTE, strict=False):
        part = ax.bar(labels, values, 0.62, bottom=base, label=name, color=shade)
        written = [form.format(value) if value else "" for value in values]
        ax.bar_label(part, written, label_type="center", color="white" if shade != SEA else INK)
        base += values
    if totals:
        for x, total in enumerate(base):
            ax.text(x, total + base.max() * 0.015, form.format(total), ha="center", va="bottom", fontweight="bold")
    ax.set_ylim(0, base.max() * 1.1)
    ax.set_ylabel(unit)
    _legend(ax, len(series))
    return drawn(figure)


def bars_with_line(size_mm, labels, values, line, *, names, units, font_size=7.5):
    """Bars on the left scale with a line on a right scale of its own, both labelled."""
    figure, ax = axes(size_mm, font_size)
    shown = ax.bar(labels, values, 0.56, color=SEA, label=names[0])
    ax.bar_label(shown, [f"{value:,.1f}" for value in values], label_type="center", color=INK)
    ax.set_ylim(0, max(values) * 1.45)
    ax.set_ylabel(units[0])
    right = ax.twinx()
    right.plot(labels, line, color=PALETTE[2], marker="o", linewidth=1.8, markersize=4.5, label=names[1])
    for x, value in enumerate(line):
        right.annotate(f"{value:.1f} %", (x, value), (0, 6), textcoords="offset points", ha="center", color=PALETTE[2])
    right.set_ylim(0, max(line) * 1.12)
    right.set_ylabel(units[1])
    right.tick_params(length=0)
    for side in right.spines.values():
        side.set_visible(False)
    figure.legend(loc="outside upper left", ncols=2, frameon=False)
    return drawn(figure)


def lines(size_mm, x, series, *, x_label="", unit="", font_size=7.5, label_offsets=(6, 6, 6)):
    """One line for each series over x, each point labelled at its offset in points."""
    figure, ax = axes(size_mm, font_size)
    for (name, values), shade, offset, marker in zip(series.items(), PALETTE, label_offsets, "osD", strict=False):
        ax.plot(x, values, color=shade, marker=marker, markersize=4, linewidth=1.7, label=name)
        for place, value in zip(x, values, strict=True):
            ax.annotate(f"{value:g}", (place, value), (0, offset), textcoords="offset points", ha="center", color=shade)
    ax.set_ylim(0, max(max(values) for values in series.values()) * 1.16)
    ax.set_xlabel(x_label)
    ax.set_ylabel(unit)
    _legend(ax, len(series))
    return drawn(figure)


def donut(size_mm, shares, middle, *, font_size=7.5):
    """Shares in per cent as a ring, clockwise from the top, with a line of text in the hole."""
    figure, ax = axes(size_mm, font_size)
    wedges, labels = ax.pie(
        list(shares.values()),
        labels=list(shares),
        colors=PALETTE,
        startangle=90,
        counterclock=False,
        labeldistance=1.13,
        wedgeprops={"width": 0.4, "edgecolor": "white"},
    )
    for wedge, share in zip(wedges, shares.values(), strict=True):
        angle = np.deg2rad((wedge.theta1 + wedge.theta2) / 2)
        place = 0.8 * np.cos(angle), 0.8 * np.sin(angle)
        ax.text(*place, f"{share} %", ha="center", va="center", color="white", fontweight="bold")
    ax.text(0, 0, middle, ha="center", va="center", fontweight="bold", fontsize=font_size * 1.2)
    del labels
    return drawn(figure)


def waterfall(size_mm, steps, *, unit="", font_size=7.5):
    """Floating bars from a start to an end: steps are (label, amount), the first and last being levels."""
    figure, ax = axes(size_mm, font_size)
    level = 0.0
    for x, (label, amount) in enumerate(steps):
        standing = x in (0, len(steps) - 1)
        base = 0.0 if standing else level
        shade = PALETTE[0] if standing else PALETTE[1] if amount > 0 else PALETTE[2]
        ax.bar(label, amount, 0.6, bottom=base, color=shade)
        top = max(base, base + amount)
        ax.text(x, top + 4, f"{amount:+.1f}" if not standing else f"{amount:.1f}", ha="center", fontweight="bold")
        level = base + amount
    ax.set_ylim(0, 270)
    ax.set_ylabel(unit)
    return drawn(figure)
