"""Starts PostgreSQL in a stand-in for the official image: the same variables, folders and order of things."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

BIN = Path("/opt/postgres/bin")
DATA = Path("/var/lib/postgresql/18/docker")
FIRST = Path("/docker-entrypoint-initdb.d")
LISTEN = ["-c", "listen_addresses=*"]


def first_start() -> None:
    """Make the databases, while nobody but this container can reach the server."""
    user, database = os.environ["POSTGRES_USER"], os.environ.get("POSTGRES_DB", os.environ["POSTGRES_USER"])
    password = Path("/tmp/password")
    password.write_text(os.environ["POSTGRES_PASSWORD"], "utf-8")
    DATA.mkdir(parents=True, mode=0o700)
    initdb = [BIN / "initdb", "-D", DATA, "-U", user, "--pwfile", password, "--auth-host=scram-sha-256"]
    subprocess.run([*initdb, "--auth-local=trust", "--no-sync"], check=True)
    password.unlink()
    with (DATA / "pg_hba.conf").open("a") as rules:
        rules.write("host all all all scram-sha-256\n")
    run = [BIN / "pg_ctl", "-D", DATA, "-w"]
    subprocess.run([*run, "-o", "-c listen_addresses=''", "start"], check=True)
    psql = [BIN / "psql", "-U", user, "-v", "ON_ERROR_STOP=1"]
    if database != "postgres":
        subprocess.run([*psql, "-d", "postgres", "-c", f'CREATE DATABASE "{database}"'], check=True)
    for script in sorted(FIRST.glob("*.sql")):
        subprocess.run([*psql, "-d", database, "-f", script], check=True)
    subprocess.run([*run, "-m", "fast", "stop"], check=True)


if not (DATA / "PG_VERSION").exists():
    first_start()
os.execv(  # noqa: S606  in place of this process, so that it gets the signals
    BIN / "postgres", ["postgres", "-D", str(DATA), *LISTEN]
)
