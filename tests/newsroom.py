"""A source and a warehouse, on a disk or in a store, as the commands see them."""

import io
import shutil
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from flows.cli.main import main
from flows.object_store import objects
from flows.object_store.path import ObjectPath

on_disk = pytest.mark.parametrize("newsroom", ["disk"], indirect=True)
in_store = pytest.mark.parametrize("newsroom", ["store"], indirect=True)


class Newsroom:
    """A source, and a warehouse on a disk or in a store, as the commands see them."""

    def __init__(self, folder: Path, warehouse: Path | ObjectPath) -> None:
        self.source, self.warehouse, self.folder = folder / "source", warehouse, folder
        self.source.mkdir(parents=True)
        self.write("A")

    def write(self, code: str, title: str = "A title") -> None:
        (self.source / f"{code}.md").write_text(
            f"---\ncode: {code}\ntitle: {title}\ndate: 2026-10-24\n---\n\nPARIS - Text.\n"
        )

    def does(self, *arguments: str) -> tuple[int, str]:
        """A command's exit code, and all that it says."""
        with redirect_stdout(io.StringIO()) as said, redirect_stderr(said):
            code = main(arguments)
        return code, said.getvalue()

    def published(self, *flags: str) -> str:
        """The id of an edition that is published now."""
        code, said = self.does("run", *flags)
        assert code == 0, said
        return said.split("Published edition ")[1].split()[0]

    @property
    def in_store(self) -> bool:
        """Whether the warehouse is in an object store."""
        return hasattr(self.warehouse, "bucket")

    def local(self) -> Path:
        """The folder of a warehouse on a disk."""
        assert not self.in_store
        return self.warehouse

    def put(self, name: str, content: bytes) -> None:
        """Write a file or an object of the warehouse."""
        if self.in_store:
            objects.write(self.warehouse / name, content)
            return
        (self.warehouse / name).parent.mkdir(parents=True, exist_ok=True)
        (self.warehouse / name).write_bytes(content)

    def remove(self, name: str) -> None:
        """Remove a file or an object of the warehouse."""
        if self.in_store:
            objects.remove_object(self.warehouse / name)
        else:
            (self.warehouse / name).unlink()

    def copy(self, edition: str, name: str) -> None:
        """Copy an edition to another name."""
        if not self.in_store:
            shutil.copytree(self.warehouse / "editions" / edition, self.warehouse / name)
            return
        for found in list(objects.list_objects(self.warehouse / "editions" / edition)):
            objects.copy(self.warehouse / "editions" / edition / found.name, self.warehouse / name / found.name)

    def names(self) -> set[str]:
        """What is in the folder of the editions."""
        if not self.in_store:
            return {entry.name for entry in (self.warehouse / "editions").iterdir()}
        return {found.name.split("/")[0] for found in objects.list_objects(self.warehouse / "editions")}
