"""Paths for supervisors and tests, served on a bare address only.

    GET    /-/health    200 `ok`, for whoever
    GET    /-/faults    the rules that can still strike
    POST   /-/faults    add a rule: the fields of `faults.Fault` as JSON
    DELETE /-/faults    remove all rules
    GET    /-/journal   the last 1000 requests: operation, host, key, status
           /-/accounts  further key pairs, see `control_accounts`

All but the first need the header `x-localstore-control` with the token that
the server was started with; without a token they do not exist.
"""

from __future__ import annotations

import hmac
import json
import re

from apps.localstore.bodies import Body
from apps.localstore.control_accounts import Register
from apps.localstore.dispatch import Dispatcher
from apps.localstore.errors import StoreError
from apps.localstore.request import Request
from apps.localstore.responses import Response
from apps.localstore.targets import place_of

HEADER = "x-localstore-control"
BODY_LIMIT = 65536


def _json(value: object, status: int = 200) -> Response:
    return Response(status, [("Content-Type", "application/json")], json.dumps(value).encode())


def _refused(error: Exception, *, status: int = 400, closes: bool = False) -> Response:
    response = _json({"error": str(error)}, status)
    response.closes = closes
    return response


def control_answer(
    request: Request, body: Body, dispatcher: Dispatcher, register: Register, token: str | None
) -> Response | None:
    """Return the answer to a control request, or None when the request is none."""
    place = place_of(request.host)
    if place is None or not place.bare or not request.path.startswith("/-/"):
        return None
    if request.path == "/-/health" and request.method in ("GET", "HEAD"):
        return Response(headers=[("Content-Type", "text/plain")], body=b"ok\n")
    given = request.headers.get(HEADER).encode("latin-1")
    if not token or not hmac.compare_digest(given, token.encode()):
        return _json({"error": "not found"}, 404)
    try:
        return _served(request, body, dispatcher, register)
    except StoreError as error:
        # The body is too long, or no body: what follows it on the connection is unknown.
        return _refused(error, status=error.status, closes=True)
    except RecursionError as error:
        return _refused(error)


def _served(request: Request, body: Body, dispatcher: Dispatcher, register: Register) -> Response:
    if request.path == "/-/journal" and request.method == "GET":
        return _json(list(dispatcher.journal))
    if request.path == "/-/faults":
        return _faults(request, body, dispatcher)
    if request.path == "/-/accounts":
        return _accounts(request, body, register)
    return _json({"error": "not found"}, 404)


def _faults(request: Request, body: Body, dispatcher: Dispatcher) -> Response:
    if request.method == "GET":
        return _json(dispatcher.faults.listed())
    if request.method == "DELETE":
        dispatcher.faults.clear()
        return Response(204)
    if request.method != "POST":
        return _json({"error": "method not allowed"}, 405)
    try:
        return _json({"id": dispatcher.faults.add(**json.loads(body.read(BODY_LIMIT)))})
    except (TypeError, ValueError, re.error) as error:
        return _refused(error)


def _accounts(request: Request, body: Body, register: Register) -> Response:
    if request.method == "GET":
        return _json(register.listed())
    if request.method == "DELETE":
        known = register.forget(request.query.get("secret_id"))
        return Response(204) if known else _json({"error": "not found"}, 404)
    if request.method != "POST":
        return _json({"error": "method not allowed"}, 405)
    try:
        return _json(register.make(json.loads(body.read(BODY_LIMIT) or b"{}")))
    except (TypeError, ValueError, OverflowError) as error:
        return _refused(error)
