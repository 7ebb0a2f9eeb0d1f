"""Settings from the outside: which source wins, what is refused, and that `.env.example` says the truth."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pagesight.indexing.errors import SettingsError
from pagesight.indexing.settings import flat_fields, load_settings

ROOT = Path(__file__).parent.parent


def test_explicit_beats_environment_beats_dotenv_beats_default(monkeypatch, own_folder):
    assert load_settings().search.top_k == 5
    (own_folder / ".env").write_text("PAGESIGHT_TOP_K=6\nPAGESIGHT_REASONER=offline\n")
    assert load_settings().search.top_k == 6
    monkeypatch.setenv("PAGESIGHT_TOP_K", "7")
    assert load_settings().search.top_k == 7
    assert load_settings(top_k=8).search.top_k == 8
    assert load_settings(top_k=None).search.top_k == 7
    assert load_settings().reasoning.reasoner == "offline"


@pytest.mark.parametrize("name", ["GOOGLE_API_KEY", "GEMINI_API_KEY"])
def test_the_key_has_its_usual_names_and_is_never_shown(monkeypatch, name):
    monkeypatch.setenv(name, "a-secret-key")
    settings = load_settings()
    assert settings.gemini.google_api_key is not None
    assert settings.gemini.google_api_key.get_secret_value() == "a-secret-key"
    assert "a-secret-key" not in repr(settings)


def test_an_empty_variable_counts_as_not_set(monkeypatch):
    monkeypatch.setenv("PAGESIGHT_TOP_K", "")
    monkeypatch.setenv("GOOGLE_API_KEY", "")
    assert load_settings().search.top_k == 5
    assert load_settings().gemini.google_api_key is None


def test_a_refused_setting_is_named(monkeypatch):
    monkeypatch.setenv("PAGESIGHT_TOP_K", "many")
    monkeypatch.setenv("PAGESIGHT_RENDERER", "crayon")
    with pytest.raises(SettingsError, match=r"(?s)renderer.*pdfium.*top_k.*integer.*\.env"):
        load_settings()


def test_settings_are_frozen():
    with pytest.raises(ValueError, match="frozen"):
        load_settings().search.top_k = 3


def test_the_example_names_every_setting_with_its_default():
    example = (ROOT / ".env.example").read_text()
    shown = dict(re.findall(r"^#? ?([A-Z_]+)=(.*)$", example, re.M))
    for name, field in flat_fields().items():
        variable = name.upper() if name.startswith("google_") else f"PAGESIGHT_{name.upper()}"
        variable = {"GOOGLE_BASE_URL": "GOOGLE_GEMINI_BASE_URL"}.get(variable, variable)
        assert variable in shown, f"{variable} is missing in .env.example"
        if field.default is not None:
            assert shown.pop(variable).lower() == str(field.default).lower(), f"{variable} differs from the default"


def test_the_readme_names_every_setting_with_its_default():
    readme = (ROOT / "README.md").read_text()
    shown = dict(re.findall(r"^\| `(\w+)` \| `?([^|`]*?)`? *\|", readme, re.M))
    for name, field in flat_fields().items():
        default = "" if field.default is None else str(field.default).lower()
        assert shown.get(name) == default, f"{name} is missing in README.md, or its default is another"


def test_changed_settings_are_checked_and_keep_the_others():
    settings = load_settings(candidates=7, google_api_key="a-secret-key").changed(top_k="9", milvus_database="reports")
    assert (settings.search.top_k, settings.search.candidates, settings.milvus.database) == (9, 7, "reports")
    assert settings.gemini.google_api_key.get_secret_value() == "a-secret-key"
    assert settings.search.model_fields_set == {"candidates", "top_k"}
    with pytest.raises(ValueError, match="top_k"):
        settings.changed(top_k=0)


def test_flat_settings_can_be_kept_as_json_without_keys():
    told = json.dumps(load_settings(google_api_key="a-secret-key", milvus_token="user:password").flat())
    assert "a-secret-key" not in told
    assert "password" not in told
    assert json.loads(told)["top_k"] == 5
