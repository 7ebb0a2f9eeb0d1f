"""Making shards on a Ray cluster: an actor for each GPU, or for each machine, takes some documents at a time.

What is done is what lies in the folder of shards, which all machines must see: documents whose shards are there are
not read again, whether their actor, its machine or the whole job has ended before. Ray gives the documents of an actor
that has ended to another one.
"""

from __future__ import annotations

import logging
import pickle
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pagesight.indexing.calls.object_store import is_stored
from pagesight.indexing.configuration.installation import install_command
from pagesight.indexing.documents.metadata import Metadata, checked
from pagesight.indexing.documents.sources import Failure, find_documents
from pagesight.indexing.encoders import LexicalEncoder, choose, estimate_costs
from pagesight.indexing.errors import (
    MissingExtra,
    PageIndexError,
    PagesightError,
    SettingsError,
    UnreadableDocument,
)
from pagesight.indexing.opening.named_encoder import Asked, asked_names
from pagesight.indexing.preparing.add_report import AddReport, Progress
from pagesight.indexing.settings import Settings, load_settings
from pagesight.indexing.shards.prepare_shards import Part, Preparing
from pagesight.indexing.shards.shard_header import SUFFIX, id_in_name
from pagesight.indexing.writing.given_files import several, stored_documents

if TYPE_CHECKING:
    from ray.data import Dataset

# Documents that an actor is given at a time: few are done again when it ends, several are read while one is encoded.
# A guess, not measured.
_AT_ONCE = 4


