"""Says at once that there is no index, for plain commands: reading options alone would take typer a third of a second.

Only a command line whose meaning is plain is judged: anything else goes the usual way, where the same is found out.
"""

from __future__ import annotations

from collections.abc import Sequence

from pagesight.indexing.configuration.index_place import refuse_missing, settings_need_no_check

#: The commands that need an index: how many arguments each takes, and its flags that say nothing of it.
_LOG = {"--verbose", "-v"}
_PLAIN = {
    "search": (1, {"--json", *_LOG}), "ask": (1, {"--json", *_LOG}), "view": (1, _LOG), "chat": (0, _LOG),
    "documents": (0, {"--json"}),
}  # fmt: skip


def refuse_at_once(arguments: Sequence[str]) -> None:
    """Raises IndexMissing where the arguments plainly ask something of an index that is not there."""
    places, words, flags = [], [], set()
    rest = iter(arguments)
    for one in rest:
        if one == "--index":
            places.append(next(rest, ""))
        elif one.startswith("--index="):
            places.append(one.removeprefix("--index="))
        elif one.startswith("-"):
            flags.add(one)
        else:
            words.append(one)
    taken, plain_flags = _PLAIN.get(words[0] if words else "", (None, set()))
    if taken == len(words) - 1 and flags <= plain_flags and "" not in places and settings_need_no_check():
        refuse_missing(places[-1] if places else None)
