"""The version of lungcli; below everything, so that anything may say it."""

__version__ = "0.1.0"