def prepare_on_ray(
    paths: Iterable[Path | str] | Path | str,
    out: Path | str,
    address: str,
    *,
    encoder: Asked = None,
    metadata: Metadata | None = None,
    with_bytes: bool = True,
    actors: int | None = None,
    settings: Settings | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> AddReport:
    """What `prepare` does, on the Ray cluster at an ``address`` such as "auto" or "ray://HOST:10001".

    Folders among the ``paths`` and the folder ``out`` must be the same on all machines; ``s3://`` and ``gs://``
    addresses are fetched by who reads them. ``actors`` work at the same time: by default one for each GPU if an
    encoder has weights, or else one for each machine. The settings, keys among them, go to all. Raises MissingExtra;
    SettingsError for an encoder that is not named or is paid by the page; PageIndexError where Ray gives up.
    """
    ray, settings = _imported(), settings or load_settings()
    names = asked_names(encoder) or [settings.encoding.encoder]
    _refuse_unshared(names, settings)
    started, report, destination = time.monotonic(), AddReport(), Path(out).expanduser().resolve()
    places = _places(several(paths), settings, report)
    made_with: dict[str, Any] = {
        "out": destination, "encoder": names, "settings": settings, "metadata": checked(metadata or {}),
        "with_bytes": with_bytes,
    }  # fmt: skip
    destination.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        with ray.init(address=address, ignore_reinit_error=True, log_to_driver=False, logging_level=logging.ERROR):
            ray.data.DataContext.get_current().enable_progress_bars = False
            prepared = _dataset(ray, places, made_with, _workers(ray, names, actors))
            for one in _reports(prepared) if places else ():
                _take(report, one)
                if progress:
                    progress(Progress(report.pages, report.pages, report.added[-1].document if report.added else ""))
    except PagesightError:
        raise
    except (ray.exceptions.RayError, ConnectionError, RuntimeError, ValueError) as error:
        raise PageIndexError(_why(error, address, destination)) from error
    _note_unseen(report, destination)
    report.seconds = time.monotonic() - started
    return report


class _Worker:
    """An actor: opens the encoder once, and makes the shards of the documents that it is given."""

    def __init__(self, **made_with: Any) -> None:
        self._preparing = Preparing(**made_with)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        report = self._preparing.take([str(place) for place in batch["place"]], Part())
        return {"report": np.array([pickle.dumps(report)], object)}


def _imported() -> Any:
    try:
        import ray
        import ray.data
    except ImportError:
        raise MissingExtra(f"Ray is not installed: run `{install_command('ray')}`.") from None
    return ray


def _refuse_unshared(encoders: Sequence[str], settings: Settings) -> None:
    """Raises SettingsError for an encoder that each machine would choose by itself, or that is paid by the page."""
    if "auto" in encoders:
        raise SettingsError(
            "which encoder is best depends on the machine: name the one that all machines of the cluster take, such as "
            "--encoder colqwen2 or --encoder lexical."
        )
    if estimate_costs([choose(name).name for name in encoders], 1, settings) is not None:
        raise SettingsError(
            f"{' and '.join(encoders)}: an encoder that is paid by the page encodes elsewhere and needs no cluster. "
            "Run `pagesight prepare` without --ray, which says the price first."
        )


def _places(paths: Iterable[Any], settings: Settings, report: AddReport) -> list[str]:
    """The documents' paths and addresses, one by one; what cannot be found is noted."""
    local, places = list[Path | str](), list[str]()
    for path in paths:
        if not isinstance(path, str) or not is_stored(path):
            local.append(path)
            continue
        try:
            files, passed_over = stored_documents(path)
        except UnreadableDocument as error:
            report.failed.append(Failure(Path(path), error))
            continue
        places += [file.address for file in files]
        report.passed_over += passed_over
    found = find_documents(local, largest=settings.documents.file_megabytes * 1_000_000)
    report.failed += found.failures
    report.passed_over += found.skipped
    return [*places, *(str(Path(source.path).absolute()) for source in found.sources)]


def _workers(ray: Any, encoders: Sequence[str], actors: int | None) -> dict[str, Any]:
    """How many actors there are, and what each takes of a machine."""
    weights = any(choose(encoder).name != LexicalEncoder.name for encoder in encoders)
    graphics = int(ray.cluster_resources().get("GPU", 0)) if weights else 0
    nodes = sum(bool(node["Alive"]) for node in ray.nodes())
    return {
        "compute": ray.data.ActorPoolStrategy(min_size=1, max_size=actors or graphics or nodes),
        "num_gpus": 1 if graphics else 0,
        "num_cpus": 1,
        "max_restarts": -1,
        "max_task_retries": -1,
        "scheduling_strategy": "SPREAD",
    }


def _dataset(ray: Any, places: list[str], made_with: dict[str, Any], workers: dict[str, Any]) -> Dataset:
    items = ray.data.from_items(
        [{"place": place} for place in places], override_num_blocks=max(1, len(places) // _AT_ONCE)
    )
    return items.map_batches(_Worker, fn_constructor_kwargs=made_with, batch_size=_AT_ONCE, **workers)  # type: ignore[no-any-return]


def _reports(prepared: Dataset) -> Iterator[AddReport]:
    for row in prepared.iter_rows():
        yield pickle.loads(row["report"])  # of our own actors


def _take(report: AddReport, one: AddReport) -> None:
    report.added += one.added
    report.unchanged += one.unchanged
    report.failed += one.failed
    report.warnings += one.warnings
    report.passed_over += one.passed_over
    report.pages += one.pages


def _note_unseen(report: AddReport, out: Path) -> None:
    """Notes documents whose shards are said to be made and are not here: the folder is not the same on all machines."""
    here = {id_in_name(path.name) for path in out.glob(f"*{SUFFIX}")}
    for record in [*report.added, *report.unchanged]:
        if record.document_id not in here:
            why = f"the shard of {record.document} was made on another machine, and is not in {out} here. "
            way_out = "Name a folder that all machines share."
            report.failed.append(Failure(Path(record.path), UnreadableDocument(why + way_out)))


def _why(error: Exception, address: str, out: Path) -> str:
    said = next((line for line in reversed(str(error).splitlines()) if line.strip()), type(error).__name__)
    return (
        f"Ray at {address} gave up: {said.strip()[:300]}. Check the address and the cluster's log, and run the same "
        f"again: the shards in {out} are not made anew."
    )
