"""Whether the weights that were loaded are those of the model: what is missing would be random, without an error.

Libraries on top of transformers (colpali-engine, sentence-transformers, peft) keep to themselves which weights they
found no place for, or only log it. transformers itself knows it for every checkpoint and adapter that it reads.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pagesight.indexing.encoders.checkpoint import Checkpoint
from pagesight.indexing.encoders.load_errors import other_weights
from pagesight.indexing.encoders.roles import ENCODER, Role
from pagesight.indexing.errors import PagesightError

# Heads that make words of hidden states, which no encoder looks at, and positions that old checkpoints held.
_UNUSED = re.compile(r"(^|\.)(lm_head\.|.*position_ids$)")
# The pooled view of a picture, which models with a vector for each patch do not use; some checkpoints leave it out.
POOLED_VIEW = re.compile(r"(^|\.)vision_(model|tower)\.(vision_model\.)?head\.")
_lock = threading.Lock()


@dataclass
class LoadingReports:
    """What transformers says of each set of weights that it read, in this order: the model's, then an adapter's."""

    found: list[Any] = field(default_factory=list)

    def check(self, checkpoint: Checkpoint, model: Any = None, unused: re.Pattern[str] | None = None) -> None:
        """Raises EncoderError, with their names, where weights are missing, left over or of another size.

        ``model`` is the whole model, with its adapter, if it was loaded: what the adapter replaces needs no weights
        below it. ``unused`` are names of weights that nobody looks at.
        """
        for place, report in enumerate(self.found):
            missing = set(report.missing_keys) - (replaced(model) if place == 0 else set())
            check_weights(
                self._name(checkpoint, place),
                _looked_at(missing, unused),
                _looked_at(report.unexpected_keys, unused),
                _sizes(report),
                checkpoint.role,
            )

    def check_sizes(self, checkpoint: Checkpoint) -> None:
        """Raises EncoderError for weights of another size alone, where loading has ended in the middle."""
        for place, report in enumerate(self.found):
            check_weights(self._name(checkpoint, place), (), (), _sizes(report), checkpoint.role)

    def _name(self, checkpoint: Checkpoint, place: int) -> str:
        """Whose weights the report at this place is on: a base's come first."""
        below = checkpoint.base() if place == 0 else None
        return (below or checkpoint).name


@contextmanager
def loading(checkpoint: Checkpoint, base: Checkpoint | None = None) -> Iterator[LoadingReports]:
    """Reports on all weights that are read inside the block; what goes wrong there becomes one error for people.

    Libraries raise whatever they meet in broken files. Raises EncoderError, SettingsError.
    """
    with _loading_reports() as reports:
        try:
            yield reports
        except PagesightError:
            raise
        except Exception as error:
            reports.check_sizes(checkpoint)
            raise (base if base and not reports.found else checkpoint).not_loaded(error) from error


@contextmanager
def _loading_reports() -> Iterator[LoadingReports]:
    """Reports on all weights that transformers reads inside the block, whichever library asks it to.

    It hands its report to the caller of a method of its own, and only there: that method is watched. One thread at a
    time.
    """
    from transformers import PreTrainedModel

    reports = LoadingReports()
    watched: Any = PreTrainedModel
    load = watched.__dict__["_load_pretrained_model"]

    def noted(*arguments: Any, **options: Any) -> Any:
        result = load.__func__(*arguments, **options)
        reports.found.append(result[0])
        return result

    with _lock:
        watched._load_pretrained_model = staticmethod(noted)
        try:
            yield reports
        finally:
            watched._load_pretrained_model = load


def check_weights(
    name: str,
    missing: Collection[str],
    unexpected: Collection[str],
    other_sizes: Collection[str] = (),
    role: Role = ENCODER,
) -> None:
    """Raises EncoderError where a checkpoint's weights are not those of its model: the rest would be random."""
    missing, unexpected = ([key for key in keys if not _UNUSED.search(key)] for keys in (missing, unexpected))
    if missing or unexpected or other_sizes:
        raise other_weights(name, missing, unexpected, other_sizes, role)


def replaced(model: Any) -> set[str]:
    """The weights of a model in whose place an adapter has put its own (peft's ``modules_to_save``)."""
    names = [name for name, _ in model.named_parameters()] if model is not None else []
    return {name.replace(".original_module.", ".") for name in names if ".original_module." in name}


def _looked_at(names: Collection[str], unused: re.Pattern[str] | None) -> list[str]:
    return [name for name in names if not (unused and unused.search(name))]


def _sizes(report: Any) -> list[str]:
    """Each weight of another size, with the size that it has and the one that the model wants."""
    return [f"{name} is {_size(has)} instead of {_size(wants)}" for name, has, wants in report.mismatched_keys]


def _size(shape: Any) -> str:
    return "×".join(map(str, shape))
