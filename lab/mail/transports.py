"""How a mail leaves the house: over SMTP, or not at all while no server is set."""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from email.message import EmailMessage
from typing import Protocol

from lab.kernel.errors import Unavailable
from lab.settings import SmtpServer

#: Seconds a mail server may take to answer each command.
TIMEOUT = 15.0


class MailServerAway(Unavailable):
    """Nobody answers, or the server says to come back later: nothing is wrong with this mail."""


class MailPostponed(Unavailable):
    """The server is there but wants this one mail later (a full mailbox, a greylist)."""


class MailRefused(Exception):
    """The server will not take this mail, now or later; trying again is of no use."""


class Transport(Protocol):
    """Something that takes a finished message."""

    def send(self, message: EmailMessage) -> None:
        """Hand the message over. Raises `MailServerAway`, `MailPostponed` or `MailRefused`."""
        ...


class SmtpTransport:
    """One connection for each mail, with the encryption and sign-in that the settings ask for."""

    def __init__(self, server: SmtpServer, *, timeout: float = TIMEOUT) -> None:
        self._server = server
        self._timeout = timeout

    def send(self, message: EmailMessage) -> None:
        """Hand the message over; returns once the server has said that it has it."""
        smtp = self._connected()
        try:
            smtp.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            raise _trouble(max(code for code, _ in error.recipients.values()), "recipient") from error
        except smtplib.SMTPResponseException as error:
            raise _trouble(error.smtp_code, type(error).__name__) from error
        except (OSError, smtplib.SMTPException) as error:
            raise MailServerAway(type(error).__name__) from error
        finally:
            # What the server says to our goodbye changes nothing: it has taken the mail or it has not.
            with contextlib.suppress(OSError, smtplib.SMTPException):
                smtp.quit()
            smtp.close()

    def _connected(self) -> smtplib.SMTP:
        try:
            return self._connect()
        except (OSError, smtplib.SMTPException) as error:
            # A wrong password or no TLS is a setting to put right, not a fault of the mail.
            raise MailServerAway(type(error).__name__) from error

    def _connect(self) -> smtplib.SMTP:
        server = self._server
        trusted = ssl.create_default_context()
        smtp: smtplib.SMTP
        if server.tls == "tls":
            smtp = smtplib.SMTP_SSL(server.host, server.port, timeout=self._timeout, context=trusted)
        else:
            smtp = smtplib.SMTP(server.host, server.port, timeout=self._timeout)
        try:
            if server.tls == "starttls":
                smtp.starttls(context=trusted)
            if server.username:
                smtp.login(server.username, server.password)
        except BaseException:
            smtp.close()
            raise
        return smtp


def transport_for(server: SmtpServer | None) -> Transport | None:
    """The way out, or None: mails then wait in the outbox, where administrators can read them."""
    return SmtpTransport(server) if server else None


def _trouble(code: int, what: str) -> Exception:
    if code == 421:
        return MailServerAway(f"{code} {what}")
    return MailRefused(f"{code} {what}") if code >= 500 else MailPostponed(f"{code} {what}")
