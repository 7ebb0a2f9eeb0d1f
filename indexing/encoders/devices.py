"""Which device a model runs on, and in which precision."""

from __future__ import annotations

from typing import Any


def device_of(wanted: str) -> str:
    """The device for a setting: "auto" is a GPU if there is one."""
    import torch

    if wanted != "auto":
        return wanted
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def memory_of(device: str) -> float:
    """Gigabytes of memory that a GPU has in all."""
    import torch

    if device == "cuda":
        return torch.cuda.get_device_properties(0).total_memory / 1e9
    return torch.mps.recommended_max_memory() / 1e9


def dtype_of(wanted: str, device: str) -> Any:
    """The torch dtype for a setting: "auto" is bfloat16 on GPUs, which have units for it, and float32 on CPUs."""
    import torch

    name = wanted if wanted != "auto" else "float32" if device == "cpu" else "bfloat16"
    return getattr(torch, name)
