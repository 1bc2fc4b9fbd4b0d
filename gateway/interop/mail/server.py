"""The site's mail server (SMTP, RFC 5321): encrypted, and its certificate checked, unless the site says otherwise."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage

from gateway.assessing.outbox_worker import NotDelivered
from gateway.settings import GatewaySettings

# Seconds for each step.
WITHIN_S = 15
PERMANENT = 500


def send(message: EmailMessage, settings: GatewaySettings) -> None:
    """Hand a mail over, and return once the server has taken it.

    Raises:
        NotDelivered: it has not; for good where it refuses this very mail or its reader.
    """
    try:
        with connected(settings) as server:
            server.send_message(message)
    except smtplib.SMTPRecipientsRefused as error:
        [(code, words)] = list(error.recipients.values())[:1]
        raise _refused(code, words) from error
    except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as error:
        raise _refused(error.smtp_code, error.smtp_error) from error
    except smtplib.SMTPException as error:
        raise NotDelivered(f"the mail server did not take it ({type(error).__name__})") from error


@contextmanager
def connected(settings: GatewaySettings) -> Iterator[smtplib.SMTP]:
    """A session with the server, signed in where it wants that.

    Raises:
        NotDelivered: there is none.
    """
    host, port = settings.smtp_host, settings.smtp_port
    if host is None or settings.smtp_from is None:
        raise NotDelivered("no mail server is set: TRABECULA_SMTP_HOST and TRABECULA_SMTP_FROM")
    try:
        tls = ssl.create_default_context(cafile=settings.smtp_ca)
        if settings.smtp_security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=WITHIN_S, context=tls)
        else:
            server = smtplib.SMTP(host, port, timeout=WITHIN_S)
    except (OSError, smtplib.SMTPException) as error:
        why = error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else type(error).__name__
        raise NotDelivered(f"the mail server cannot be reached ({why}): host, port, firewall, TLS?") from error
    try:
        _secured(server, settings, tls)
        yield server
        with suppress(OSError):  # it has the mail by now
            server.quit()
    except smtplib.SMTPException:  # which the caller tells apart
        raise
    except OSError as error:
        why = error.verify_message if isinstance(error, ssl.SSLCertVerificationError) else type(error).__name__
        raise NotDelivered(f"the connection with the mail server broke off ({why})") from error
    finally:
        server.close()


def _secured(server: smtplib.SMTP, settings: GatewaySettings, tls: ssl.SSLContext) -> None:
    """Encrypt and sign in, as the site set it up."""
    try:
        if settings.smtp_security == "starttls":
            server.starttls(context=tls)
        if settings.smtp_user is not None and settings.smtp_password is not None:
            server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
    except smtplib.SMTPAuthenticationError as error:
        raise NotDelivered(f"the mail server refuses TRABECULA_SMTP_USER ({error.smtp_code})") from error
    except smtplib.SMTPNotSupportedError as error:
        raise NotDelivered("the mail server offers no STARTTLS, or no sign-in: see TRABECULA_SMTP_SECURITY") from error


def _refused(code: int, words: bytes | str) -> NotDelivered:
    said = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return NotDelivered(f"the mail server answered {code}: {said[:200]}", for_good=code >= PERMANENT)
