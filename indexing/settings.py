"""The one settings object: arguments beat the environment, the environment beats `.env`, `.env` beats defaults.

Nothing else in pagesight reads the environment. Settings stand in groups, by the room that they are for; in the
environment and as arguments they have flat names, `PAGESIGHT_<NAME>`, but for the keys of services, which have their
usual names.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, PrivateAttr, SecretStr, ValidationError, create_model
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, DotEnvSettingsSource, EnvSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableSetting  # a setting that must be JSON and is not

from pagesight.indexing.errors import SettingsError

#: Where a setting's value comes from: who called, a variable, the file `.env` of the current folder, or the program.
Origin = Literal["argument", "environment", ".env", "default"]

_environment_lock = threading.RLock()


class _Group(BaseModel):
    """Settings that belong together. ``prefix`` is what their flat names begin with."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)
    prefix: ClassVar[str] = ""

    def with_(self, values: dict[str, object]) -> Self:
        """A copy with other values; which ones were set, and not left to their defaults, stays known."""
        return self.model_validate({field: getattr(self, field) for field in self.model_fields_set} | values)


class MilvusSettings(_Group):
    """Logging in to a Milvus server."""

    prefix: ClassVar[str] = "milvus_"

    token: SecretStr | None = Field(None, description="a Milvus server's API key, or USER:PASSWORD")
    database: str | None = Field(None, description="the server's database; its default one if nothing is said")
    certificate: Path | None = Field(
        None,
        description="PEM file of the certificate of a server with https://, if no authority signed it",
    )
    server_name: str | None = Field(None, description="name in the certificate, where it is not the address's")


class EncodingSettings(_Group):
    """Which page encoder makes the vectors of pages, and how."""

    encoder: str = Field(
        "auto", description="page encoder: auto, a name from `pagesight encoders`, a folder, or external:SCRIPT"
    )
    device: Literal["auto", "cuda", "mps", "cpu"] = Field("auto", description="what the page encoder runs on")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", description="precision of the page encoder; auto is bfloat16 on GPUs, float32 on CPUs"
    )
    pages_at_once: int = Field(4, ge=1, description="pages that the encoder takes at once; halved when out of memory")
    visual_tokens: int | None = Field(
        None, ge=4, description="image tokens of a page at most, for the Qwen families; more see smaller print"
    )
    dim: int | None = Field(
        None,
        ge=1,
        description="dimensions to cut vectors to, for encoders that are trained for it (Matryoshka)",
    )
    revision: str | None = Field(None, description="commit of the encoder's repository; the newest by default")
    trust_remote_code: bool = Field(
        False, description="run program code from the encoder's repository; needs a revision of 40 hex digits"
    )
    trust_scripts: bool = Field(
        False,
        description="run what an index names of a script, a folder with program code or a repository's code; in .env "
        "it does not count",
    )
    encoder_python: Path | None = Field(
        None, description="Python of the environment in which encoders run that need one of their own"
    )
    encoder_timeout: float = Field(
        600.0, gt=0, description="seconds that such an encoder may take to load, and for one batch of pages"
    )


class DocumentSettings(_Group):
    """How pages are rendered and read."""

    renderer: Literal["pdfium", "poppler"] = Field(
        "pdfium", description="what renders PDF pages; poppler must be installed"
    )
    max_pixels: int = Field(
        40_000_000, ge=10_000, description="pixels of one picture at most; larger pages are rendered smaller"
    )
    ocr: bool = Field(True, description="read pages without a text layer with RapidOCR")


class VectorSettings(_Group):
    """How a new index keeps page vectors."""

    precision: Literal["float16", "int8"] | None = Field(
        None,
        description="how a new index keeps page vectors: float16 if nothing is said, or int8, half as large",
    )
    pool: int | None = Field(
        None,
        ge=1,
        description="how many vectors of a page a new index pools into one, for less disk; 1 keeps all",
    )
    centroids: int = Field(32, ge=1, le=256, description="candidate vectors of a page, in the HNSW index")


class SearchSettings(_Group):
    """How broadly pages are searched for."""

    top_k: int = Field(5, ge=1, le=100, description="pages that a search returns")
    candidates: int = Field(200, ge=1, description="pages that are scored exactly, at most, when not all are")
    hits_per_vector: int = Field(
        100, ge=1, le=16_384, description="candidate vectors that HNSW finds for each query vector"
    )
    ef: int = Field(400, ge=1, le=32_768, description="breadth of HNSW's search; more finds better ones, more slowly")
    exhaustive_below: int = Field(
        600,
        ge=0,
        description="index size in pages up to which every page is scored exactly, without HNSW candidates",
    )


class ReasonerSettings(_Group):
    """Which language model answers, and how long it is waited for."""

    reasoner: str = Field("auto", description="auto, offline, google_genai:MODEL or any other LangChain PROVIDER:MODEL")
    timeout: float = Field(
        120.0,
        gt=0,
        description="seconds to wait for the model's next word; a whole answer may take 7.5 times that",
    )
    max_retries: int = Field(4, ge=1, description="attempts at one model call, the first counted in")
    longest_wait: float = Field(
        60.0, ge=0, description="seconds to wait at most when the service asks to wait; beyond it the run ends"
    )


