"""Settings from the outside: which source wins, what is refused, and that `.env.example` says the truth."""

from __future__ import annotations

import json
import re
import runpy
from contextlib import nullcontext
from pathlib import Path

import pytest

from pagesight.agent.reasoners.choose import choose_reasoner, make_reasoner
from pagesight.indexing import PageIndex
from pagesight.indexing.configuration.index_place import configured_place
from pagesight.indexing.errors import ServerUnreachable, SettingsError
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


def test_the_page_of_settings_is_made_from_the_code():
    made = runpy.run_path(str(ROOT / "docs" / "make_settings.py"))["page"]()
    written = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert written == made, "run python docs/make_settings.py"
    shown = dict(re.findall(r"^\| `(\w+)` \| `?([^|`]*?)`? *\|", written, re.M))
    for name, field in flat_fields().items():
        default = "" if field.default is None else str(field.default).lower()
        assert shown.get(name) == default, f"{name} is missing, or its default is another"


def test_changed_settings_are_checked_and_keep_the_others():
    settings = load_settings(candidates=7, google_api_key="a-secret-key").changed(top_k="9", milvus_database="reports")
    assert (settings.search.top_k, settings.search.candidates, settings.milvus.database) == (9, 7, "reports")
    assert settings.gemini.google_api_key.get_secret_value() == "a-secret-key"
    assert settings.search.model_fields_set == {"candidates", "top_k"}
    with pytest.raises(ValueError, match="top_k"):
        settings.changed(top_k=0)


def test_flat_settings_can_be_kept_as_json_without_keys():
    told = json.dumps(load_settings(google_api_key="a-secret-key", milvus_token="user:an-open-word").flat())
    assert "a-secret-key" not in told
    assert "an-open-word" not in told
    assert json.loads(told)["top_k"] == 5


def test_a_setting_knows_what_sets_it(monkeypatch, own_folder):
    (own_folder / ".env").write_text(
        "PAGESIGHT_TOP_K=6\nPAGESIGHT_DIM=64\nPAGESIGHT_OCR=\nGOOGLE_GEMINI_BASE_URL=http://x\n"
    )
    monkeypatch.setenv("PAGESIGHT_TOP_K", "7")
    monkeypatch.setenv("GEMINI_API_KEY", "a-secret-key")
    settings = load_settings(device="cpu", precision=None).changed(ef=99)
    found = {name: settings.origin(name) for name in flat_fields() if settings.origin(name) != "default"}
    assert found == {
        "top_k": "environment", "dim": ".env", "google_base_url": ".env", "google_api_key": "environment",
        "device": "argument", "ef": "argument",
    }  # fmt: skip


def test_what_must_be_json_and_is_not_is_named(monkeypatch):
    monkeypatch.setenv("PAGESIGHT_PRICES", '{"gemini": [')
    with pytest.raises(SettingsError, match=r"prices.*PAGESIGHT_"):
        load_settings()


MINE, THEIRS = "environment", ".env"


@pytest.mark.parametrize(
    ("key", "address", "sent"),
    [(MINE, THEIRS, False), (THEIRS, THEIRS, True), (MINE, MINE, True), (THEIRS, MINE, True)],
)
def test_a_key_goes_to_an_address_in_the_folder_only_if_it_stands_there_too(
    monkeypatch, own_folder, key, address, sent
):
    lines = []
    for variable, value, where in (
        ("GOOGLE_API_KEY", "AIza-a-test-key", key),
        ("GOOGLE_GEMINI_BASE_URL", "http://127.0.0.1:1/", address),
        ("PAGESIGHT_MILVUS_TOKEN", "me:secret", key),
        ("PAGESIGHT_INDEX", "http://127.0.0.1:1/reports", address),
    ):
        if where == MINE:
            monkeypatch.setenv(variable, value)
        else:
            lines.append(f"{variable}={value}\n")
    (own_folder / ".env").write_text("".join(lines))
    refused = rf"KEY is not sent to http://127\.0\.0\.1:1/: only the file {own_folder}/\.env .*GOOGLE_GEMINI_BASE_URL="
    with nullcontext() if sent else pytest.raises(SettingsError, match=refused):
        make_reasoner("auto", load_settings())
    kind = ServerUnreachable if sent else SettingsError
    with pytest.raises(
        kind, match="cannot be reached" if sent else r"MILVUS_TOKEN is not sent.*set PAGESIGHT_INDEX=http"
    ):
        PageIndex.open()


