"""Mails (EML): what is read of one as a page, and the files that it brings along."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage, Message, MIMEPart
from html import escape

from pagesight.indexing.conversion.web_page import preformatted, text_of
from pagesight.indexing.documents.attachments import Attachment, named_apart

_HEADERS = ("From", "To", "Cc", "Date", "Subject")


def mail_as_html(content: bytes) -> tuple[str, dict[str, tuple[bytes, str]]]:
    """The mail as a web page: headers, its text, and the names of what is attached; and its pictures by ``cid:…``."""
    mail = _parsed(content)
    headers = "".join(f"<div><b>{name}:</b> {escape(value)}</div>" for name, value in _headers(mail))
    names = [one.name for one in mail_attachments(content)]
    attached = f"<div><b>Attachments:</b> {escape(', '.join(names))}</div>" if names else ""
    pictures = {
        f"cid:{str(part['Content-ID']).strip('<> ')}": (_bytes(part), part.get_content_type())
        for part in mail.walk()
        if part["Content-ID"] and part.get_content_maintype() == "image"
    }
    return f'<body><div class="headers">{headers}{attached}</div>{_body(mail)}</body>', pictures


def mail_attachments(content: bytes) -> list[Attachment]:
    """The files that a mail brings along, mails among them, in their order; each with a name of its own."""
    found = []
    mail = _parsed(content)
    read = {id(part) for part in _shown(mail)}
    # a mail may be nothing but a file, as scanners send them, or be locked up as one
    parts = mail.iter_attachments() if mail.is_multipart() else iter([mail])
    for part in parts:
        if id(part) in read:
            continue
        if part.get_content_type() == "message/rfc822":
            inner = part.get_content()
            name = part.get_filename() or f"{inner['Subject'] or 'mail'}.eml"
            found.append((name if name.lower().endswith(".eml") else f"{name}.eml", inner.as_bytes()))
        elif part.get_filename() or not part["Content-ID"]:
            found.append((part.get_filename() or "", _bytes(part)))
    return named_apart(found)


def _parsed(content: bytes) -> EmailMessage:
    return message_from_bytes(content, policy=policy.default)


def _headers(mail: EmailMessage) -> list[tuple[str, str]]:
    found = []
    for name in _HEADERS:
        try:
            value = mail[name]
        except Exception:  # noqa: BLE001 (what the standard library raises for malformed headers differs by header)
            value = dict(mail.raw_items()).get(name)
        if value:
            found.append((name, str(value)))
    return found


def _shown(mail: EmailMessage) -> list[MIMEPart]:
    """The parts that are read as the mail's text: its body, and texts that stand inline behind it, between pictures."""
    body = mail.get_body(("html", "plain"))
    if body is None:
        return []
    behind = mail.iter_attachments() if mail.get_content_type() == "multipart/mixed" else iter(())
    texts = [part for part in behind if part.get_content_type() in ("text/plain", "text/html")]
    return [body, *(part for part in texts if not (part.is_attachment() or part.get_filename()))]


def _body(mail: EmailMessage) -> str:
    parts = [(part.get_content_type(), _text(part)) for part in _shown(mail)]
    return "".join(text if kind == "text/html" else preformatted(text) for kind, text in parts)


def _text(part: MIMEPart) -> str:
    """A part's text; one that names no encoding, or one that nobody knows, is taken for what its bytes look like."""
    content = _bytes(part)
    try:
        return str(part.get_content()) if part.get_content_charset() or content.isascii() else text_of(content)
    except (LookupError, ValueError):
        return text_of(content)


def _bytes(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""
