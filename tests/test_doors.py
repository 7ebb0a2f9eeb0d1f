"""The front doors: what public functions take and return can be imported there, and no async twin blocks the loop."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import threading
import types
import typing
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from small_index import small_settings, write_pdf

from pagesight import agent, indexing
from pagesight.indexing import PageIndex
from pagesight.indexing.errors import BadCorrection, RequestError, SettingsError
from pagesight.indexing.milvus.connection import Connection
from pagesight.indexing.snapshot.snapshot_files import FolderFiles


def named(hint: Any) -> Iterator[type]:
    """The classes of ours in a type hint, however deep."""
    if isinstance(hint, type) and not isinstance(hint, types.GenericAlias):
        if hint.__module__.startswith("pagesight."):
            yield hint
        return
    for part in typing.get_args(hint):
        for one in part if isinstance(part, list) else [part]:
            yield from named(one)


def public(owner: type) -> Iterator[Any]:
    """The public functions of a class, behind properties and decorators."""
    for name, member in vars(owner).items():
        if not name.startswith("_"):
            function = getattr(member, "fget", None) or getattr(member, "__func__", member)
            function = inspect.unwrap(function) if callable(function) else None
            if inspect.isfunction(function) and function.__module__.startswith("pagesight."):
                yield function


def hints(thing: Any) -> dict[str, Any]:
    """Type hints, also those of names that are only imported for type checking."""
    module = importlib.import_module(thing.__module__)
    known = {name: getattr(indexing, name) for name in indexing.__all__}
    known |= dict.fromkeys(("CompiledStateGraph", "RunnableConfig", "BaseChatModel", "Checkpointer"), list)  # not ours
    try:
        return typing.get_type_hints(thing, {**known, **vars(module)})
    except NameError as error:
        if error.name not in ("Image",):
            raise
        return {}


def test_what_the_index_takes_and_returns_can_be_imported_from_the_front_door() -> None:
    exported = {getattr(indexing, name) for name in indexing.__all__ if isinstance(getattr(indexing, name), type)}
    missing, seen, waiting = set(), set(), [PageIndex]
    while waiting:
        owner = waiting.pop()
        seen.add(owner)
        things = list(public(owner)) + ([owner] if dataclasses.is_dataclass(owner) else [])
        for one in (one for thing in things for hint in hints(thing).values() for one in named(hint)):
            if one not in exported and not one.__module__.endswith("settings"):  # Settings has its groups
                missing.add(f"{owner.__name__}: {one.__module__}.{one.__name__}")
            elif one not in seen:
                waiting.append(one)
    assert not missing


def test_what_the_agent_takes_and_returns_can_be_imported_from_a_front_door() -> None:
    doors = {getattr(door, name) for door in (agent, indexing) for name in door.__all__}
    missing = set()
    for thing in (getattr(agent, name) for name in agent.__all__):
        fields = [thing] if dataclasses.is_dataclass(thing) else []
        owned = [*public(thing), *fields] if isinstance(thing, type) else [thing]
        for one in (one for part in owned for hint in hints(part).values() for one in named(hint)):
            missing |= {f"{thing.__name__}: {one.__module__}.{one.__name__}"} if one not in doors else set()
    assert not missing


def test_every_name_of_the_door_is_there_and_completes() -> None:
    assert all(getattr(indexing, name) is not None for name in indexing.__all__)
    assert set(indexing.__all__) <= set(dir(indexing))
    assert sorted(indexing.__all__) == indexing.__all__


async def test_no_async_twin_blocks_the_loop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, other = write_pdf(tmp_path / "a.pdf", [["The ferry Aurora"]]), write_pdf(tmp_path / "b.pdf", [["Pump"]])
    index = await PageIndex.aopen(tmp_path / "i", settings=small_settings(exhaustive_below=0))
    await index.ause_encoder("lexical")
    await index.aadd(source)
    ref = await index.apage("a.pdf p. 1")
    threads: set[int] = set()

    def watch(owner: Any, name: str) -> None:
        real = getattr(owner, name)

        def watched(*arguments: Any) -> Any:
            threads.add(threading.get_ident())
            return real(*arguments)

        monkeypatch.setattr(owner, name, watched)

    # Each method looks whether others have changed the index, and waits for the disk so.
    watch(FolderFiles, "revision")
    watch(Connection, "close")
    picture = Image.new("RGB", (200, 100), "white")
    calls = {
        "aadd": (other,), "asearch": ("ferry",), "arank": ("ferry",), "aaudit": (["ferry"],), "apages": (),
        "adocuments": (), "adocument": ("a.pdf",), "apage": ("a.pdf p. 1",), "apicture": (ref,), "atext": (ref,),
        "awords": (ref,), "apage_kinds": ("a.pdf",), "aprinted_labels": (),
        "amultivector": (ref,), "aquery_vectors": ("ferry",), "aevidence": (ref, tmp_path / "e.png"),
        "acorrect": (ref, "Aurora", "Boreas"), "acorrections": (), "acorrections_of": (ref,), "aoutline": ("a.pdf",),
        "alike": (ref,), "apicture_question": (picture, "ferry"), "aundo_correction": (ref, "000000000000"),
        "aheatmap": (ref, tmp_path / "h.png", "ferry"), "aremove": ("b.pdf",), "aremoved": (), "arestore": ("b.pdf",),
        "acommit": (tmp_path / "no-shards",), "aadd_encoder": ("lexical",), "aremove_encoder": ("lexical",),
        "ause_encoder": ("lexical",), "aclassify": (["red", "blue"],), "aclose": (),
    }  # fmt: skip
    twins = {name for name in dir(PageIndex) if name[0] == "a" and name[1:] in dir(PageIndex)} - {"aopen"}
    assert twins == set(calls)
    for name, arguments in calls.items():
        threads.clear()
        with suppress(BadCorrection, RequestError, SettingsError):  # nothing to undo by that id, the only encoder stays
            await getattr(index, name)(*arguments)
        alone = name in (
            "aremoved",
            "aclose",
            "apicture_question",
            "ause_encoder",
            "aclassify",
        )  # which ask no index here
        assert threads or alone, f"{name} waits for neither"
        assert threading.get_ident() not in threads, f"{name} waits in the loop"


def test_twins_have_the_signatures_of_their_methods() -> None:
    for name in ("search", "add", "picture", "documents"):
        twin, method = getattr(PageIndex, f"a{name}"), getattr(PageIndex, name)
        assert inspect.iscoroutinefunction(twin)
        assert inspect.signature(twin).parameters == inspect.signature(method).parameters
        assert twin.__name__ == f"a{name}"
