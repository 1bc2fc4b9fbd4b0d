"""Which passwords are refused: short ones, and those that somebody with a list of leaked passwords would try early.

zxcvbn carries such lists and looks for names, dates, keyboard runs, repeats and the account's own words in a password.
Its estimate of the guesses needed decides; no rule asks for digits or capitals (NIST SP 800-63B, 5.1.1.2).
"""

from shared.problems import InvalidInput

SHORTEST, LONGEST = 12, 256
# zxcvbn's "safely unguessable": 10**8 guesses and more.
GOOD_ENOUGH = 3
# What zxcvbn reads of a long one; the rest only makes it better.
READ = 72


def check_password(password: str, email: str) -> None:
    """Refuse a password that is easily guessed. Takes some milliseconds.

    Raises:
        InvalidInput: with the reason and the cure; the password is not in it.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise InvalidInput(f"password: it needs {SHORTEST} to {LONGEST} characters.", field="password")
    from zxcvbn import zxcvbn  # its lists take 15 MB, which an installation without new passwords does not need

    words = [email, *email.split("@"), *email.replace("@", ".").split("."), "trabecula"]
    estimate = zxcvbn(password[:READ], user_inputs=[word for word in words if word])
    if estimate["score"] < GOOD_ENOUGH:
        warning = estimate["feedback"]["warning"] or "It is easily guessed."
        raise InvalidInput(
            f"password: {warning} Take four or more words that do not belong together.", field="password"
        )
