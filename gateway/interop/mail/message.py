"""The mail of an event: what kind of thing happened, and where to look. Whom it is about stands behind the sign-in."""

from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from gateway.records.outbox import Delivery

SUBJECTS = {
    "alert.urgent": "Trabecula: an emergency was found",
    "alert.unacknowledged": "Trabecula: nobody is looking at an emergency",
}
OPENINGS = {
    "alert.urgent": "An assessment advises to see to a patient at once.",
    "alert.unacknowledged": "An assessment advised to see to a patient at once, and nobody says to be looking at it.",
}
ALARMS = frozenset(SUBJECTS)
LONGEST_LINE = 998


def mail_of(delivery: Delivery, sender: str, to: str, public_url: str | None) -> EmailMessage:
    """The mail: the same at each attempt, so that one that came twice is known by its Message-ID.

    Args:
        public_url: where people reach the gateway; null where the site has not said so.
    """
    kind = delivery.event_type
    is_alert = kind.startswith("alert.")
    page = "alerts" if is_alert else f"assessments/{delivery.subject}" if kind.startswith("assessment.") else ""
    where = f"{public_url.rstrip('/')}/{page}" if public_url else "Trabecula, page Alerts" if is_alert else "Trabecula"
    lines = [
        OPENINGS.get(kind, f"Event: {kind}."),
        "",
        f"Sign in and look: {where}",
        f"Time: {delivery.created_at:%Y-%m-%d %H:%M} UTC. Reference: {delivery.subject}",
        "",
        "This mail says nothing about the patient on purpose. Research software, not a medical device.",
    ]
    made = EmailMessage(policy=SMTP)
    made["From"], made["To"] = Address(addr_spec=sender), Address(addr_spec=to)
    made["Subject"] = SUBJECTS.get(kind, f"Trabecula: {kind}")
    made["Date"] = delivery.created_at
    made["Message-ID"] = f"<{delivery.event_id}@{sender.rpartition('@')[2]}>"
    made["Auto-Submitted"] = "auto-generated"
    if kind in ALARMS:
        made["Importance"], made["X-Priority"] = "high", "1"
    made.set_content("\n".join(lines))
    return made
