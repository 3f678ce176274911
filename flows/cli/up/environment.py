"""Build the environment of the processes that `broadsheet up` starts, which the shell cannot override."""

import json
import os
from pathlib import Path

import httpx
import yaml

from flows.object_store.path import ObjectPath
from flows.settings import Settings

PROJECT = Path(__file__).parents[3]
DEPLOYMENTS = PROJECT / "prefect.yaml"
POOL = "broadsheet"  # the work pool, as prefect.yaml names it
LOOPBACK = "127.0.0.1,localhost,::1"
FROM_SHELL = ("PREFECT_LOGGING_LEVEL",)  # the only PREFECT_* variable that is inherited from the shell
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
# Settings of Prefect's server and its clients.
PREFECT = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_API_URL": "/api",  # relative: the user may open 127.0.0.1 or localhost
    "PREFECT_SERVER_UI_V2_ENABLED": "false",  # its login page loads a setting from an analytics service
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_SERVER_CONCURRENCY_LEASE_STORAGE": "prefect.server.concurrency.lease_storage.filesystem",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",  # otherwise its database only grows
}


def ui_url(port: int) -> str:
    """Return the URL of the server's UI, the only origin that CORS allows."""
    return f"http://127.0.0.1:{port}"


def api_url(port: int) -> str:
    """Return the URL of the server's API."""
    return f"{ui_url(port)}/api"


def process_environment(settings: Settings, home: Path, password: str) -> dict[str, str]:
    """Return the environment of Prefect on loopback with its own home, and with absolute paths of the folders.

    The processes run in `home`, since Prefect reads .env, prefect.toml and pyproject.toml of its current folder.
    """
    return {
        **{name: value for name, value in os.environ.items() if _is_passed(name, value)},
        **_proxy_exceptions(),
        **_home_variable(home),
        **PREFECT,
        "PYTHONUNBUFFERED": "1",
        "PYTHONSAFEPATH": "1",  # never import a folder `flows` of the current folder
        "PYTHONPATH": os.pathsep.join(filter(None, (str(PROJECT), os.environ.get("PYTHONPATH")))),
        "PREFECT_HOME": str(home),
        **_access(settings.port, password),
        "BROADSHEET_SOURCE": _absolute(settings.source),
        "BROADSHEET_WAREHOUSE": _absolute(settings.warehouse),
        "BROADSHEET_DATA": _absolute(settings.data),
        "BROADSHEET_TIME_ZONE": settings.time_zone,
        "BROADSHEET_COLUMNS": json.dumps(settings.columns),
    }


def enter_environment(environment: dict[str, str], home: Path) -> None:
    """Replace this process's environment and current folder by those of the processes that it starts.

    Prefect reads both when it is imported. `up` is the only task of its process, so nothing is restored.
    """
    os.chdir(home)
    os.environ.clear()
    os.environ.update(environment)


def _access(port: int, password: str) -> dict[str, str]:
    """Return the address and the password of the API, which keep out pages of other origins.

    Prefect accepts any Host and WebSockets of any origin, but does nothing without the password. Its CSRF protection
    would add nothing: no browser sends this password by itself, since the server never asks for it with
    WWW-Authenticate, and the UI reads it from the storage of its origin.
    """
    return {
        "PREFECT_API_URL": api_url(port),
        "PREFECT_API_AUTH_STRING": password,
        "PREFECT_SERVER_API_AUTH_STRING": password,
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": ui_url(port),
    }


def flow_run_variables() -> dict[str, str]:
    """Return the environment variables that prefect.yaml sets for runs; they inherit them from the worker."""
    return dict(yaml.safe_load(DEPLOYMENTS.read_text())["definitions"]["work_pool"]["job_variables"]["env"])


def _is_passed(name: str, value: str) -> bool:
    name = name.upper()  # Prefect reads its variables in any case
    if name in PROXIES:
        return _is_usable(value)
    return name in FROM_SHELL or not name.startswith("PREFECT_")


def _is_usable(proxy: str) -> bool:
    """Return whether Prefect can start with a proxy: its HTTP client fails for SOCKS, even if the proxy is not used."""
    try:
        return httpx.Proxy(proxy if "://" in proxy else f"http://{proxy}").url.scheme in ("http", "https")
    except (ValueError, httpx.InvalidURL):
        return False


def _proxy_exceptions() -> dict[str, str]:
    """Return NO_PROXY of the shell with loopback added; notifications may need the proxies."""
    given = os.environ.get("no_proxy") or os.environ.get("NO_PROXY")
    exceptions = given if given == "*" else ",".join(filter(None, (given, LOOPBACK)))
    return {"no_proxy": exceptions, "NO_PROXY": exceptions}


def _home_variable(home: Path) -> dict[str, str]:
    """Return Prefect's home as HOME for a user without a home folder: importing Prefect would fail."""
    try:
        Path.home()
    except RuntimeError:
        return {"HOME": str(home)}
    return {}


def _absolute(place: Path | ObjectPath) -> str:
    return str(place.absolute())
