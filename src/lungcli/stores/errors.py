"""What went wrong behind a URL, in words for people."""

from typing import Final

from lungcli.errors import RemoteError
from lungcli.system.urls import Url

_EXTRAS: Final = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs"}


def lacks_credentials(error: Exception) -> bool:
    """Tell whether nobody said who is asking."""
    return "Credential" in type(error).__name__  # of botocore and of Google


def explained(url: Url, what: str, error: Exception) -> RemoteError:
    """Return an error that says in one sentence what happened, and what to do.

    What a library's text quotes, such as a signed address, is not repeated.

    Args:
        url: What it was about.
        what: What could not be done with it, e.g. `read`.
        error: Of a file system of fsspec, or of what is below it.
    """
    if isinstance(error, ImportError):
        return _missing_package(url)
    if isinstance(error, FileNotFoundError):
        why = "there is no such file, folder or bucket: check its spelling"
    elif isinstance(error, PermissionError) or lacks_credentials(error):
        why = f"access is denied: check {_credentials(url)}"
    elif isinstance(error, ValueError):
        why = "fsspec knows no such kind of URL: check its spelling"
    elif isinstance(error, NotImplementedError):
        why = "this file system cannot do that: choose another one"
    else:
        why = f"{_reason(error)}: check the connection"
    return RemoteError(f"{url} cannot be {what}; {why}.")


def _missing_package(url: Url) -> RemoteError:
    extra = _EXTRAS.get(url.scheme)
    if extra:
        remedy = f"pip install 'lungcli[{extra}]'"
    else:
        remedy = f"install the package that fsspec has {url.scheme}:// from"
    return RemoteError(f"{url} needs a package that is not installed: {remedy}.")


def _credentials(url: Url) -> str:
    if url.scheme in {"s3", "s3a"}:
        return "AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
    if url.scheme in {"gs", "gcs"}:
        return (
            "GOOGLE_APPLICATION_CREDENTIALS, or gcloud auth application-default login"
        )
    return "your credentials"


def _reason(error: Exception) -> str:
    """Say what happened, without what a library's text may quote of a URL."""
    if isinstance(error, TimeoutError):
        return "it took too long"
    if isinstance(error, ConnectionError):
        return "the connection broke off"
    return f"the connection failed ({type(error).__name__})"
