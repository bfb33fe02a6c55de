"""What the pages are compared with: a bare Flask view of 20 bytes, and one that does a single INSERT."""

from __future__ import annotations

import os

from flask import Flask, Response
from sqlalchemy import Column, Integer, MetaData, String, Table, insert

from lab.db.engine import Database

bare = Table("bench_bare", MetaData(), Column("id", Integer, primary_key=True), Column("words", String(200)))


def create() -> Flask:
    """The yardstick application; the database comes from BENCH_DATABASE_URL."""
    app = Flask(__name__)
    database = Database(os.environ["BENCH_DATABASE_URL"])

    @app.get("/")
    def hello() -> Response:
        return Response(b"hello, neighbourhood", content_type="text/plain")

    @app.post("/insert")
    def insert_one() -> Response:
        with database.writing() as session:
            session.execute(insert(bare).values(words="x" * 120))
        return Response(b"", status=204)

    return app
