"""Measures of a ranking by ir-measures, how sure their means are, and whether two runs differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pagesight.indexing.configuration.installation import install_command
from pagesight.indexing.errors import MissingExtra

#: As ir-measures writes them: R is recall, RR the reciprocal rank, whose mean is MRR.
MEASURES = ("nDCG@5", "nDCG@10", "R@1", "R@5", "R@10", "R@100", "RR")
# Usual numbers for 95 % intervals and for p down to .0001; more change the third digit.
_RESAMPLES = 2_000
_PERMUTATIONS = 9_999
_SEED = 20_240_607


@dataclass(frozen=True)
class MeanInBounds:
    """A mean over questions with the bounds of its 95 % interval."""

    mean: float
    low: float
    high: float

    def as_dict(self) -> dict[str, float]:
        """The estimate in a report."""
        return {"mean": round(self.mean, 4), "low": round(self.low, 4), "high": round(self.high, 4)}


@dataclass(frozen=True)
class Difference:
    """How much one run's mean is above another's on the same questions, its 95 % interval, and the test's p."""

    mean: float
    low: float
    high: float
    p: float

    def as_dict(self) -> dict[str, float]:
        """The difference in a report."""
        rounded = {"difference": self.mean, "low": self.low, "high": self.high, "p": self.p}
        return {name: round(value, 4) for name, value in rounded.items()}


def measure(
    relevant: Mapping[str, Mapping[str, int]], rankings: Mapping[str, Sequence[str]]
) -> dict[str, NDArray[np.float64]]:
    """Each measure's values, one a question, in the order of ``relevant``: question → page → grade of 1 or more.

    ``rankings`` are the pages found, best first; a question without any has 0.
    """
    measures = _measures()
    # Scores that fall by one keep trec_eval from breaking ties in its own way.
    run = {known: {page: float(-rank) for rank, page in enumerate(pages)} for known, pages in rankings.items()}
    graded = {known: dict(pages) for known, pages in relevant.items()}
    values: dict[str, dict[str, float]] = {str(one): {} for one in measures}
    for found in _ir_measures().iter_calc(measures, graded, run):
        values[str(found.measure)][found.query_id] = found.value
    return {name: np.array([of.get(known, 0.0) for known in relevant]) for name, of in values.items()}


def estimate(values: NDArray[np.float64]) -> MeanInBounds:
    """The mean with its percentile bootstrap interval over questions (Efron, 1979); the same each time."""
    low, high = _interval(values)
    return MeanInBounds(float(values.mean()), low, high)


def compare(values: NDArray[np.float64], against: NDArray[np.float64]) -> Difference:
    """The difference of two runs on the same questions, by Fisher's randomisation test (Smucker et al., 2007)."""
    stats = _stats()
    differences = values - against
    low, high = _interval(differences)
    if not differences.any():
        return Difference(0.0, 0.0, 0.0, 1.0)
    found = stats.permutation_test(
        (values, against),
        lambda one, other, axis: np.mean(one - other, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=_PERMUTATIONS,
        batch=500,
        rng=np.random.default_rng(_SEED),
    )
    return Difference(float(differences.mean()), low, high, float(found.pvalue))


def _interval(values: NDArray[np.float64]) -> tuple[float, float]:
    if len(values) < 2:
        return float(values.mean()), float(values.mean())
    found = _stats().bootstrap(
        (values,), np.mean, n_resamples=_RESAMPLES, method="percentile", rng=np.random.default_rng(_SEED), batch=500
    )
    return float(found.confidence_interval.low), float(found.confidence_interval.high)


def _measures() -> list[Any]:
    return [_ir_measures().parse_measure(name) for name in MEASURES]


def _ir_measures() -> Any:
    try:
        import ir_measures
    except ImportError as error:
        raise _missing("ir-measures") from error
    return ir_measures


def _stats() -> Any:
    try:
        from scipy import stats
    except ImportError as error:
        raise _missing("scipy") from error
    return stats


def _missing(package: str) -> MissingExtra:
    return MissingExtra(f"measuring needs the package {package}: run `{install_command('eval')}`")
