"""No secret, signature, token or presigned URL in any log record or exception, however a call fails."""

from __future__ import annotations

import logging
import socket
import traceback
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from apps.storage import errors
from apps.storage.cos import CosClient
from apps.storage.types import Credentials, Endpoint
from tests.storage.conftest import client_of
from tests.storage.identity import SECRET_ID, SECRET_KEY
from tests.storage.operations import BY_METHOD, Operation
from tests.storage.recorder import Recorder, Step, drop, reply, unnumbered
from tests.storage.test_every_operation import every

TOKEN = "TOKEN/of+a=temporary-key"


@pytest.fixture
def temporary(recorder: Recorder, caplog: pytest.LogCaptureFixture) -> Iterator[CosClient]:
    """A client with a temporary key, while everything that anybody logs is kept."""
    with caplog.at_level(logging.DEBUG):
        yield client_of(recorder, attempts=2, first_delay_s=0.001, token=TOKEN)


def gossip(recorder: Recorder, operation: Operation) -> Step:
    """Return a step that quotes, in every word of an error, what the request carried in confidence."""

    def answer(connection: socket.socket) -> None:
        headers = recorder.seen[-1].headers
        words = f"{headers.get('authorization', '')} {headers.get('x-cos-security-token', '')}".replace(
            "&", ";"
        )
        body = f"<Error><Code>{words}</Code><Message>{words}</Message><RequestId>{words}</RequestId></Error>"
        connection.sendall(reply(403, b"" if operation.is_head else body.encode(), Location=words))

    return answer


def failures(recorder: Recorder, operation: Operation) -> list[Step]:
    return [
        drop,
        reply(500),
        unnumbered(reply(502, b"", Content_Type="text/html")),
        reply(302, b"", Location=f"http://elsewhere/?q-signature={'f' * 40}"),
        reply(203),
        gossip(recorder, operation),
    ]


def spoken(error: BaseException) -> str:
    """Return all that an error says to whoever prints, logs or pickles it, with what it came from."""
    chain = [error, *filter(None, (error.__cause__, error.__context__))]
    words = [word for one in chain for word in (str(one), repr(one), repr(one.args), repr(one.__dict__))]
    return "".join([*words, *traceback.format_exception(error)])


@every
def test_failing_call_gives_nothing_away(
    recorder: Recorder, temporary: CosClient, caplog: pytest.LogCaptureFixture, operation: Operation
) -> None:
    words = []
    for step in failures(recorder, operation):
        recorder.default = reply(500)
        recorder.steps.clear()
        recorder.steps.extend([step] * 2)
        try:
            operation.call(temporary)
        except errors.StorageError as error:
            words.append(spoken(error))

    text = "".join([*words, caplog.text, *(str(record.__dict__) for record in caplog.records)])
    signatures = {seen.authorization.get("q-signature") for seen in recorder.seen} - {None}
    assert len(words) >= 5
    assert len(signatures) > 0 or operation.method == "options_object"
    for secret in (SECRET_KEY, TOKEN, *signatures):
        assert secret not in text
        assert quote(secret, safe="") not in text


@every
def test_call_that_works_is_not_logged_either(
    recorder: Recorder, temporary: CosClient, caplog: pytest.LogCaptureFixture, operation: Operation
) -> None:
    recorder.default = operation.answer

    operation.call(temporary)

    assert not [record for record in caplog.records if record.levelno >= logging.INFO]
    for secret in (SECRET_KEY, TOKEN, "q-signature"):
        assert secret not in caplog.text


def test_presigned_url_is_only_returned(temporary: CosClient, caplog: pytest.LogCaptureFixture) -> None:
    url = temporary.get_object_url(**BY_METHOD["get_object_acl"].arguments)

    with pytest.raises(errors.Refused) as caught:
        temporary.get_object_url(**{**BY_METHOD["get_object_acl"].arguments, "Key": "/k"})

    assert quote(TOKEN, safe="") in url
    assert SECRET_KEY not in url
    assert "q-signature" not in spoken(caught.value) + caplog.text
    assert TOKEN not in spoken(caught.value) + caplog.text


@pytest.mark.parametrize("method", ["put_object_copy", "multipart_upload_copy", "slice_copy_file"])
def test_presigned_source_is_not_quoted(client: CosClient, method: str) -> None:
    at = BY_METHOD["get_object_acl"].arguments
    more = {"UploadId": "u", "PartNumber": 1} if method == "multipart_upload_copy" else {}
    source = "https://cdn.example.com/a b?q-sign-algorithm=sha1&q-signature=c0ffee"

    with pytest.raises(errors.Refused, match=r"not 'https://cdn\.example\.com/a b'\.$") as caught:
        getattr(client, method)(**at, CopySource=source, **more)

    assert "c0ffee" not in spoken(caught.value)


def test_objects_that_hold_a_secret_do_not_show_it(recorder: Recorder) -> None:
    credentials = Credentials(SECRET_ID, SECRET_KEY, TOKEN)
    client = CosClient(
        credentials=credentials, endpoint=Endpoint("http", connect_to=f"127.0.0.1:{recorder.port}")
    )
    client.head_bucket(**BY_METHOD["head_bucket"].arguments)

    shown = "".join(repr(thing) for thing in (credentials, client, *vars(client).values()))
    shown += "".join(repr(thing) for thing in vars(client._signer).values())

    for secret in (SECRET_KEY, TOKEN):
        assert secret not in shown
    assert client._signer._current().sign_key not in shown
