# SPDX-License-Identifier: GPL-2.0-or-later
"""A Postgres server of the tests' own: in a temporary folder, on a port of loopback that was free."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

_PLACES = "/usr/lib/postgresql/*/bin/initdb"


def find_programs() -> Path | None:
    """The folder of the newest server's programs; Debian keeps them out of PATH."""
    found = sorted(Path("/").glob(_PLACES.lstrip("/")), key=lambda path: int(path.parts[-3]), reverse=True)
    if found:
        return found[0].parent
    program = shutil.which("initdb")
    return Path(program).parent if program else None


@dataclass
class Server:
    """A server that can be stopped and started."""

    folder: Path
    programs: Path
    port: int
    made: list[str] = field(default_factory=list)

    def start(self) -> None:
        options = f"-p {self.port} -h 127.0.0.1 -k {self.folder} -c fsync=on -c log_min_messages=warning"
        self._run(
            "pg_ctl", "-D", str(self.data), "-w", "-t", "60", "-l", str(self.folder / "log"), "-o", options, "start"
        )

    def stop(self, mode: str = "fast") -> None:
        self._run("pg_ctl", "-D", str(self.data), "-w", "-m", mode, "stop")

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def url(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def new_database(self) -> str:
        """The URL of an empty database."""
        name = f"bot{len(self.made)}"
        self.made.append(name)
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")  # type: ignore[arg-type]
        return self.url(name)

    def initialise(self) -> None:
        self._run("initdb", "-D", str(self.data), "-A", "trust", "-U", "postgres", "--no-sync", "-E", "UTF8")

    def _run(self, program: str, *arguments: str) -> None:
        command = [*_as_postgres(), str(self.programs / program), *arguments]
        # pg_ctl's server keeps what it inherits: with a pipe here, run() would wait for the server's end.
        with tempfile.TemporaryFile() as output:
            answer = subprocess.run(command, cwd="/", stdin=subprocess.DEVNULL, stdout=output, stderr=output)
            output.seek(0)
            assert answer.returncode == 0, output.read().decode(errors="replace")


@contextlib.contextmanager
def running_server() -> Iterator[Server]:
    """A server, gone after the block. FileNotFoundError where none is installed."""
    programs = find_programs()
    if programs is None:
        raise FileNotFoundError("no Postgres server is installed here (Debian: postgresql)")
    folder = Path(tempfile.mkdtemp(prefix="seriestool-postgres-", dir="/tmp"))
    server = Server(folder, programs, _free_port())
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        server.initialise()
        server.start()
        yield server
    finally:
        with contextlib.suppress(AssertionError):
            server.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)


def _as_postgres() -> list[str]:
    """The server refuses to run as root."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"]


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


if __name__ == "__main__":
    with running_server() as running:
        print(running.new_database(), flush=True)
        time.sleep(10**6)
