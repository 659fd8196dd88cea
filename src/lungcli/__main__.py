"""Lets `python -m lungcli` do what `lungcli` does."""

from lungcli.cli.start import main

main()
