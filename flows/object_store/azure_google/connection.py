"""Connect to Azure Blob Storage or Google Cloud Storage, by what the environment says."""

import json
import os
import re
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from flows.errors import ConfigurationError, first_line

RETRIES = 7  # after the first attempt at a call
# Seconds without a connection, and without a byte; and after which no call is tried again.
CONNECT_TIMEOUT, READ_TIMEOUT, RETRY_TIMEOUT = 10.0, 60.0, 300.0
NAMES = {"az": "Azure", "gs": "Google Cloud"}
_PREFIXES = {"az": ("AZURE_", "AZURITE_"), "gs": ("GOOGLE_", "STORAGE_EMULATOR_HOST")}
_SECRETS = re.compile("KEY|SECRET|TOKEN|CONNECTION_STRING")
_ENDPOINTS = {
    "az": ("AZURE_STORAGE_ENDPOINT", "AZURE_ENDPOINT", "AZURITE_BLOB_STORAGE_URL"),
    "gs": ("STORAGE_EMULATOR_HOST", "GOOGLE_BASE_URL"),
}
# The keys of Azure's connection strings, and the settings of obstore.
_CONNECTION_STRING = {
    "AccountName": "account_name",
    "AccountKey": "account_key",
    "SharedAccessSignature": "sas_key",
    "BlobEndpoint": "endpoint",
    "UseDevelopmentStorage": "use_emulator",
}


@cache
def connect(scheme: str, bucket: str) -> Any:
    """Return the connection of this process to a bucket; raise ConfigurationError."""
    try:
        from obstore import store
        from obstore.exceptions import BaseError
    except ModuleNotFoundError:
        raise ConfigurationError(
            f"A URL with {scheme}:// needs the extra {scheme}. Run pip install '.[{scheme}]' in Broadsheet's folder."
        ) from None
    for name in _ENDPOINTS[scheme]:
        _require_url(name)
    config = _azure_config() if scheme == "az" else _google_config()
    kind: Any = store.AzureStore if scheme == "az" else store.GCSStore
    try:
        return kind(bucket, config=config, client_options=_client_options(config, scheme), retry_config=_retries())
    except (BaseError, ValueError) as error:
        raise ConfigurationError(
            f"{NAMES[scheme]} settings cannot be used: {first_line(error)}. {remedy(scheme, str(error))}"
        ) from None


def _require_url(name: str) -> None:
    """Raise ConfigurationError if a variable is set to something else than the URL of a server."""
    value = os.environ.get(name)
    if value and not _is_url(value):
        raise ConfigurationError(f"{name} is not the URL of a server: {value}. Correct or unset it.")


def _is_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0 and " " not in value
    except ValueError:  # of the port
        return False


def _azure_config() -> dict[str, Any]:
    """Return the settings in AZURE_STORAGE_CONNECTION_STRING; obstore reads the other variables itself.

    Its form: <https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string>
    """
    text = os.environ.get("AZURE_STORAGE_CONNECTION_STRING", "")
    given = dict(part.strip().partition("=")[::2] for part in text.split(";") if part.strip())
    config: dict[str, Any] = {name: given[key] for key, name in _CONNECTION_STRING.items() if key in given}
    if text and not config.keys() & {"account_name", "use_emulator"}:
        raise ConfigurationError(
            "AZURE_STORAGE_CONNECTION_STRING has no AccountName. Copy the connection string of the account again."
        )
    if given.get("EndpointSuffix") and "endpoint" not in config:
        protocol = given.get("DefaultEndpointsProtocol", "https")
        config["endpoint"] = f"{protocol}://{config['account_name']}.blob.{given['EndpointSuffix']}"
    return config


def _google_config() -> dict[str, Any]:
    """Return the settings for the emulator that STORAGE_EMULATOR_HOST names, as for Google's own clients."""
    emulator = os.environ.get("STORAGE_EMULATOR_HOST")
    account = {"disable_oauth": True, "client_email": "", "private_key": "", "private_key_id": ""}
    return {"base_url": emulator.rstrip("/"), "service_account_key": json.dumps(account)} if emulator else {}


def _client_options(config: Mapping[str, Any], scheme: str) -> dict[str, Any]:
    """Return the options of the HTTP client; a connection without TLS only where the environment names one."""
    endpoints = [config.get("endpoint"), *(os.environ.get(name) for name in _ENDPOINTS[scheme])]
    return {
        "allow_http": any((endpoint or "").startswith("http://") for endpoint in endpoints),
        "connect_timeout": timedelta(seconds=CONNECT_TIMEOUT),
        "read_timeout": timedelta(seconds=READ_TIMEOUT),
        "timeout": timedelta(hours=1),  # of a whole transfer; obstore's 30 seconds are too short for a large object
    }


def _retries() -> dict[str, Any]:
    return {"max_retries": RETRIES, "retry_timeout": timedelta(seconds=RETRY_TIMEOUT)}


def remedy(scheme: str, text: str) -> str:
    """Return what to correct: the variables whose values an error's text contains, without those with secrets."""
    if "Account must be specified" in text:
        return "Set AZURE_STORAGE_ACCOUNT_NAME or AZURE_STORAGE_CONNECTION_STRING."
    if "Access Key" in text:
        return "Correct AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_CONNECTION_STRING."
    given = sorted(name for name in os.environ if name.startswith(_PREFIXES[scheme]) and os.environ[name])
    found = [name for name in given if not _SECRETS.search(name) and os.environ[name] in text]
    return f"Correct {' or '.join(found) or f'the {_PREFIXES[scheme][0]}* variables'}."
