"""What is known of a page encoder by its name, and whether it can run here."""

from __future__ import annotations

import importlib.util
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

Route = Literal["built in", "colpali-engine", "sentence-transformers", "native", "external", "served"]

_PACKAGES: dict[Route, tuple[str, ...]] = {
    "built in": (),
    "colpali-engine": ("torch", "transformers", "colpali_engine"),
    "sentence-transformers": ("torch", "transformers", "sentence_transformers"),
    "native": ("torch", "transformers", "peft"),
    "external": (),
    "served": (),
}


@dataclass(frozen=True)
class KnownModel:
    """A model that pagesight knows.

    ``family`` is the class that loads it, or the script in workers/ that does; ``dim`` the dimensions of its vectors
    and ``vectors`` how many a page of A4 has, both as published; the prompts are what stands around a question and
    beside a page, ``query_prefix`` what is put before a question beyond what its class does. ``visual_tokens`` are the
    image tokens of a page at most with which its figures were published, where that is not the repository's own
    default. ``base`` is the repository that an adapter is put on. ``remote_code`` says that its repository brings code
    of its own. ``parameters`` are billions; ``quality`` its published nDCG@10 on ViDoRe V3, ``nano`` that on
    NanoViDoRe v3; ``commercial`` says that its licence and its base's allow commercial use.
    """

    name: str
    route: Route
    family: str
    dim: int
    vectors: str
    licence: str
    query_prompt: str = ""
    page_prompt: str = ""
    revision: str | None = None
    remote_code: bool = False
    query_prefix: str = ""
    visual_tokens: int | None = None
    base: str | None = None
    parameters: float | None = None
    quality: float | None = None
    nano: float | None = None
    commercial: bool | None = None

    def as_dict(self) -> dict[str, Any]:
        """The model as it stands in ``encoders --json``; whether it is installed in an environment of its own, or runs
        on a server, nobody looks.
        """
        installed = None if self.route in ("external", "served") else runnable(self.route)
        return asdict(self) | {"installed": installed, "weights": weights_here(self)}

    @property
    def repository(self) -> str:
        """The repository of its weights: its name without what may follow a colon, its variant."""
        return self.name.partition(":")[0]

    @property
    def variant(self) -> str | None:
        """Which of the repository's vectors it makes, where there are several kinds."""
        return self.name.partition(":")[2] or None

    @property
    def here(self) -> str:
        """What of it is on this machine, in words."""
        elsewhere = {"external": "in an environment of its own", "served": "on a server"}
        where = elsewhere.get(self.route) or ("installed" if runnable(self.route) else "not installed")
        return where + (", weights here" if weights_here(self) else "")


def runnable(route: Route) -> bool:
    """Whether the packages of a route are installed; looks for them without importing them."""
    return all(importlib.util.find_spec(package) for package in _PACKAGES[route])


def weights_here(model: KnownModel) -> bool:
    """Whether the model's repository is in the hub's local cache; true where none is needed."""
    if model.route == "built in":
        return True
    if importlib.util.find_spec("huggingface_hub") is None:
        return False
    from huggingface_hub import constants

    snapshots = Path(constants.HF_HUB_CACHE) / f"models--{model.repository.replace('/', '--')}" / "snapshots"
    return snapshots.is_dir() and any(os.scandir(snapshots))
