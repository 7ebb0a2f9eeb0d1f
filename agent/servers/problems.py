"""Errors as the service tells them: `application/problem+json` (RFC 9457), with the command line's own sentence.

Each kind of error has one status. What is not ours, a fault of the program, is told without its text: that may say
what nobody outside should read, and stands in the log.
"""

from __future__ import annotations

import errno
import logging
import re
from typing import Any

from pagesight.indexing import errors

_log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
_NOT_NOW = "the service cannot do this now: its log says why"

#: The status of each kind of error; one that is not named has that of the kind it belongs to.
_STATUSES: dict[type[errors.PagesightError], int] = {
    errors.RequestError: 422,
    errors.UnknownDocument: 404,
    errors.UnknownPage: 404,
    errors.SourceError: 422,
    errors.PageIndexError: 503,
    errors.IndexInUse: 503,
    errors.StorageFull: 507,
    errors.MissingExtra: 501,
    errors.SettingsError: 500,
    errors.EncoderError: 500,
    errors.ReasonerError: 502,
    errors.PagesightError: 500,
}


class Problem(Exception):
    """A request that the service itself refuses; ``headers`` go along, such as Retry-After."""

    def __init__(self, status: int, title: str, detail: str, headers: dict[str, str] | None = None, **more: Any):
        super().__init__(detail)
        self.status = status
        self.title = title
        self.detail = detail
        self.headers = headers or {}
        self.more = more

    @property
    def code(self) -> str:
        """Its kind: ``unknown-page``."""
        return re.sub(r"\W+", "-", self.title.lower()).strip("-")

    def as_dict(self) -> dict[str, Any]:
        """The body of the reply."""
        return {
            "type": f"urn:pagesight:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **self.more,
        }


def problem_of(error: BaseException, *, sees_all: bool = True) -> Problem:
    """What is told of an error.

    Who does not see all is not told what is wrong with the service itself: such sentences name folders, and commands of
    others. The log has them.
    """
    if isinstance(error, Problem):
        return error
    if isinstance(error, errors.PagesightError) and not sees_all and _is_of_the_service(error):
        _log.error("%s: %s", type(error).__name__, error)
        return Problem(_status(error), _title(type(error).__name__), _NOT_NOW, _retry(error))
    if isinstance(error, errors.PagesightError):
        return Problem(_status(error), _title(type(error).__name__), str(error), _retry(error))
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Problem(507, "Storage full", "the disk of the service is full: free some space and try again")
    return Problem(500, "Internal error", "the service failed at this; its log says why")


def _is_of_the_service(error: errors.PagesightError) -> bool:
    return _status(error) >= 500 and not isinstance(error, errors.ReasonerError)


def _status(error: errors.PagesightError) -> int:
    return next(_STATUSES[kind] for kind in type(error).__mro__ if kind in _STATUSES)


def _title(name: str) -> str:
    """``UnknownPage`` → "Unknown page"."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", name).capitalize()


def _retry(error: errors.PagesightError) -> dict[str, str]:
    """When to try again, where that may help: a writer takes some seconds (a guess, not measured)."""
    return {"Retry-After": "5"} if isinstance(error, errors.IndexInUse) else {}
