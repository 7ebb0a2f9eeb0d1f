"""The one settings object: arguments beat the environment, the environment beats `.env`, `.env` beats defaults.

Settings stand in groups (`setting_groups`); in the
environment and as arguments they have flat names, `PAGESIGHT_<NAME>`, but for the keys of services, which have their
usual names.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, create_model
from pydantic.fields import FieldInfo
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings import SettingsError as UnreadableSetting  # a setting that must be JSON and is not

from pagesight.indexing.configuration import environment
from pagesight.indexing.configuration.efforts import EFFORTS, Effort
from pagesight.indexing.configuration.setting_groups import (
    BudgetSettings,
    DocumentSettings,
    EncodingSettings,
    GeminiSettings,
    MilvusSettings,
    PictureSettings,
    ReasonerSettings,
    RerankSettings,
    SearchSettings,
    ServiceSettings,
    SettingsGroup,
    SharingSettings,
    VectorSettings,
)
from pagesight.indexing.errors import SettingsError

#: Where a setting's value comes from: who called, a variable, the file `.env` of the current folder, the effort that is
#: asked for, or the program.
Origin = Literal["argument", "environment", ".env", "effort", "default"]

_PREFIX = "PAGESIGHT_"


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
    reranking: RerankSettings = RerankSettings()
    sharing: SharingSettings = SharingSettings()
    reasoning: ReasonerSettings = ReasonerSettings()
    gemini: GeminiSettings = GeminiSettings()
    pictures: PictureSettings = PictureSettings()
    budget: BudgetSettings = BudgetSettings()
    service: ServiceSettings = ServiceSettings()

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

    def with_effort(self, effort: Effort | None) -> Settings:
        """A copy with what an effort means (see `EFFORTS`), but for what was set itself; None changes nothing.

        Raises SettingsError for another word.
        """
        if effort is None:
            return self
        if effort not in EFFORTS:
            raise SettingsError(f"the effort {effort!r} is not known: take {', '.join(EFFORTS)} (PAGESIGHT_EFFORT)")
        means = {
            name: value for name, value in asdict(EFFORTS[effort]).items() if self.origin(name) in ("effort", "default")
        }
        copy = self.changed(effort=effort, **means)
        copy._origins.update(dict.fromkeys(means, "effort"))
        if effort == self.reasoning.effort:
            copy._origins["effort"] = self.origin("effort")
        return copy


class _DotEnv(DotEnvSettingsSource):
    """`.env` as it is written: a folder of somebody else's puts no ${VARIABLE} of the environment into a setting."""

    def _read_env_file(self, file_path: Path) -> dict[str, str | None]:
        return {name.lower(): value for name, value in environment.of_dotenv(file_path).items()}


class _FromEnvironment(BaseSettings):
    """Reads settings by their flat names."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, env_file=".env", env_file_encoding="utf-8", extra="ignore", env_ignore_empty=True,
        populate_by_name=True,
    )  # fmt: skip

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], *sources: Any, **named: Any
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, the environment, `.env`."""
        return named["init_settings"], named["env_settings"], _DotEnv(settings_cls)


@cache
def _places() -> dict[str, tuple[str, str]]:
    """Each flat name with its group, "" for none, and its name there."""
    places: dict[str, tuple[str, str]] = {}
    for group, info in Settings.model_fields.items():
        kind = info.annotation
        if isinstance(kind, type) and issubclass(kind, SettingsGroup):
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


def key_variables() -> list[str]:
    """The variables of this environment that hold a key: those of our settings, and all that are named like one."""
    ours = {variable for name, info in flat_fields().items() if _is_secret(info) for variable in variables_of(name)}
    return [name for name in environment.variables() if name.upper() in ours or name.upper().endswith(_KEY_ENDINGS)]


# Google's credentials, and the keys of other providers of language models, by LangChain's custom.
_KEY_ENDINGS = ("_API_KEY", "GOOGLE_APPLICATION_CREDENTIALS")


def _is_secret(info: FieldInfo) -> bool:
    return "SecretStr" in str(info.annotation)


def variables_of(name: str) -> list[str]:
    """The variables of the environment that set the setting with this flat name, the usual one first."""
    alias = flat_fields()[name].validation_alias
    if isinstance(alias, AliasChoices):
        return [str(choice) for choice in alias.choices if str(choice).isupper()]
    return [f"{_PREFIX}{name.upper()}"]


def unknown_variables() -> dict[str, str]:
    """The variables, of the environment and of `.env`, that begin as ours do and set nothing, each with where it is.

    A name that comes near one of ours stands behind where it is: they are misspelt, or of another version.
    """
    known = {variable for name in flat_fields() for variable in variables_of(name)}
    read = _reader()
    noted = dict.fromkeys(_DotEnv(read).env_vars, str(Path(".env").resolve()))
    found = {
        name.upper(): where
        for name, where in (noted | dict.fromkeys(environment.variables(), "the environment")).items()
    }
    unknown = {name: where for name, where in found.items() if name.startswith(_PREFIX) and name not in known}
    return {name: where + _meant(name, known) for name, where in unknown.items()}


def _meant(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, known, 1)
    return f"; did you mean {near[0]}?" if near else ""


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
    return settings.with_effort(settings.reasoning.effort)


def _origins(given: dict[str, Any]) -> dict[str, Origin]:
    """Where each setting that is not left to its default comes from; a later source beats an earlier one."""
    read = _reader()
    found: dict[Origin, Any] = {
        ".env": _DotEnv(read)(),
        "environment": EnvSettingsSource(read)(),
        "argument": given,
    }
    return {name: origin for origin, names in found.items() for name in names}
