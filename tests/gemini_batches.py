"""Gemini's batch API for whole answers, as ai.google.dev/gemini-api/docs/batch-api has it: jobs with requests inline.

Each request must be one that the model would take by itself; its reply is the next one of the script.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from gemini_wire import Json

_LONGEST = 20_000_000  # bytes of a job's requests inline


class RefusedBatch(Exception):
    """What the service does not take, with its status."""

    def __init__(self, status: int, message: str):
        super().__init__(message)
        self.status = status


@dataclass
class Batches:
    """The jobs so far. Each goes on for ``looks`` looks, and ``ends`` otherwise than well where that is set.

    ``loses`` answers to jobs that were taken never arrive.
    """

    looks: int = 0
    ends: str = ""
    loses: int = 0
    jobs: dict[str, Json] = field(default_factory=dict)

    def begin(self, model: str, body: Json, answered: Callable[[Json], Json]) -> Json:
        """A new job, which is done already: ``answered`` gives what becomes of each request."""
        if set(body) != {"batch"} or set(body["batch"]) != {"displayName", "inputConfig"}:
            raise RefusedBatch(400, f"Invalid JSON payload received: {sorted(body)}")
        asked = body["batch"]["inputConfig"]["requests"]["requests"]
        if not asked or len(json.dumps(asked)) > _LONGEST:
            raise RefusedBatch(400, "inline requests may have 20 MB")
        if any(set(one) - {"request", "metadata"} for one in asked):
            raise RefusedBatch(400, "Unknown name in an inlined request")
        name = f"batches/{len(self.jobs) + 1:08d}"
        state = {"state": "BATCH_STATE_PENDING", "displayName": body["batch"]["displayName"], "model": model}
        made = [] if self.ends else [answered(one["request"]) for one in asked]
        self.jobs[name] = {"looks": self.looks, "ends": self.ends, "state": state, "made": made, "asked": asked}
        return {"name": name, "metadata": state}

    def told(self, path: str) -> Json:
        """A job, or all of them."""
        name = urlsplit(path).path.removeprefix("/v1beta/")
        if name == "batches":
            return {"operations": [{"name": one, "metadata": job["state"]} for one, job in self.jobs.items()]}
        if name not in self.jobs:
            raise RefusedBatch(404, f"{name} is not found")
        job = self.jobs[name]
        job["looks"] -= 1
        if job["looks"] >= 0:
            return {"name": name, "metadata": job["state"] | {"state": "BATCH_STATE_RUNNING"}}
        if job["ends"]:
            return {"name": name, "done": True, "metadata": job["state"] | {"state": f"BATCH_STATE_{job['ends']}"}}
        output = {"inlinedResponses": {"inlinedResponses": job["made"]}}
        ended = {"state": "BATCH_STATE_SUCCEEDED", "output": output}
        return {"name": name, "done": True, "metadata": job["state"] | ended}
