"""`python -m gateway.cli`, where the `trabecula` command is not on the path."""

from gateway.cli.main import main

main()
