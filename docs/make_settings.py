"""Makes docs/settings.md from the settings in the code: python docs/make_settings.py (a test holds both equal)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pagesight.indexing.settings import Settings, flat_fields, variables_of

TARGET = Path(__file__).parent / "settings.md"
_BEGINNING = """\
# Settings

Each setting can be set in the environment, or in the file `.env` of the folder that you work in, as `PAGESIGHT_<NAME>`
in capitals: `PAGESIGHT_TOP_K=10`. Keys and addresses of services have their usual names; the tables say which.

- Options and arguments beat the environment, the environment beats `.env`, and `.env` beats the defaults.
- A place that only `.env` names, where pages or words would go, is asked about once: an address that is not of this
  machine, a Google Cloud project, a bucket. Where nobody can be asked, it is refused; name it in the environment.
- `pagesight doctor` lists the settings that are not the defaults, and what sets them.
- A variable that begins with `PAGESIGHT_` and is no setting is named when a command starts, with the one that was
  probably meant.
- In Python: `load_settings(top_k=10)`; settings are read as `settings.search.top_k`.

This page is made from the code by `python docs/make_settings.py`.
"""


def page() -> str:
    """The page, as it should be."""
    fields = flat_fields()
    parts, own = [], {name: info for name, info in fields.items() if name in Settings.model_fields}
    parts.append(("Where the index is", list(own)))
    for group, info in Settings.model_fields.items():
        kind = info.annotation
        if group not in own and isinstance(kind, type) and issubclass(kind, BaseModel):
            names = [getattr(kind, "prefix", "") + field for field in kind.model_fields]
            parts.append(((kind.__doc__ or group).strip().splitlines()[0].rstrip("."), names))
    return _BEGINNING + "".join(f"\n## {title}\n\n{_table(names, fields)}" for title, names in parts)


def _table(names: list[str], fields: dict[str, FieldInfo]) -> str:
    rows = [f"| `{name}` | {_default(fields[name])} | {_does(name, fields[name])} |" for name in names]
    return "\n".join(["| setting | default | what it does |", "|---|---|---|", *rows]) + "\n"


def _default(info: FieldInfo) -> str:
    value = info.default
    if value is None:
        return ""
    return f"`{value if isinstance(value, str | Path) else json.dumps(value)}`"


def _does(name: str, info: FieldInfo) -> str:
    variables = variables_of(name)
    usual = "" if variables[0] == f"PAGESIGHT_{name.upper()}" else f" (`{'` or `'.join(variables)}`)"
    return (info.description or "").replace("|", "\\|") + _choices(info) + usual


def _choices(info: FieldInfo) -> str:
    """The values that a setting of choices may have, unless its description names them."""
    choices = [value for kind in (info.annotation, *get_args(info.annotation)) for value in _literals(kind)]
    unnamed = [value for value in choices if value not in (info.description or "")]
    return f": `{'`, `'.join(choices)}`" if unnamed else ""


def _literals(kind: object) -> list[str]:
    return [str(value) for value in get_args(kind)] if get_origin(kind) is Literal else []


if __name__ == "__main__":
    TARGET.write_text(page(), encoding="utf-8")
