from __future__ import annotations

import socket
import threading
from html import unescape

import pytest
from django.test import Client, override_settings

from apps.accounts.models import Person
from apps.connections import services
from apps.connections.models import Connection, ConnectionMember, Role
from apps.connections.services import bucket_region, store_for
from apps.jobs.models import Job
from apps.localstore.server import LocalStore
from apps.transfers.models import Transfer
from tests.conftest import ACCOUNT

NEW = "/connections/new/"
HTMX = {"HX-Request": "true"}


def fields(port: int, **changed: str) -> dict[str, str]:
    return {
        "name": "Production",
        "appid": ACCOUNT.appid,
        "secret_id": ACCOUNT.secret_id,
        "secret_key": ACCOUNT.secret_key,
        "token": "",
        "default_region": "",
        "scheme": "http",
        "suffix": "myqcloud.com",
        "connect_to": f"127.0.0.1:{port}",
    } | changed


def test_new_connection_works_at_once(owner: Person, owner_client: Client, local_store: LocalStore) -> None:
    response = owner_client.post(NEW, fields(local_store.port))

    connection = Connection.objects.get()
    assert response["Location"] == "/connections/production/"
    assert connection.owner == owner
    store_for(connection).list_buckets()


def test_secret_is_encrypted_and_never_rendered(owner_client: Client, local_store: LocalStore) -> None:
    owner_client.post(NEW, fields(local_store.port, token="secret-token"))

    connection = Connection.objects.get()
    pages = [owner_client.get("/connections/"), owner_client.get("/connections/production/")]
    assert ACCOUNT.secret_key.encode() not in bytes(connection.encrypted_secret_key)
    assert ACCOUNT.secret_key not in repr(vars(connection))
    for page in pages:
        assert ACCOUNT.secret_key not in page.content.decode()
        assert "secret-token" not in page.content.decode()


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "", "This field is required."),
        ("appid", "12a", "An APPID has digits only"),
        ("secret_id", "AK ID", "A key has no spaces or line breaks."),
        ("secret_key", "", "Enter the SecretKey that belongs to the SecretId."),
        ("suffix", "https://x", "Enter a domain such as myqcloud.com"),
        ("connect_to", "localhost", "Enter host:port"),
        ("connect_to", "localhost:99999", "Enter host:port"),
        ("default_region", "Guangzhou", "Enter a region such as ap-guangzhou."),
    ],
)
def test_invalid_input_keeps_the_fields_but_not_the_secret(
    owner_client: Client, local_store: LocalStore, field: str, value: str, sentence: str
) -> None:
    response = owner_client.post(NEW, fields(local_store.port, **{field: value}))
    page = unescape(response.content.decode())

    assert response.status_code == 200
    assert sentence in page
    assert ACCOUNT.secret_key not in page
    assert 'value="Production"' in page or field == "name"
    assert not Connection.objects.exists()


def test_equal_names_get_addresses_of_their_own(owner_client: Client, local_store: LocalStore) -> None:
    for name in ("Production", "production", "生产", "New", "Test"):
        owner_client.post(NEW, fields(local_store.port, name=name))

    slugs = set(Connection.objects.values_list("slug", flat=True))
    assert slugs == {"production", "production-2", "connection", "new-2", "test-2"}


def test_empty_secret_keeps_the_saved_one(
    owner_client: Client, connection: Connection, local_store: LocalStore
) -> None:
    before = bytes(connection.encrypted_secret_key)

    owner_client.post(
        f"/connections/{connection.slug}/", fields(local_store.port, name="Renamed", secret_key="")
    )

    connection.refresh_from_db()
    assert (connection.name, connection.slug) == ("Renamed", "local")
    assert bytes(connection.encrypted_secret_key) == before


def test_another_secret_id_needs_its_key(
    owner_client: Client, connection: Connection, local_store: LocalStore
) -> None:
    page = owner_client.post(
        f"/connections/{connection.slug}/", fields(local_store.port, secret_id="AKIDOTHER", secret_key="")
    ).content.decode()

    assert "This is another SecretId: enter its SecretKey too." in page


@pytest.mark.parametrize("action", ["", "test/"])
@pytest.mark.parametrize(
    "changed",
    [{"scheme": "https"}, {"scheme": ""}, {"suffix": "example.com"}, {"connect_to": ""}],
    ids=["scheme", "no scheme", "suffix", "connect_to"],
)
def test_saved_key_is_not_sent_to_another_address(
    owner_client: Client,
    connection: Connection,
    local_store: LocalStore,
    action: str,
    changed: dict[str, str],
) -> None:
    values = fields(local_store.port, secret_key="") | changed

    page = owner_client.post(f"/connections/{connection.slug}/{action}", values)

    saved = Connection.objects.get()
    assert "This is another address: enter the SecretKey again." in page.content.decode()
    assert (saved.scheme, saved.suffix) == ("http", "myqcloud.com")
    assert saved.connect_to == f"127.0.0.1:{local_store.port}"