def test_what_the_caller_names_and_googles_own_address_get_the_key(monkeypatch, own_folder):
    monkeypatch.setenv("GOOGLE_API_KEY", "AIza-a-test-key")
    monkeypatch.setenv("PAGESIGHT_MILVUS_TOKEN", "me:secret")
    place = "http://127.0.0.1:1/reports"
    (own_folder / ".env").write_text(f"GOOGLE_GEMINI_BASE_URL=https://us.googleapis.com\nPAGESIGHT_INDEX={place}\n")
    make_reasoner("auto", load_settings())
    with pytest.raises(ServerUnreachable):
        PageIndex.open(place)
    (own_folder / ".env").write_text("GOOGLE_GEMINI_BASE_URL=https://evil.example/googleapis.com\n")
    with pytest.raises(SettingsError, match="is not sent"):
        make_reasoner("auto", load_settings())
    make_reasoner("auto", load_settings(google_base_url="https://evil.example/googleapis.com"))


def test_what_the_machine_is_logged_in_with_goes_to_no_address_of_a_folder(own_folder):
    (own_folder / ".env").write_text("PAGESIGHT_VERTEX_PROJECT=mine\nGOOGLE_GEMINI_BASE_URL=http://127.0.0.1:1\n")
    with pytest.raises(SettingsError, match="logged in with is not sent"):
        make_reasoner("auto", load_settings())


@pytest.mark.parametrize(
    "location", ["evil.example/x#", "evil.example\\\\", "a@evil.example/", "europe-west4\\n", "", "a:b"]
)
def test_a_location_is_no_host(own_folder, location):
    (own_folder / ".env").write_text(f'PAGESIGHT_VERTEX_PROJECT=mine\nPAGESIGHT_VERTEX_LOCATION="{location}"\n')
    if location:
        with pytest.raises(SettingsError, match="vertex_location"):
            load_settings()
    else:
        assert load_settings().gemini.vertex_location == "global"
    for known in ("global", "us", "europe-west4"):
        assert load_settings(vertex_location=known).gemini.vertex_location == known


@pytest.mark.parametrize(
    "written", ["${MY_SECRET}", "'${MY_SECRET}'", '"${MY_SECRET}"', "${NONE:-${MY_SECRET}}", "$MY_SECRET"]
)
def test_the_file_of_a_folder_reads_no_variable_of_the_environment(monkeypatch, own_folder, written):
    monkeypatch.setenv("MY_SECRET", "of-another-service")
    names = ("GOOGLE_API_KEY", "PAGESIGHT_ENCODER_KEY", "google_gemini_base_url", "export PAGESIGHT_INDEX")
    (own_folder / ".env").write_text("".join(f"{name}={written}\n" for name in names))
    settings = load_settings()
    told = [settings.gemini.google_api_key.get_secret_value(), settings.encoding.encoder_key.get_secret_value(),
            settings.gemini.google_base_url, settings.index, configured_place()]  # fmt: skip
    assert [str(one) for one in told] == [written.strip("\"'")] * len(told)
    assert settings.from_dotenv("google_api_key")


def test_the_reasoners_line_names_an_address_that_is_not_googles():
    def why(address: str | None) -> str:
        return choose_reasoner(None, load_settings(google_api_key="AIza", google_base_url=address)).why

    assert why(None) == why("https://generativelanguage.googleapis.com") == "there is a GOOGLE_API_KEY"
    assert why("http://me:hidden@127.0.0.1:1") == "there is a GOOGLE_API_KEY; asked at http://127.0.0.1:1"
