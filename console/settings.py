"""Every setting of the console. Defaults run on one machine; the environment moves parts elsewhere.

This file and the run command are the only places that may know where a part lives.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import dj_database_url
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent


def env_bool(name: str, default: bool) -> bool:
    value = os.environ.get(name)
    if value is None:
        return default
    if value.lower() not in {"true", "false", "1", "0"}:
        raise ImproperlyConfigured(f"{name} must be true or false, not {value!r}.")
    return value.lower() in {"true", "1"}


def env_int(name: str, default: int) -> int:
    value = os.environ.get(name, str(default))
    try:
        return int(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {value!r}.") from None


def env_port(name: str, default: int) -> int:
    port = env_int(name, default)
    if not 0 < port < 65536:
        raise ImproperlyConfigured(f"{name} must be between 1 and 65535, not {port}.")
    return port


def env_list(name: str, default: str) -> list[str]:
    return [item.strip() for item in os.environ.get(name, default).split(",") if item.strip()]


def env_secret(name: str) -> str:
    """Return the secret from NAME_FILE, else NAME, else ''. A NAME_FILE that cannot be read is an error."""
    if path := os.environ.get(f"{name}_FILE"):
        try:
            return Path(path).read_text().strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE names a file that cannot be read: {error}.") from None
    return os.environ.get(name, "")


def data_secret(name: str) -> str:
    """Return a random secret that is kept in the data folder, created on first use.

    The file is linked into place, so that two processes starting together agree on one secret.
    """
    path = DATA_DIR / name
    if not path.exists():
        try:
            DATA_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
            draft = DATA_DIR / f".{name}.{secrets.token_hex(8)}"
            draft.touch(mode=0o600)
            draft.write_text(secrets.token_urlsafe(48))
            try:
                path.hardlink_to(draft)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        except OSError as error:
            raise ImproperlyConfigured(
                f"The data folder {DATA_DIR} cannot be written ({error.strerror}). "
                "Set DATA_DIR to a folder that this user may write."
            ) from None
    return path.read_text().strip()


DATA_DIR = Path(os.environ.get("DATA_DIR", BASE_DIR / "data")).resolve()
DEBUG = env_bool("DEBUG", False)
SECRET_KEY = env_secret("SECRET_KEY") or data_secret("secret-key")

# The keys that encrypt what connections keep: the first encrypts, all decrypt, so that a key can be rotated.
CREDENTIAL_KEYS = env_list("CREDENTIAL_KEYS", "") or [data_secret("credential-key")]

ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", "*")
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS", "")
USE_HTTPS = env_bool("USE_HTTPS", False)
if USE_HTTPS:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = USE_HTTPS
SESSION_COOKIE_NAME = "console_session"
CSRF_COOKIE_NAME = "console_csrf"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 14 * 24 * 3600
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django_htmx",
    "csp",
    "template_partials",
    "console",
    "apps.accounts",
    "apps.activity",
    "apps.connections",
    "apps.jobs",
    "apps.access",
    "apps.transfers",
    "apps.batches",
    "apps.inventory",
    "apps.buckets",
    "apps.objects",
    "apps.sharing",
    "apps.localstore",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "console.middleware.SignInMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "console.middleware.StorageErrorMiddleware",
]

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        # Checksums of files are computed beside the page.
        "worker-src": [SELF],
        # Previews: sounds, films and PDFs, which the console itself hands out as nothing that can run.
        "media-src": [SELF],
        "frame-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

ROOT_URLCONF = "console.urls"
WSGI_APPLICATION = "console.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
                "csp.context_processors.nonce",
            ],
        },
    }
]

try:
    DATABASES = {
        "default": dj_database_url.config(
            env="DATABASE_URL", default=f"sqlite:///{DATA_DIR / 'console.sqlite3'}", conn_max_age=None
        )
    }
except ValueError:
    # Its own message repeats the address, and with it the password.
    raise ImproperlyConfigured(
        "DATABASE_URL is not an address of a database, as in postgres://person:password@host/name."
    ) from None
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        # NORMAL survives every kill. A power cut may lose the last commits: those parts are sent again.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-8000;",
    }
else:
    # A connection for each of the web server's threads would be more than PostgreSQL allows by default.
    DATABASES["default"]["CONN_MAX_AGE"] = 0
    pool = {"min_size": 1, "max_size": env_int("DATABASE_CONNECTIONS", 16)}
    DATABASES["default"]["OPTIONS"] = {"pool": pool}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.Person"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "accounts:sign-in"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "accounts:sign-in"

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_COOKIE_NAME = "console_language"
TIME_ZONE = os.environ.get("TIME_ZONE", "UTC")
USE_TZ = True
USE_I18N = True

STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Files are served straight from `static/` with an ETag, so that no collectstatic step can be forgotten.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

REDIS_URL = os.environ.get("REDIS_URL", "redis://127.0.0.1:6379/0")
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_DEFAULT_QUEUE = "control"
# Short work must not wait behind long copies: a worker may serve all queues or only some of them.
CELERY_TASK_ROUTES = {
    "apps.transfers.tasks.send_part": {"queue": "slices"},
    "apps.transfers.tasks.send_files": {"queue": "slices"},
    "apps.transfers.tasks.copy_parts": {"queue": "copies"},
    "apps.transfers.tasks.walk_uploads": {"queue": "copies"},
    "apps.inventory.tasks.walk_pages": {"queue": "copies"},
    "apps.batches.tasks.list_objects": {"queue": "batches"},
    "apps.batches.tasks.run_objects": {"queue": "batches"},
}
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# Celery would close the database around every task, which costs as much as the task's own queries.
CELERY_DB_REUSE_MAX = 1 << 40
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# Tasks take under a minute each, so that one which a killed worker took along may come again after two.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 120,
    "socket_keepalive": True,
    # A Redis that hangs must not hold the web server's threads with it.
    "socket_timeout": 15,
    "socket_connect_timeout": 5,
}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BEAT_SCHEDULE = {
    "sweep-transfers": {
        "task": "apps.transfers.tasks.sweep_transfers",
        "schedule": 5.0,
        "options": {"expires": 5.0},
    },
    "sweep-unfinished": {
        "task": "apps.transfers.tasks.sweep_unfinished",
        "schedule": 30.0,
        "options": {"expires": 30.0},
    },
    "sweep-batches": {
        "task": "apps.batches.tasks.sweep_batches",
        "schedule": 5.0,
        "options": {"expires": 5.0},
    },
    "sweep-walks": {
        "task": "apps.inventory.tasks.sweep_walks",
        "schedule": 10.0,
        "options": {"expires": 10.0},
    },
    "prune-walks": {
        "task": "apps.inventory.tasks.prune_walks",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
}

# A count goes on beyond this, but an index holds no further keys. A row takes some hundred bytes.
INDEX_KEYS_MAX = env_int("INDEX_KEYS_MAX", 20_000_000)
# A selection is posted as one form: thousands of keys of 850 bytes, of which percent-encoding makes 2,550.
# More than are taken get through, to be told so in words.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200_000
DATA_UPLOAD_MAX_MEMORY_SIZE = 32 * 1024 * 1024

# Slices wait here between the browser and the store.
SPOOL_DIR = Path(os.environ.get("SPOOL_DIR", DATA_DIR / "spool"))
SPOOL_SLICES_PER_UPLOAD = env_int("SPOOL_SLICES_PER_UPLOAD", 8)
# How many workers may share one copy: each has eight requests under way, and other jobs want their turn.
COPY_WORKERS = env_int("COPY_WORKERS", 4)
SPOOL_FREE_BYTES = env_int("SPOOL_FREE_MIB", 512) * 1024 * 1024

WEB_THREADS = env_int("WEB_THREADS", 128)
# Open pages per web process that are fed live; further ones poll. Each holds a socket; where the server does
# not give its sockets away it holds a thread, and half of the threads are the most that pages get.
LIVE_STREAMS = env_int("LIVE_STREAMS", 1000)
# Zips that a web process sends at the same time. Each holds a thread for as long as its download takes.
ZIP_STREAMS = env_int("ZIP_STREAMS", max(1, WEB_THREADS // 8))

# The store that `up` runs when no other one is configured.
LOCALSTORE_PORT = env_port("LOCALSTORE_PORT", 9100)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    # Two lines for every task, the sweep's every five seconds among them, would bury what matters.
    "loggers": {
        "celery.app.trace": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
    },
    "root": {"handlers": ["stderr"], "level": os.environ.get("LOG_LEVEL", "INFO")},
}