@pytest.mark.parametrize("action", ["", "test/"])
def test_temporary_key_is_entered_again_with_its_token(
    owner_client: Client, connection: Connection, local_store: LocalStore, action: str
) -> None:
    services.connection_update(connection, secret_key=ACCOUNT.secret_key, token="saved-token")
    url = f"/connections/{connection.slug}/{action}"

    page = owner_client.post(url, fields(local_store.port, suffix="example.com")).content.decode()

    connection.refresh_from_db()
    assert "This is another address: enter the token again too." in page
    assert connection.suffix == "myqcloud.com"


def test_another_address_is_saved_with_the_key(
    owner_client: Client, connection: Connection, local_store: LocalStore
) -> None:
    url = f"/connections/{connection.slug}/"
    services.connection_update(connection, secret_key=ACCOUNT.secret_key, token="saved-token")

    owner_client.post(url, fields(local_store.port, suffix="example.com", token="saved-token"))
    with_token = Connection.objects.get().suffix
    owner_client.post(url, fields(local_store.port, suffix="example.org", secret_id="AKIDPERMANENT"))

    assert (with_token, Connection.objects.get().suffix) == ("example.com", "example.org")


def test_changed_key_takes_effect_at_once(
    owner_client: Client, connection: Connection, local_store: LocalStore
) -> None:
    first = store_for(connection)

    owner_client.post(f"/connections/{connection.slug}/", fields(local_store.port, secret_key="another"))

    connection.refresh_from_db()
    assert store_for(connection) is not first
    assert store_for(connection) is store_for(Connection.objects.get())


def test_test_before_saving_counts_buckets_and_saves_nothing(
    owner_client: Client, local_store: LocalStore
) -> None:
    page = owner_client.post("/connections/test/", fields(local_store.port), headers=HTMX).content.decode()

    assert "It works: the key lists" in page
    assert "<html" not in page
    assert not Connection.objects.exists()


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"secret_id": "AKIDNOBODY"}, "The store does not know this SecretId."),
        ({"secret_key": "wrong"}, "The SecretKey does not belong to this SecretId."),
        ({"name": ""}, "Not tested yet: some fields need attention."),
        ({"connect_to": "no-such-host.invalid:80"}, "The host name of the store cannot be found (DNS)."),
    ],
)
def test_test_says_what_is_wrong(
    owner_client: Client, local_store: LocalStore, changed: dict[str, str], sentence: str
) -> None:
    response = owner_client.post("/connections/test/", fields(local_store.port, **changed), headers=HTMX)

    assert sentence in unescape(response.content.decode())


def test_test_names_what_is_not_tls(owner_client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_answer_plainly, args=[server])
        thread.start()
        values = fields(server.getsockname()[1], scheme="https")
        page = owner_client.post("/connections/test/", values, headers=HTMX).content.decode()
        server.shutdown(socket.SHUT_RDWR)
        thread.join()

    assert "No trusted TLS connection to the store is possible." in page


