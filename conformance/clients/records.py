"""The store's records as they stand in its database, for tests that put others in their place.

Owns a second reading of `docs/internals/storage.md`. The server must be off.
"""

import hashlib
import sqlite3
import struct


def format_of(connection):
    """The format of the database."""
    return connection.execute("PRAGMA user_version").fetchone()[0]


def check(key, value, revision):
    """The check of a record, of format 2 on."""
    text = struct.pack(">I", len(key)) + key + struct.pack(">Q", revision) + value
    return hashlib.sha256(text).digest()[:16]


def check_of_state(revision, count, total):
    """The check of the state of the whole."""
    text = b"strongroom/v1/state" + struct.pack(">QQ", revision, count) + total
    return hashlib.sha256(text).digest()[:16]


def rewrite(database, key, change):
    """Puts `change(value)` in the place of a record's value, whose check is made to fit."""
    connection = sqlite3.connect(database)
    with connection:
        value, revision = connection.execute(
            "SELECT value, revision FROM records WHERE key = ?", [key]).fetchone()
        changed = change(value)
        connection.execute("UPDATE records SET value = ? WHERE key = ?", [changed, key])
        if format_of(connection) >= 2:
            before = int.from_bytes(check(key, value, revision), "big")
            after = check(key, changed, revision)
            state, count, total = connection.execute(
                "SELECT revision, count, total FROM meta").fetchone()
            total = int.from_bytes(total, "big") - before + int.from_bytes(after, "big")
            total = (total % (1 << 128)).to_bytes(16, "big")
            connection.execute("UPDATE records SET checksum = ? WHERE key = ?", [after, key])
            connection.execute("UPDATE meta SET total = ?, checksum = ?",
                               [total, check_of_state(state, count, total)])
    connection.close()