class GeminiSettings(_Group):
    """Where Gemini is, and who asks it."""

    gemini_model: str = Field("gemini-3.8-flash", description="the Gemini model that auto takes")
    thinking_level: Literal["default", "low", "medium", "high"] = Field(
        "default", description="how much Gemini 3 and later think before they answer; default leaves it to the model"
    )
    store_requests: bool = Field(
        False, description="let Gemini's service keep requests as the project's settings say; else it is told not to"
    )
    google_api_key: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("google_api_key", "GOOGLE_API_KEY", "GEMINI_API_KEY"),
        description="key of the Gemini API",
    )
    google_base_url: str | None = Field(
        None,
        validation_alias=AliasChoices("google_base_url", "GOOGLE_GEMINI_BASE_URL"),
        description="another address of the Gemini API",
    )
    vertex_project: str | None = Field(
        None,
        description="Google Cloud project: Gemini through Vertex AI, with its own credentials instead of a key",
    )
    vertex_location: str = Field("global", description="where Vertex AI runs the model")


class PictureSettings(_Group):
    """How page pictures look and travel to the model."""

    transport: Literal["auto", "bytes", "base64", "files"] = Field(
        "auto", description="how page pictures reach the model"
    )
    inline_limit: int = Field(
        95_000_000, ge=0, description="bytes of pictures in one request, in base64; auto uploads what is beyond"
    )
    bucket: str | None = Field(
        None, pattern=r"^gs://", description="gs://BUCKET/FOLDER that holds page pictures, for Vertex AI"
    )
    pages_as: Literal["picture", "pdf"] = Field(
        "picture", description="what a whole page is sent as; pdf is a PDF of this one page, for Gemini"
    )
    tiles_per_picture: int = Field(
        4,
        ge=1,
        le=16,
        description="tiles of 768 px that a picture may fill, for Gemini 2.x, where each costs 258 tokens, and others",
    )
    media_resolution: Literal["default", "low", "medium", "high"] = Field(
        "default", description="how closely Gemini looks at pictures; default leaves it to the model"
    )
    closer_regions: bool = Field(
        True,
        description="let Gemini 3 and later look at regions of small print at ultra high resolution, for 2,240 tokens",
    )


class BudgetSettings(_Group):
    """What one question, and one model call, may take."""

    images_per_call: int = Field(
        12, ge=1, le=3000, description="page pictures in one model call; older ones become a line of text"
    )
    image_tokens_per_call: int = Field(
        50_000, ge=258, description="tokens of the pictures in one model call, as the model's generation counts them"
    )
    pages_per_question: int = Field(16, ge=1, description="page pictures that the agent may look at for one question")
    searches_per_question: int = Field(8, ge=1, description="searches that the agent may make for one question")
    calls_per_question: int = Field(
        24, ge=2, description="model calls for one question; the last one has no tools and must answer"
    )
    dollars_per_question: float | None = Field(
        None, gt=0, description="US dollars for one question by the price table; then the model must answer"
    )
    prices: dict[str, list[float]] | None = Field(
        None,
        description="US dollars per million tokens by model, [input, output, cached input]; beats the own table",
    )


class Settings(BaseModel):
    """How pagesight indexes, searches and answers; frozen once made. Made by `load_settings`."""

    model_config = ConfigDict(frozen=True)

    index: Path | str = Field(
        Path(".pagesight"), description="folder of the index, or http://HOST:PORT/NAME on a Milvus server"
    )
    milvus: MilvusSettings = MilvusSettings()
    encoding: EncodingSettings = EncodingSettings()
    documents: DocumentSettings = DocumentSettings()
    vectors: VectorSettings = VectorSettings()
    search: SearchSettings = SearchSettings()
    reasoning: ReasonerSettings = ReasonerSettings()
    gemini: GeminiSettings = GeminiSettings()
    pictures: PictureSettings = PictureSettings()
    budget: BudgetSettings = BudgetSettings()

    _origins: dict[str, Origin] = PrivateAttr(default_factory=dict)

    def origin(self, name: str) -> Origin:
        """Where the value of the setting with this flat name comes from."""
        return self._origins.get(name, "default")

    def from_dotenv(self, name: str) -> bool:
        """Whether only the current folder's `.env` says it: a folder may come from somebody else."""
        return self.origin(name) == ".env"

    def flat(self) -> dict[str, Any]:
        """Every setting by its flat name, as JSON has it; keys are masked."""
        told = self.model_dump(mode="json")
        return {name: told[group][field] if group else told[field] for name, (group, field) in _places().items()}

    def changed(self, **named: object) -> Settings:
        """A copy with other values of the settings with these flat names."""
        groups: dict[str, dict[str, object]] = {}
        for name, value in named.items():
            group, field = _places()[name]
            groups.setdefault(group, {})[field] = value
        own = groups.pop("", {})
        copy = self.model_copy(
            update=own | {group: getattr(self, group).with_(values) for group, values in groups.items()}
        )
        copy._origins = self._origins | dict.fromkeys(named, "argument")
        return copy


