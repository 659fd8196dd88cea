"""Errors that lungcli raises on purpose; anything else is a bug.

A message says what is wrong, which file, and what to do about it. The command line
prints it as one line and ends with exit status 1.
"""


class LungcliError(Exception):
    """Base class: the message is shown to the user without a traceback."""


class DatasetError(LungcliError):
    """A source folder or a prepared data set is missing, incomplete or inconsistent."""


class ImageError(LungcliError):
    """A file cannot be read as an image, or its pixels cannot be used."""


class ConfigError(LungcliError):
    """A setting is unknown or out of range."""


class ModelError(LungcliError):
    """A run folder or a model cannot be used for what was asked."""


class OutputError(LungcliError):
    """A file or folder cannot be written."""


class RemoteError(LungcliError):
    """What lies behind a URL cannot be read or written."""
