"""The key pair of the signature vectors, which every client of these tests uses."""

from __future__ import annotations

SECRET_ID = "AKIDEXAMPLE0000000000000000000000000"
SECRET_KEY = "SECRETEXAMPLE000000000000000000"
