"""A source that cannot be read as a whole fails the run, for a user without root's rights."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.conftest import ROOT, seed_file


@pytest.fixture
def public() -> Iterator[Path]:
    """A folder that every user may enter, with a source and a place for a warehouse, for processes of another user."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "source").mkdir()
        (folder / "source" / "a.md").write_text(seed_file("A"))
        for place in (folder, folder / "source"):
            place.chmod(0o777)
        yield folder
        for entry in folder.rglob("*"):  # so that its owner can remove it
            if entry.is_dir():
                entry.chmod(0o700)


AS_NOBODY = """
import os, sys
if sys.argv[1] == "list":
    from flows.source.listing import Path, list_seed_files
    from flows.source.checks import require_folder
else:
    from flows.cli import summary
    from flows.pipeline import run
from flows.cli.main import RunError, main

if os.geteuid() == 0:
    os.setgroups([]), os.setgid(65534), os.setuid(65534)
if sys.argv[1] != "list":
    sys.exit(main(sys.argv[1:]))
source = Path(sys.argv[2])
try:
    require_folder(source)
    print(*sorted(file.source_path for file in list_seed_files(source, (".md",))))
except RunError as error:
    print(type(error).__name__, error)
"""


def as_nobody(*arguments: object) -> str:
    """What a command prints for a user without rights, who need not see this project: its modules are loaded before."""
    command = [sys.executable, "-c", AS_NOBODY, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    return done.stdout + done.stderr


def test_a_folder_that_cannot_be_listed_fails_the_run(public):
    (public / "source" / "sub").mkdir(mode=0o000)
    assert as_nobody("run", "--source", public / "source", "--warehouse", public / "warehouse") == (
        f"broadsheet: The folder {public}/source/sub cannot be listed (Permission denied), so its articles would"
        " count as withdrawn. Give this user permission to list and enter the folder.\n"
    )
    assert not (public / "warehouse" / "current").exists()


def test_a_folder_that_cannot_be_entered_fails_the_run(public):
    """Its names are seen, and neither their sizes nor their times."""
    (public / "source" / "sub").mkdir()
    (public / "source" / "sub" / "b.md").write_text(seed_file("B"))
    (public / "source" / "sub").chmod(0o444)
    told = as_nobody("list", public / "source")
    assert told.startswith(
        f"SourceUnreadableError The file {public}/source/sub/b.md cannot be listed (Permission denied), so"
    )


def test_lost_and_found_of_root_is_left_out_and_that_of_another_user_is_not(public):
    lost = public / "source" / "lost+found"
    lost.mkdir()
    (lost / "b.md").write_text(seed_file("B"))
    assert as_nobody("list", public / "source") == "a.md lost+found/b.md\n"
    lost.chmod(0o700)
    if os.geteuid() == 0:
        assert as_nobody("list", public / "source") == "a.md\n"
        os.chown(lost, 12345, 12345)
    lost.chmod(0o000)
    assert f"The folder {lost} cannot be listed (Permission denied)" in as_nobody("list", public / "source")


def test_a_source_below_a_folder_that_may_not_be_entered(public):
    (public / "above" / "articles").mkdir(parents=True)
    (public / "above").chmod(0o000)
    source = public / "above" / "articles"
    assert as_nobody("list", source) == (
        f"SourceUnreadableError Source folder cannot be reached: {source} (Permission denied). Give this user access to"
        " it and to all its parent folders. Pass an existing folder with --source.\n"
    )
