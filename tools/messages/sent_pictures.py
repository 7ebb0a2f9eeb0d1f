"""Which pictures go along with which model call of a conversation, and so which pages the model was shown.

The pictures of a call are the newest ones that the conversation names, within the limits of one call. This is a pure
function of the messages, told message by message, so that a call of long ago comes out as it was made then. Which of
them could really be attached is noted on what the call brought.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter

from pagesight.tools.messages.page_view import PageView


@dataclass(frozen=True)
class CallLimits:
    """What the pictures of one model call may come to: their number, their tokens, and their bytes in the request.

    ``inline_bytes`` None is no limit, where pictures beyond the limit of a request travel as files.
    """

    images: int = 3000
    image_tokens: int = 10_000_000
    inline_bytes: int | None = None


class SentPictures:
    """The pictures of each model call so far and of the next one, within ``limits``.

    A page or region that is named again stays where it is, so that the calls before it are the beginning of the next
    one, and a service's cache holds; it counts as new. One that went along no more comes with the message that names it
    now. The first that does not fit ends it: a page is never left out for one that is older. One picture always goes.
    """

    def __init__(self, limits: CallLimits, before: SentPictures | None = None):
        self._limits = limits
        #: What the next call sends: each page or region with the position of its message and its place among the views
        #: of that one; in the order in which they were named last.
        self._next: dict[PageView, tuple[int, int, PageView]] = dict(before._next) if before else {}
        self._tokens: int = before._tokens if before else 0
        self._size: int = before._size if before else 0
        self._unsent: list[PageView] = list(before._unsent) if before else []
        self._first_sent: dict[str, int] = dict(before._first_sent) if before else {}
        self._numbers: dict[int, int] = dict(before._numbers) if before else {}

    def add_views(self, position: int, views: Sequence[PageView]) -> None:
        """The message at ``position`` names these pages and regions."""
        for number, view in enumerate(views):
            if view in self._next:
                self._next[view] = self._next.pop(view)
            else:
                self._next[view] = (position, number, view)
                self._tokens, self._size = self._tokens + view.tokens, self._size + view.size
            self._unsent.append(view)
        while len(self._next) > 1 and self._is_too_much():
            self._drop(next(iter(self._next)))

    def add_shown(self, position: int, view: PageView) -> None:
        """A tool has shown a model this page in a call of its own, which brought the message at ``position``."""
        self._first_sent.setdefault(view.ref.label, position)
        self._numbers[position] = self._numbers.get(position, 0) + 1

    def add_call(self, position: int, shown: Sequence[str] | None = None) -> None:
        """The message at ``position`` is what a model call brought, which was the first with the pages ``shown``.

        None where nobody noted that: then all that were to go along count.
        """
        named = [view.ref.label for view in self._unsent if view in self._next]
        for label in named if shown is None else shown:
            self._first_sent.setdefault(label, position)
        self._unsent = []
        self._numbers[position] = len(self._next)

    def of_the_next_call(self) -> dict[int, list[PageView]]:
        """The pictures of the next call by the position of their message, in the order in which it names them."""
        by_message: dict[int, list[PageView]] = {}
        for position, _, view in sorted(self._next.values(), key=itemgetter(0, 1)):
            by_message.setdefault(position, []).append(view)
        return by_message

    def number(self, start: int, end: int) -> int:
        """How many pictures the calls that brought the messages from ``start`` to before ``end`` sent together."""
        return sum(self._numbers.get(position, 0) for position in range(start, end))

    def labels_shown(self, last_call: int | None = None) -> set[str]:
        """The labels of the pages whose pictures went along up to the call that brought the message ``last_call``.

        Without it: with any call so far, or with the next one.
        """
        if last_call is not None:
            return {label for label, first in self._first_sent.items() if first <= last_call}
        return {*self._first_sent, *(view.ref.label for view in self._next)}

    def _is_too_much(self) -> bool:
        limits = self._limits
        too_large = limits.inline_bytes is not None and self._size > limits.inline_bytes
        return too_large or self._tokens > limits.image_tokens or len(self._next) > limits.images

    def _drop(self, view: PageView) -> None:
        *_, dropped = self._next.pop(view)
        self._tokens, self._size = self._tokens - dropped.tokens, self._size - dropped.size
