"""What the upload sheet asks before the first byte."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.core.exceptions import ValidationError
from django.http import HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from apps.connections.guards import ConnectionRequest, connection_required
from apps.connections.models import Role
from apps.connections.rules import explain
from apps.storage.errors import Refused, StorageError
from apps.storage.keys import visible
from apps.storage.multipart import plan_parts
from apps.transfers.forms.preflight import Asked, files_asked
from apps.transfers.names import NameProblem, name_problem
from apps.transfers.paths import Path, origin_of, path_for
from apps.transfers.services.preflight import Look, State, Wanted, uploads_look
from apps.transfers.views.answers import refusal, status_of


@require_POST
@connection_required(Role.WRITER)
def upload_preflight(request: ConnectionRequest, connection: str, bucket: str) -> HttpResponse:
    try:
        asked = files_asked(request.body)
    except ValidationError as error:
        return refusal(HTTPStatus.BAD_REQUEST, error.messages[0])
    try:
        answers = _answers(request, asked)
        path = path_for(request.connection, bucket, origin_of(request))
        return JsonResponse({"files": answers, "path": _path_json(path)})
    except StorageError as error:
        words = explain(error)
        sentence = f"{words.title} {words.advice}".strip()
        return refusal(status_of(error), sentence, code=words.code, request_id=words.request_id)


def _path_json(path: Path) -> dict[str, Any]:
    """Return which way the files will take, and why, in words; `problem` where they cannot be sent at all."""
    if path.is_impossible:
        return {"problem": _("Files may only be sent directly here. %(why)s") % {"why": path.text}}
    return {"words": path.way.label, "why": path.text}


def _answers(request: ConnectionRequest, asked: Asked) -> list[dict[str, Any]]:
    problems = {one.key: _problem(one, asked.prefix) for one in asked.files}
    possible = [one for one in asked.files if not _is_refused(problems[one.key])]
    looks = uploads_look(request.store, bucket=request.bucket, region=request.region, wanted=possible)
    return [_answer(problems[one.key], looks.get(one.key)) for one in asked.files]


def _problem(wanted: Wanted, prefix: str) -> NameProblem | None:
    try:
        plan_parts(wanted.size)
    except Refused as error:
        return NameProblem(error.message, is_refused=True)
    return name_problem(wanted.key, prefix=prefix)


def _is_refused(problem: NameProblem | None) -> bool:
    return problem is not None and problem.is_refused


def _answer(problem: NameProblem | None, look: Look | None) -> dict[str, Any]:
    answer = _look_json(look) if look is not None else {"state": "problem"}
    problem = problem or (_neighbor_problem(look) if look is not None else None)
    if problem is None:
        return answer
    return answer | {
        "state": "problem",
        "stands": answer["state"],
        "problem": problem.sentence,
        "refused": problem.is_refused,
        "better": problem.better,
    }


def _neighbor_problem(look: Look) -> NameProblem | None:
    if look.is_folder:
        return NameProblem(_("There is a folder with this name already."), is_refused=False)
    if look.twin:
        sentence = _("“%(key)s” is there already and differs in upper and lower case only.")
        return NameProblem(sentence % {"key": visible(look.twin)}, is_refused=False)
    return None


def _look_json(look: Look) -> dict[str, Any]:
    answer: dict[str, Any] = {"state": look.state.value}
    if look.there is not None:
        modified_at = look.there.modified_at
        answer |= {"size": look.there.size, "modified": modified_at and modified_at.isoformat()}
        answer |= {"crc64": look.crc64, "etag": look.there.etag}
    if look.state is State.UNKNOWN:
        answer["problem"] = _unknown_words(look.error)
    return answer


def _unknown_words(error: StorageError | None) -> str:
    if error is None:
        return _("Not checked: the store took too long. It is looked at again before anything is replaced.")
    words = explain(error)
    return f"{_('Not checked:')} {words.title} {words.advice}".strip()
