"""Lets `python -m lungcli` do what `lungcli` does."""

from lungcli.cli.app import main

main()
