"""Alarms as mail by the site's own mail server: a kind and a link, and not a word about any patient."""
