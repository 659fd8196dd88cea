"""The servers that a step may need: a web site, and S3."""

import functools
import http.server
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

S3_KEYS: Final = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


@contextmanager
def serve(kind: str, folder: Path, bucket: str) -> Iterator[dict[str, str]]:
    """Serve what is in `site` of a folder.

    Args:
        kind: `web`, `s3`, or nothing.
        folder: Of the step.
        bucket: Its name in S3, of which there is one in this process.

    Yields:
        What commands call the server, and what they need in their environment.
    """
    if kind == "web":
        with _web(folder / "site") as address:
            yield {"web": address}
    elif kind == "s3":
        with _s3(folder, bucket) as endpoint:
            yield {"s3": f"s3://{bucket}", "AWS_ENDPOINT_URL": endpoint}
    else:
        yield {}


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""


@contextmanager
def _web(folder: Path) -> Iterator[str]:
    handler = functools.partial(_Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@contextmanager
def _s3(folder: Path, bucket: str) -> Iterator[str]:
    """Serve `site` as a bucket; what is in it at the end comes to lie in `bucket`."""
    import s3fs  # noqa: PLC0415 - of the tests only
    from moto.server import ThreadedMotoServer  # noqa: PLC0415

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    endpoint = "http://{}:{}".format(*server.get_host_and_port())
    keys = {"key": "testing", "secret": "testing", "endpoint_url": endpoint}
    s3 = s3fs.S3FileSystem(**keys, skip_instance_cache=True)
    s3.mkdir(bucket)
    s3.put(f"{folder / 'site'}/", f"{bucket}/", recursive=True)
    yield endpoint
    s3.invalidate_cache()
    s3.get(f"{bucket}/", f"{folder / 'bucket'}/", recursive=True)
    server.stop()
