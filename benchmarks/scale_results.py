"""What scale.py measured, as tables and as a picture: opening, searching and memory against the number of pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_DRAWN = (
    ("open_cpu_s", "opening to the first hit, processor s"),
    ("search_cpu_ms", "a warm search, processor ms"),
    ("reader_memory_mb", "a reader's memory, MB"),
)
_COLOURS = {"lexical": "#2f6690", "vectors": "#c05746", "server": "#3a7d44"}

_COLUMNS = {
    "open_s": ("opening to the first hit, s", 2),
    "open_cpu_s": ("its processor time, s", 2),
    "again_open_s": ("the next process on the machine, s", 2),
    "again_open_cpu_s": ("its processor time, s", 2),
    "search_ms": ("warm search, ms", 0),
    "search_cpu_ms": ("its processor time, ms", 0),
    "top_1": ("best page", 2),
    "top_5": ("best five", 2),
    "reader_memory_mb": ("a reader's memory, MB", 0),
    "write_pages_per_s": ("written, pages/s", 0),
    "write_cpu_ms_a_page": ("processor time a page, ms", 1),
    "write_memory_mb": ("the writer's memory, MB", 0),
    "remove_s": ("removing 200 pages, s", 1),
    "remove_cpu_s": ("its processor time with loading Milvus, s", 1),
    "kb_a_page": ("KB a page", 0),
}


def table(kind: str, rows: dict[str, Any]) -> str:
    """A column for each number of pages."""
    sizes = sorted(rows, key=int)
    lines = [f"| {kind} pages | {' | '.join(f'{int(size):,}' for size in sizes)} |", "| --- " * (len(sizes) + 1) + "|"]
    for name, (title, digits) in _COLUMNS.items():
        cells = [f"{rows[size][name]:,.{digits}f}" if name in rows[size] else "" for size in sizes]
        if any(cells):
            lines.append(f"| {title} | {' | '.join(cells)} |")
    return "\n".join(lines)


def plot(results: dict[str, Any], path: Path) -> None:
    """Draw an SVG, each measure in a graph of its own, the number of pages along the bottom."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "pagesight"  # the same picture for the same figures
    figure = Figure(figsize=(9, 2.8), layout="constrained")
    for axes, (name, title) in zip(figure.subplots(1, len(_DRAWN)), _DRAWN, strict=True):
        for kind, rows in results.items():
            sizes = sorted(map(int, rows))
            axes.plot(sizes, [rows[str(size)][name] for size in sizes], "o-", color=_COLOURS[kind], label=kind)
        axes.set_xscale("log")
        every = sorted({int(size) for rows in results.values() for size in rows})
        axes.set_xticks(every, [f"{size:,}" for size in every], fontsize=8)
        axes.minorticks_off()
        axes.set_ylim(0)
        axes.set_title(title, loc="left", fontsize=9)
        axes.set_xlabel("pages", fontsize=8)
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].legend(frameon=False, fontsize=8)
    figure.savefig(path, metadata={"Date": None})
