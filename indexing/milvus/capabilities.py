"""What a Milvus can do, by its version: the one place where the code asks which Milvus it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class MilvusCapabilities:
    """``max_sim`` searches arrays of vectors by MaxSim; ``graph`` is the HNSW that is built."""

    max_sim: bool
    graph: Literal["HNSW", "HNSW_SQ"]
    lite: bool = False


#: Over 8-bit copies Milvus Lite's graph takes half the time and disk and found as many of the best vectors.
LITE = MilvusCapabilities(max_sim=False, graph="HNSW_SQ", lite=True)


def capabilities(version: str) -> MilvusCapabilities:
    """What a server can do that gives its version as ``v2.3.5-lite``, ``2.6.4`` or ``milvus_lite-3.2.2``.

    Arrays of structs with vectors came with 2.6.4 (Milvus' release notes). A version that cannot be read counts as new.
    """
    if version.startswith("milvus_lite"):
        return LITE
    found = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", version)
    number = tuple(int(part or 0) for part in found.groups()) if found else (99, 0, 0)
    return MilvusCapabilities(max_sim=number >= (2, 6, 4), graph="HNSW")
