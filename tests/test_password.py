"""Keep the home of `broadsheet up` and its password readable for its user only."""

import os
import re
import stat
import subprocess

import pytest

from flows.cli.up.password import api_password
from flows.cli.up.pool import close_template
from flows.cli.up.private_home import private_home
from flows.errors import DataUnwritableError
from tests.conftest import BROADSHEET, ROOT
from tests.hostile import without_home

GENERATED = re.compile(r"broadsheet:[0-9a-f]{32}")
OTHERS = 0o077  # permissions of the group and of all other users


def test_a_password_is_generated_once_and_only_its_user_can_read_it(tmp_path):
    before = os.umask(0)
    try:
        password = api_password(tmp_path)
    finally:
        os.umask(before)
    file = tmp_path / "password"
    assert GENERATED.fullmatch(password)
    assert (stat.S_IMODE(file.stat().st_mode), file.read_text()) == (0o600, f"{password}\n")
    assert api_password(tmp_path) == password


def test_a_password_of_the_operator_is_kept(tmp_path):
    (tmp_path / "password").touch(0o600)
    (tmp_path / "password").write_text("operator:change-me")
    assert api_password(tmp_path) == "operator:change-me"


def readable(file):
    file.write_text("broadsheet:known-to-others")
    file.chmod(0o644)


def linked(file):
    target = file.with_name("target")
    target.touch(0o600)
    target.write_text("broadsheet:of-somebody-else")
    file.symlink_to(target)


def holding(text):
    def write(file):
        file.touch(0o600)
        file.write_text(text)

    return write


@pytest.mark.parametrize(
    ("leave", "reason"),
    [
        (readable, "could be read by other users"),
        (linked, "could not be read (Too many levels of symbolic links)"),
        (os.mkfifo, "was not a regular file of this user"),
        (holding(""), "did not contain user:password"),
        (holding("no-colon-in-it"), "did not contain user:password"),
        (holding("user:short"), "did not contain user:password"),
        (holding("user:two words here"), "did not contain user:password"),
        (holding("user:password\nuser:another-one"), "did not contain user:password"),
        (holding("user:" + "x" * 2000), "did not contain user:password"),
        (holding("user:pässword-12"), "did not contain user:password"),
    ],
)
def test_an_unusable_password_file_is_replaced(tmp_path, capsys, leave, reason):
    file = tmp_path / "password"
    leave(file)
    password = api_password(tmp_path)
    assert GENERATED.fullmatch(password)
    assert capsys.readouterr().out == f"Generated a new password in {file}: the old file {reason}.\n"
    assert not file.is_symlink()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert api_password(tmp_path) == password


def test_a_folder_instead_of_the_password_file_is_reported_in_one_sentence(tmp_path):
    (tmp_path / "password").mkdir()
    with pytest.raises(DataUnwritableError, match=r"^Cannot write to .*/password \(Is a directory\)\. Free disk space"):
        api_password(tmp_path)


def test_a_home_that_others_could_open_is_closed_with_its_files(tmp_path):
    home, outside = tmp_path / "data" / "prefect", tmp_path / "outside"
    (home / "storage").mkdir(parents=True)
    for file in (home / "prefect.db", home / "storage" / "lease", outside):
        file.touch()
        file.chmod(0o666)
    (home / "storage").chmod(0o777)
    (home / "link").symlink_to(outside)
    home.chmod(0o755)
    before = os.umask(0o022)
    try:
        with private_home(home) as umask:
            assert umask == 0o022
            (home / "later").touch()
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)
    open_to_others = [
        path for path in (home, *home.rglob("*")) if path.lstat().st_mode & OTHERS and not path.is_symlink()
    ]
    assert open_to_others == []
    assert stat.S_IMODE(outside.stat().st_mode) == 0o666  # targets of links are not changed
    assert (home / "prefect.db").stat().st_mode & 0o600 == 0o600


def test_a_new_home_is_closed_and_its_parent_folders_follow_the_umask(tmp_path):
    home = tmp_path / "data" / "prefect"
    before = os.umask(0o022)
    try:
        with private_home(home):
            pass
    finally:
        os.umask(before)
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in (home.parent, home)] == [0o755, 0o700]


def test_a_home_that_cannot_be_made_private_is_reported_in_one_sentence(tmp_path):
    """Its owner is root, and `up` runs as another user."""
    home = tmp_path / "data" / "prefect"
    home.parent.mkdir()
    home.symlink_to("/tmp")
    command = [*without_home(), *BROADSHEET, "up", "--data", str(home.parent)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"broadsheet: Other users can open {home} (its mode cannot be changed: Operation not permitted)."
        " Make this user its owner, or pass a folder of this user with --data.\n"
    )


def test_a_work_pool_that_is_closed_keeps_the_defaults_of_its_operator():
    properties = {
        "command": {"default": None},
        "working_dir": {"default": "/srv"},
        "env": {"default": {"A": "1"}},
        "name": {},
    }
    job = {
        "command": "{{ command }}",
        "env": "{{ env }}",
        "working_dir": "{{working_dir}}",
        "name": "run {{ name }} of {{ ctx.flow.name }}",
        "labels": {"place": "{{ working_dir }}/x", "none": "{{ command }}"},
        "stream_output": False,
    }
    template = {"job_configuration": job, "variables": {"type": "object", "properties": properties}}
    assert close_template(template) == {
        "job_configuration": {
            "env": {"A": "1"},
            "working_dir": "/srv",
            "name": "run  of {{ ctx.flow.name }}",
            "labels": {"place": "/srv/x"},
            "stream_output": False,
        },
        "variables": {"type": "object", "properties": {}, "additionalProperties": False},
    }