class _FromEnvironment(BaseSettings):
    """Reads settings by their flat names."""

    model_config = SettingsConfigDict(
        env_prefix="PAGESIGHT_", env_file=".env", env_file_encoding="utf-8", extra="ignore", env_ignore_empty=True,
        populate_by_name=True,
    )  # fmt: skip


@cache
def _places() -> dict[str, tuple[str, str]]:
    """Each flat name with its group, "" for none, and its name there."""
    places: dict[str, tuple[str, str]] = {}
    for group, info in Settings.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, _Group):
            places |= {kind.prefix + field: (group, field) for field in kind.model_fields}
        else:
            places[group] = "", group
    return places


@cache
def flat_fields() -> dict[str, FieldInfo]:
    """Each setting's type, default and description by its flat name."""

    def model(group: str) -> type[BaseModel]:
        kind = Settings.model_fields[group].annotation if group else Settings
        assert isinstance(kind, type)
        return kind

    return {name: model(group).model_fields[field] for name, (group, field) in _places().items()}


@cache
def _reader() -> type[_FromEnvironment]:
    fields: Any = {name: (info.annotation, info) for name, info in flat_fields().items()}
    return create_model("_Reader", __base__=_FromEnvironment, **fields)


@contextmanager
def environment(**variables: str | None) -> Iterator[None]:
    """Sets variables of the environment inside the block, None takes one away.

    For packages that read some while they are imported, and for processes that must not have all. One thread at a time:
    two at once would leave behind what the other had set.
    """
    with _environment_lock:
        before = {name: os.environ.get(name) for name in variables}
        _set(variables)
        try:
            yield
        finally:
            _set(before)


def _set(variables: dict[str, str | None]) -> None:
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def key_variables() -> list[str]:
    """The variables of this environment that hold a key: those of our settings, and all that are named like one."""
    ours = {variable for name, info in flat_fields().items() if _is_secret(info) for variable in variables_of(name)}
    return [name for name in os.environ if name.upper() in ours or name.upper().endswith(_KEY_ENDINGS)]


# Google's credentials, and the keys of other providers of language models, by LangChain's custom.
_KEY_ENDINGS = ("_API_KEY", "GOOGLE_APPLICATION_CREDENTIALS")


def _is_secret(info: FieldInfo) -> bool:
    return "SecretStr" in str(info.annotation)


def variables_of(name: str) -> list[str]:
    """The variables of the environment that set the setting with this flat name, the usual one first."""
    alias = flat_fields()[name].validation_alias
    if isinstance(alias, AliasChoices):
        return [str(choice) for choice in alias.choices if str(choice).isupper()]
    return [f"PAGESIGHT_{name.upper()}"]


def state_folder() -> Path:
    """The user's own folder for what pagesight notes outside of indexes; it need not be there yet.

    $XDG_STATE_HOME/pagesight, by default ~/.local/state/pagesight; on Windows in %LOCALAPPDATA%, on macOS in
    ~/Library/Application Support.
    """
    if set_to := os.environ.get("XDG_STATE_HOME"):
        return Path(set_to) / "pagesight"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "pagesight"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "pagesight"
    return Path.home() / ".local" / "state" / "pagesight"


def load_settings(**explicit: object) -> Settings:
    """Settings from the arguments (None means not given), the environment, `.env` and the defaults, in this order.

    Raises SettingsError, naming the setting, its value's fault and where it is set.
    """
    given: dict[str, Any] = {name: value for name, value in explicit.items() if value is not None}
    try:
        read = _reader()(**given)
    except ValidationError as error:
        faults = "; ".join(f"{fault['loc'][0]}: {fault['msg']}" for fault in error.errors(include_input=False))
        raise SettingsError(
            f"a setting cannot be used: {faults}. Correct the option, the variable PAGESIGHT_… or the line in .env."
        ) from None
    except UnreadableSetting as error:
        raise SettingsError(
            f"a setting cannot be used: {error}. It must be JSON: correct the variable PAGESIGHT_… or the line in .env."
        ) from None
    settings = Settings().changed(**{name: getattr(read, name) for name in read.model_fields_set})
    settings._origins = _origins(given)
    return settings


def _origins(given: dict[str, Any]) -> dict[str, Origin]:
    """Where each setting that is not left to its default comes from; a later source beats an earlier one."""
    read = _reader()
    found: dict[Origin, Any] = {
        ".env": DotEnvSettingsSource(read)(),
        "environment": EnvSettingsSource(read)(),
        "argument": given,
    }
    return {name: origin for origin, names in found.items() for name in names}
