"""Runs Canaille, a real OpenID Connect provider, with a hospital's people: started by test_canaille.py in .venv-oidc.

One argument: a JSON file with `port`, `people`, `groups` and `client`. It prints "ready", and then does what each line
on its standard input says, as an administrator of the provider would: {"lock": NAME}, {"groups": {...}},
{"rotate_key": true}.
"""

import datetime as dt
import json
import logging
import sys
import threading
from pathlib import Path

import canaille
from canaille.app import models
from canaille.backends import Backend
from joserfc.jwk import RSAKey
from werkzeug.serving import make_server

wanted = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))


def key():
    return RSAKey.generate_key(2048, auto_kid=True).as_dict(private=True)


app = canaille.create_app(
    {
        "SECRET_KEY": "the provider of a hospital that there is not",
        "WTF_CSRF_ENABLED": False,
        "CANAILLE": {"DATABASE": "memory", "ENABLE_REGISTRATION": False, "ENABLE_PASSWORD_RECOVERY": False},
        "CANAILLE_OIDC": {"ACTIVE_JWKS": [key()], "TRUSTED_DOMAINS": ["127.0.0.1"], "REQUIRE_NONCE": True},
    },
    env_file="",
)
logging.disable(logging.WARNING)


def set_groups(groups):
    """Who is in which group, from now on; the people know it, too."""
    with Backend.instance.session():
        for group in Backend.instance.query(models.Group):
            Backend.instance.delete(group)
        for name, members in groups.items():
            people = [Backend.instance.get(models.User, user_name=member) for member in members]
            Backend.instance.save(models.Group(display_name=name, members=people))


def seed():
    with Backend.instance.session():
        for name, (email, password) in wanted["people"].items():
            user = models.User(
                user_name=name, family_name=name.title(), formatted_name=name.title(), emails=[email], password=password
            )
            Backend.instance.save(user)
        client = models.Client(**wanted["client"], client_id_issued_at=dt.datetime.now(dt.UTC))
        Backend.instance.save(client)
        client.audience = [client]
        Backend.instance.save(client)
    set_groups(wanted["groups"])


def obey(order):
    if "lock" in order:
        with Backend.instance.session():
            user = Backend.instance.get(models.User, user_name=order["lock"])
            user.lock_date = dt.datetime.now(dt.UTC) - dt.timedelta(minutes=1)
            Backend.instance.save(user)
    if "groups" in order:
        set_groups(order["groups"])
    if "rotate_key" in order:
        app.config["CANAILLE_OIDC"]["ACTIVE_JWKS"] = [key()]


with app.app_context():
    seed()
server = make_server("127.0.0.1", wanted["port"], app, threaded=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
print("ready", flush=True)
for line in sys.stdin:
    with app.app_context():
        obey(json.loads(line))
    print("done", flush=True)