def test_silent_store_does_not_hold_up_the_test(
    owner_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "CHECK_TIMEOUT_S", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        values = fields(silent.getsockname()[1])
        page = owner_client.post("/connections/test/", values, headers=HTMX).content.decode()

    assert "The store did not answer in time." in page


def _answer_plainly(server: socket.socket) -> None:
    while True:
        try:
            line, _ = server.accept()
        except OSError:
            return
        with line:
            line.recv(65536)
            line.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def test_test_names_a_wrong_clock(owner_client: Client, local_store: LocalStore) -> None:
    local_store.faults.add("clock_skew", seconds=7200, count=None)

    page = owner_client.post("/connections/test/", fields(local_store.port), headers=HTMX).content.decode()

    assert "clock" in page


def test_test_names_a_refused_connection(owner_client: Client) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    page = owner_client.post("/connections/test/", fields(port), headers=HTMX).content.decode()

    assert "The store refused the network connection." in page


def test_test_of_a_saved_connection_uses_the_saved_key(
    owner_client: Client, connection: Connection, local_store: LocalStore
) -> None:
    response = owner_client.post(
        f"/connections/{connection.slug}/test/", fields(local_store.port, name="Draft", secret_key="")
    )
    page = response.content.decode()

    connection.refresh_from_db()
    assert "It works: the key lists" in page
    assert "<html" in page
    assert connection.name == "Local"


def test_lost_credential_key_is_told(
    owner_client: Client, connection: Connection, local_store: LocalStore
) -> None:
    with override_settings(CREDENTIAL_KEYS=["another key"]):
        # A store that is open already keeps working; a process that starts anew cannot read the key.
        services._store_opened.cache_clear()
        buckets = owner_client.get("/buckets/")
        page = owner_client.post(
            f"/connections/{connection.slug}/test/", fields(local_store.port, secret_key="")
        )

    for response in (buckets, page):
        assert "CREDENTIAL_KEYS has changed" in response.content.decode()


def test_rotated_credential_key_still_reads(connection: Connection, settings: object) -> None:
    settings.CREDENTIAL_KEYS = ["a new key", *settings.CREDENTIAL_KEYS]  # type: ignore[attr-defined]

    store_for(connection).list_buckets()


def test_deletion_needs_the_typed_name(owner_client: Client, connection: Connection) -> None:
    url = f"/connections/{connection.slug}/delete/"

    wrong = owner_client.post(url, {"name": "local"})
    right = owner_client.post(url, {"name": "Local"})

    assert "Type Local to confirm." in wrong.content.decode()
    assert right["Location"] == "/connections/"
    assert not Connection.objects.exists()


def test_deletion_waits_for_jobs(owner: Person, owner_client: Client, connection: Connection) -> None:
    job = Job.objects.create(kind=Job.Kind.COPY, feature="transfers", owner=owner, title="t", place="p")
    Transfer.objects.create(
        job=job, connection=connection, bucket="b-1", region="r", key="k", size=1, part_size=1
    )

    response = owner_client.post(f"/connections/{connection.slug}/delete/", {"name": "Local"})

    assert "Jobs that use this connection are not finished yet." in response.content.decode()
    assert Connection.objects.exists()


def test_member_reads_what_the_connection_is_and_changes_nothing(
    member_client: Client, connection: Connection, local_store: LocalStore
) -> None:
    page = member_client.get(f"/connections/{connection.slug}/").content.decode()

    assert "Your role" in page
    assert ACCOUNT.secret_id not in page
    for path in ("", "test/", "delete/", "members/"):
        response = member_client.post(f"/connections/{connection.slug}/{path}", fields(local_store.port))
        assert response.status_code == 403
    connection.refresh_from_db()
    assert connection.name == "Local"


def test_stranger_gets_404(stranger_client: Client, connection: Connection, local_store: LocalStore) -> None:
    assert stranger_client.get(f"/connections/{connection.slug}/").status_code == 404
    assert "Local" not in stranger_client.get("/connections/").content.decode()


def test_superuser_reaches_everything(
    stranger: Person, stranger_client: Client, connection: Connection
) -> None:
    stranger.is_superuser = True
    stranger.save()

    assert stranger_client.get(f"/connections/{connection.slug}/").status_code == 200
    assert "Local" in stranger_client.get("/connections/").content.decode()


def test_person_is_let_in_promoted_and_shown_out(
    owner_client: Client, stranger: Person, stranger_client: Client, connection: Connection
) -> None:
    url = f"/connections/{connection.slug}/members/"

    owner_client.post(url, {"person": "Stranger", "role": Role.READER})
    owner_client.post(url, {"person": "stranger", "role": Role.WRITER})
    let_in = stranger_client.get(f"/connections/{connection.slug}/")
    member = ConnectionMember.objects.get()
    owner_client.post(f"{url}{member.pk}/remove/")

    assert member.role == Role.WRITER
    assert let_in.status_code == 200
    assert stranger_client.get(f"/connections/{connection.slug}/").status_code == 404


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("nobody", "Nobody signs in as “nobody”."), ("owner", "owner owns this connection")],
)
def test_impossible_member_gets_a_sentence(
    owner_client: Client, connection: Connection, name: str, sentence: str
) -> None:
    page = owner_client.post(f"/connections/{connection.slug}/members/", {"person": name, "role": 1})

    assert sentence in unescape(page.content.decode())
    assert f'value="{name}"' in page.content.decode()


def test_member_of_another_connection_cannot_be_removed_through_this_one(
    owner_client: Client,
    stranger_client: Client,
    member: Person,
    connection: Connection,
    other_connection: Connection,
) -> None:
    row = ConnectionMember.objects.get()

    response = stranger_client.post(f"/connections/{other_connection.slug}/members/{row.pk}/remove/")

    assert response.status_code == 404
    assert ConnectionMember.objects.exists()


def test_region_is_asked_once(connection: Connection, bucket: str, local_store: LocalStore) -> None:
    first = bucket_region(connection, bucket)
    local_store.faults.add("error", operation="GetService", count=None, status=403, code="AccessDenied")

    assert bucket_region(connection, bucket) == first
