"""What is said where a model cannot be loaded: what is missing, why, and the commands that help."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from pagesight.indexing.encoders.registry import KNOWN, nearest
from pagesight.indexing.encoders.roles import ENCODER, RERANKER, Role
from pagesight.indexing.errors import EncoderError, SettingsError

_NAMED = 4  # weights that a message names; of more it says how many


def unknown(name: str, architectures: object = None) -> SettingsError:
    """The error for a name that nothing is known by."""
    near = nearest(name)
    instead = f"Nearest: {', '.join(near)}" if near else "Known are those that `pagesight encoders` lists"
    of = f" (its configuration names {architectures}, which no route loads)" if architectures else ""
    return SettingsError(
        f"there is no encoder {name!r}{of}. {instead}; auto and lexical need no weights. Set --encoder or "
        "PAGESIGHT_ENCODER to one of them, to a folder with a model in it, or to external:SCRIPT."
    )


def no_reranker(name: str) -> SettingsError:
    """The error for a name that leads to no reranker."""
    return SettingsError(
        f"there is no reranker {name!r}. Name a cross-encoder on the hub, such as BAAI/bge-reranker-v2-m3, a folder "
        f"with one in it, MODEL@URL or a service's model; or {RERANKER.way_out}."
    )


def not_loaded(
    name: str, fetch: Sequence[str], error: Exception, adapter: str = "", role: Role = ENCODER
) -> EncoderError | SettingsError:
    """The error for a checkpoint that its library refused."""
    if "trust_remote_code" in str(error):
        return untrusted(name, role)
    return unreachable(name, fetch, error, adapter, role)


def untrusted(name: str, role: Role = ENCODER) -> SettingsError:
    """The error for a repository whose own code nobody has allowed to run."""
    if role is not ENCODER:
        return SettingsError(f"{name} brings program code of its own, which a {role.noun}'s may not run. Name another.")
    return SettingsError(
        f"{name} brings program code of its own. Read it, then run it with --trust-remote-code and "
        "--revision COMMIT, the commit that you read in 40 hex digits; or take an encoder that needs none."
    )


def unreachable(
    name: str, fetch: Sequence[str], error: Exception, adapter: str = "", role: Role = ENCODER
) -> EncoderError:
    """The error for weights that can neither be found nor fetched.

    ``fetch`` are the commands that would bring all that is needed; ``adapter`` is what is put on these weights, if any.
    """
    near = [] if name in KNOWN or adapter or role is not ENCODER else nearest(name)
    mistyped = f"If the name is mistyped: nearest are {', '.join(near)}. " if near else ""
    needed = f"{adapter} is an adapter on them. " if adapter else ""
    commands = " and ".join(f"`{command}`" for command in fetch)
    return EncoderError(
        f"the weights of {name} cannot be loaded ({_first_line(error)}). {needed}{mistyped}Fetch them where there is a "
        f"network with {commands}, name a folder that holds them, or {role.way_out}."
    )


def other_weights(
    name: str,
    missing: Collection[str],
    unexpected: Collection[str],
    other_sizes: Collection[str] = (),
    role: Role = ENCODER,
) -> EncoderError:
    """The error for weights that are not those of their model: some would stay random."""
    kinds = (("missing", missing), ("unknown", unexpected), ("of another size", other_sizes))
    said = [f"{what}: {_some(names)}" for what, names in kinds if names]
    return EncoderError(
        f"the weights of {name} are not named as expected ({'; '.join(said)}), so that some would stay random. "
        f"Take another revision ({role.revision}) or another {role.noun}."
    )


def only_served(name: str) -> SettingsError:
    """The error for a known model that only servers run."""
    return SettingsError(
        f"{name} is run by a server, as its repository brings code of its own that vLLM has built in: start `vllm "
        f"serve {name}` and name it, with --encoder {name}@http://HOST:PORT or PAGESIGHT_ENCODER."
    )


def no_base(name: str) -> EncoderError:
    """The error for an adapter that does not say what it is put on."""
    return EncoderError(
        f"the adapter_config.json of {name} names no base_model_name_or_path, so that nobody knows what it is put on. "
        "Take another revision (PAGESIGHT_REVISION) or another encoder."
    )


def no_pictures(name: str, why: str) -> EncoderError:
    """The error for a model that cannot look at pages."""
    return EncoderError(
        f"{name} cannot look at pages: {why}. Take another revision (PAGESIGHT_REVISION) or an encoder that "
        "`pagesight encoders` lists."
    )


def _some(names: Collection[str]) -> str:
    shown = sorted(names)[:_NAMED]
    return ", ".join(shown) + (f" and {len(names) - len(shown)} more" if len(names) > len(shown) else "")


def _first_line(error: Exception) -> str:
    return next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)[:200]
