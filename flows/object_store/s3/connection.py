"""Connect to S3, after a check of everything that the connection reads from the environment.

boto3 reports a malformed variable in the words of its first user, some only at the first call, and some not at all.
Here each error is one sentence with the name of the variable.
"""

import os
import re
import ssl
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from flows.errors import ConfigurationError, StorageRefusedError, first_line

ATTEMPTS = 8  # at a call; AWS_MAX_ATTEMPTS sets another number
CONNECTIONS = 32  # of a process; more calls than these wait
# Seconds without a connection, and without a byte. A store that takes connections and never answers ends a call after
# ATTEMPTS times the second, and the waits between them: less than 10 minutes.
CONNECT_TIMEOUT, READ_TIMEOUT = 10.0, 60.0
_SECRETS = {"access_key": "AWS_ACCESS_KEY_ID", "secret_key": "AWS_SECRET_ACCESS_KEY", "token": "AWS_SESSION_TOKEN"}


@cache
def client() -> Any:
    """Return the connection of this process to the store; raise RunError."""
    try:
        import boto3
        from botocore import exceptions as of
    except ModuleNotFoundError:
        raise ConfigurationError(
            "An s3:// URL needs the extra s3. Run pip install '.[s3]' in Broadsheet's folder."
        ) from None
    try:
        # boto3 alone of AWS's tools does not know AWS_REGION.
        session = boto3.session.Session(region_name=os.environ.get("AWS_REGION") or None)
        # botocore's own parser of dates takes two thirds of the time of a listing.
        parsers = session._session.get_component("response_parser_factory")
        parsers.set_parser_defaults(timestamp_parser=_parse_timestamp)
        _require_certificates(session)
        _require_credentials(session.get_credentials())
        s3 = session.client("s3", config=_config())
        _require_endpoint(s3.meta.endpoint_url)
    except (of.CredentialRetrievalError, of.ConnectionError, of.HTTPClientError, of.ClientError) as error:
        raise StorageRefusedError(
            f"AWS credentials could not be fetched ({first_line(error)}). Check AWS_PROFILE, the role and the network."
        ) from None
    except (of.BotoCoreError, ValueError, OSError) as error:
        raise ConfigurationError(f"AWS settings cannot be used: {first_line(error)}. {_remedy(str(error))}") from None
    return s3


def _parse_timestamp(value: Any) -> datetime:
    """Return a timestamp of a response, which has the form 2026-11-27T10:00:00.000Z in listings."""
    from botocore.utils import parse_timestamp

    try:
        if isinstance(value, str) and value[10:11] == "T":
            return datetime.fromisoformat(value)
    except ValueError:
        pass
    return cast(datetime, parse_timestamp(value))


def _config() -> Any:
    from botocore.config import Config

    return Config(
        max_pool_connections=CONNECTIONS,
        connect_timeout=CONNECT_TIMEOUT,
        read_timeout=READ_TIMEOUT,
        retries={"mode": "standard", "total_max_attempts": attempts()},
    )


def attempts() -> int:
    """Return how often a call is tried; raise ConfigurationError."""
    given = os.environ.get("AWS_MAX_ATTEMPTS") or str(ATTEMPTS)
    if not re.fullmatch("0*[1-9][0-9]{0,2}", given):
        raise ConfigurationError(f"AWS_MAX_ATTEMPTS is not a whole number from 1 to 999: {given}. Correct or unset it.")
    return int(given)


def _require_certificates(session: Any) -> None:
    """Raise ConfigurationError for an unusable CA bundle; boto3 would say "No such file" after all attempts."""
    bundle = session._session.get_config_variable("ca_bundle")
    if bundle:
        try:
            ssl.create_default_context(cafile=None if Path(bundle).is_dir() else bundle)
        except OSError as error:
            raise ConfigurationError(
                f"The file of certificates cannot be used: {bundle} ({error.strerror or first_line(error)})."
                " Correct AWS_CA_BUNDLE or unset it."
            ) from None


def _require_credentials(credentials: Any) -> None:
    """Raise ConfigurationError if a key cannot be sent; a file often ends with a line break."""
    if credentials is None:
        return
    frozen = credentials.get_frozen_credentials()
    for part, name in _SECRETS.items():
        value = getattr(frozen, part) or ""
        if not value.isascii() or not value.isprintable() or " " in value:
            raise ConfigurationError(
                f"{name} contains a space, a line break or a character that no key has. Correct it, or the"
                " credentials file that it comes from."
            )


def _require_endpoint(url: str) -> None:
    """Raise ValueError if an endpoint is not the URL of a server."""
    parts = urlsplit(url)
    try:
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # of the port
        usable = False
    if not usable:
        raise ValueError(f"Invalid endpoint: {url}")


def _remedy(text: str) -> str:
    """Return what to correct: the variables whose names or values the error's text contains, without secrets."""
    given = sorted(name for name in os.environ if name.startswith("AWS_") and name not in _SECRETS.values())
    found = [name for name in given if _contains(text, name) or _contains(text, os.environ[name])]
    return f"Correct {' or '.join(found) or 'the AWS_* variables or the AWS configuration file'}."


def _contains(text: str, word: str) -> bool:
    return bool(word and re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text))
