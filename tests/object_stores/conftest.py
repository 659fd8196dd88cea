"""An S3-compatible server on loopback, and a line to it that can be cut."""

import asyncio
import logging
import threading

import pytest

from lungcli.stores import objects as stores

KEYS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "hush-hush",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_MAX_ATTEMPTS": "1",  # botocore's own; s3fs and lungcli try again, too
    "AWS_CONFIG_FILE": "/nonexistent",
    "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class Line:
    """A TCP proxy that breaks connections in the middle of what they carry.

    Attributes:
        every: Bytes after which a connection is cut, over and over; 0 cuts none.
        most: How often at most.
        barred: A part of a request's first line: what such a request carries is cut,
            each time.
        num_cuts: How often a connection was cut.
    """

    def __init__(self, port):
        self._port = port
        self.every, self.most, self.barred, self.num_cuts = 0, 0, "", 0
        self._carried = 0
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    def close(self):
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)

    def _run(self):
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self):
        self._stop = asyncio.Event()
        self._open = set()
        server = await asyncio.start_server(self._connect, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()
        for writer in list(self._open):
            writer.transport.abort()
        await asyncio.sleep(0.05)

    async def _connect(self, reader, writer):
        near, far = writer, None
        try:
            there, far = await asyncio.open_connection("127.0.0.1", self._port)
            self._open |= {near, far}
            state = {"barred": False}
            await asyncio.gather(
                self._carry(reader, far, near, state, asking=True),
                self._carry(there, near, far, state, asking=False),
            )
        except OSError:
            pass
        finally:
            for each in filter(None, (near, far)):
                self._open.discard(each)
                each.transport.abort()

    async def _carry(self, reader, writer, other, state, *, asking):
        while data := await reader.read(2**14):
            if asking and b"HTTP/1.1" in data.partition(b"\r\n")[0]:
                first = data.partition(b"\r\n")[0].decode()
                state["barred"] = bool(self.barred) and self.barred in first
            if self._is_time(len(data)) or (state["barred"] and not asking):
                self.num_cuts += 1
                writer.write(data[: len(data) // 2])
                await asyncio.sleep(0.005)
                writer.transport.abort()
                other.transport.abort()
                return
            writer.write(data)
            await writer.drain()
        writer.close()

    def _is_time(self, size):
        self._carried += size
        if not self.every or self._carried < self.every or self.num_cuts >= self.most:
            return False
        self._carried = 0
        return True


@pytest.fixture(scope="session")
def s3_port():
    """The port of an S3-compatible server."""
    pytest.importorskip("s3fs", reason="s3fs is missing: pip install 'lungcli[s3]'")
    server = pytest.importorskip(
        "moto.server", reason="moto is missing: pip install 'moto[s3]' flask flask-cors"
    )
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    running = server.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    running.start()
    yield running.get_host_and_port()[1]
    running.stop()


@pytest.fixture
def line(s3_port):
    """A line to the server that can be cut."""
    made = Line(s3_port)
    yield made
    made.close()


@pytest.fixture
def s3(s3_port, line, monkeypatch):
    """A file system of an empty server, as the tests look at it: not over the line."""
    import s3fs

    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{line.port}")
    monkeypatch.setattr(stores, "PAUSES", (0.01, 0.01))
    monkeypatch.setattr(s3fs.S3FileSystem, "retries", 2)  # it waits in between
    stores._connection.cache_clear()
    direct = f"http://127.0.0.1:{s3_port}"
    system = s3fs.S3FileSystem(
        endpoint_url=direct, use_listings_cache=False, skip_instance_cache=True
    )
    system.mkdir("scans")
    yield system
    system.rm("scans", recursive=True)
    stores._connection.cache_clear()
