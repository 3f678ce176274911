"""Define a hostile shell and current folder for `broadsheet up`: proxies, and settings of another Prefect."""

import os

PROXY = "127.0.0.2:9"  # loopback, so that nothing leaves this machine, but not the address that `up` uses

VARIABLES = {
    "http_proxy": f"http://{PROXY}",
    "HTTPS_PROXY": f"socks5h://{PROXY}",
    "ALL_PROXY": f"socks5://{PROXY}",
    "NO_PROXY": "example.com",
    "PREFECT_HOME": "/nonexistent",
    "PREFECT_PROFILE": "elsewhere",
    "PREFECT_API_KEY": "secret",
    "PREFECT_API_AUTH_STRING": "operator:secret",
    "PREFECT_SERVER_API_AUTH_STRING": "operator:another",
    "PREFECT_SERVER_API_BASE_PATH": "/elsewhere",
    "PREFECT_SERVER_DATABASE_CONNECTION_URL": "sqlite+aiosqlite:////nonexistent/prefect.db",
    "PREFECT_UNIT_TEST_MODE": "1",
    "prefect_api_url": f"http://{PROXY}/api",
    "PREFECT_LOGGING_LEVEL": "DEBUG",  # inherited
}
# Prefect reads the first three from the current folder; `python -m` would import the last one.
FILES = {
    ".env": "PREFECT_SERVER_API_BASE_PATH=/dotenv\nPREFECT_PROFILES_PATH=/nonexistent/profiles.toml\n",
    "prefect.toml": '[server.database]\nconnection_url = "sqlite+aiosqlite:////nonexistent/toml.db"\n',
    "pyproject.toml": '[tool.prefect.server.api]\nbase_path = "/pyproject"\n',
    "flows/__init__.py": "raise ImportError('the flows of the current folder')\n",
}


def without_home() -> list[str]:
    """Return a command prefix for a user without a passwd entry who can read and write the same files as root.

    Only root can switch to another user; for other users, the tests only remove HOME.
    """
    if os.geteuid() != 0:
        return []
    kept = "-all,+dac_override"
    capabilities = [f"--{kind}={kept}" for kind in ("inh-caps", "ambient-caps", "bounding-set")]
    return ["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups", *capabilities]
