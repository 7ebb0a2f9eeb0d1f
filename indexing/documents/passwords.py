"""The passwords with which protected PDFs are opened: given for a run, never kept, printed or logged."""

from __future__ import annotations

from pagesight.indexing.configuration.setting_groups import DocumentSettings
from pagesight.indexing.errors import SettingsError


def passwords_of(settings: DocumentSettings) -> list[str]:
    """The passwords that are tried, in their order, each once. Raises SettingsError if their file cannot be read."""
    given = settings.passwords.get_secret_value().splitlines() if settings.passwords else []
    if settings.password_file:
        try:
            given += settings.password_file.expanduser().read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "it is not UTF-8"
            raise SettingsError(f"the file of passwords {settings.password_file} cannot be read: {reason}") from None
    return [password for password in dict.fromkeys(given) if password]
