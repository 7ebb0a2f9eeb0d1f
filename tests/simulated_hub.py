"""The cache of the hub's client as downloads leave it: commits, the newest one, and markers for files that are absent.

Libraries ask for many files that a repository may have. What the hub does not have, the client notes by an empty file
under ``.no_exist``, and does not ask again; without a network, a file that is neither there nor noted is an error.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

#: Files that the libraries look for and that repositories of models mostly do not have.
ASKED_FOR = (
    "adapter_config.json", "adapter_model.safetensors", "added_tokens.json", "audio_tokenizer_config.json",
    "chat_template.jinja", "chat_template.json", "config.json", "config_sentence_transformers.json",
    "generation_config.json", "merges.txt", "model.safetensors", "model.safetensors.index.json", "modules.json",
    "preprocessor_config.json", "processor_config.json", "sentencepiece.bpe.model", "special_tokens_map.json",
    "spiece.model", "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "video_preprocessor_config.json",
    "vocab.json", "vocab.txt",
)  # fmt: skip


class SimulatedHub:
    """A cache in a folder, which the hub's client uses from now on, offline."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        from huggingface_hub import constants

        self.folder = folder
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(folder))
        monkeypatch.setenv("HF_HUB_CACHE", str(folder))  # for processes that the test starts

    def publish(
        self, repository: str, files: Path, commit: str, *, base: str | None = None, newest: bool = True
    ) -> Path:
        """A commit of a repository with these files; ``base`` is what its adapter names. ``newest``: main is there."""
        home = self.folder / f"models--{repository.replace('/', '--')}"
        snapshot, absent = home / "snapshots" / commit, home / ".no_exist" / commit
        shutil.copytree(files, snapshot)
        if base:
            told = json.loads((snapshot / "adapter_config.json").read_text())
            (snapshot / "adapter_config.json").write_text(json.dumps(told | {"base_model_name_or_path": base}))
        absent.mkdir(parents=True)
        for name in ASKED_FOR:
            if not (snapshot / name).exists():
                (absent / name).touch()
        if newest:
            (home / "refs").mkdir(exist_ok=True)
            (home / "refs" / "main").write_text(commit)
        return snapshot

    def forget_newest(self, repository: str) -> None:
        """Only commits are known from now on, as after `hf download --revision COMMIT`."""
        shutil.rmtree(self.folder / f"models--{repository.replace('/', '--')}" / "refs")
