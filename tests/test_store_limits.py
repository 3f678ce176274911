"""A store that cannot do what publishing needs is found out by the first run, before anything is published."""

import copy
import json
import re
from pathlib import Path

import pytest

from flows.errors import ObjectRefusedError, StorageRefusedError, StorageUnsupportedError
from flows.object_store import objects, transfers
from flows.object_store.path import ObjectPath
from flows.object_store.s3.connection import client
from flows.object_store.s3.failures import PERMISSIONS
from flows.pipeline.run import publish_edition
from flows.pipeline.verify import verify_edition
from flows.settings import Settings
from flows.source.listing import read_seed_files
from tests.conftest import ROOT, query, seed_file
from tests.object_store import BUCKET, ObjectStore, Statement

pytestmark = pytest.mark.slow

(POLICY,) = re.findall(r"```json\n(.*?)```", (ROOT / "docs" / "object_storage.md").read_text(), re.DOTALL)
STATEMENTS: list[Statement] = json.loads(POLICY)["Statement"]
GRANTS = [(number, action) for number, statement in enumerate(STATEMENTS) for action in statement["Action"]]


@pytest.fixture
def spoilt(object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> ObjectStore:
    """The store of the tests, which a test may spoil: it is whole and empty again afterwards."""
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    client.cache_clear()
    whole = dict(vars(object_store))
    yield object_store
    vars(object_store).update(whole, refused={})
    client.cache_clear()
    transfers.remove_all(ObjectPath(BUCKET, ""))


@pytest.fixture
def settings(spoilt: ObjectStore, tmp_path: Path) -> Settings:
    """A run of three articles into the prefix of the documentation's policy."""
    for code in "ABC":
        objects.write(ObjectPath(BUCKET, f"articles/{code}.md"), seed_file(code).encode())
    return Settings(
        source=ObjectPath(BUCKET, "articles"), warehouse=ObjectPath(BUCKET, "warehouse"), data=tmp_path / "data"
    )


def published(settings: Settings) -> set[str]:
    """What readers of the warehouse could find."""
    found = (listed.name.split("/")[0] for listed in objects.list_objects(settings.warehouse))
    return set(found) & {"current", "editions"}


def without(number: int, action: str) -> list[Statement]:
    """The policy of the documentation without one permission."""
    return [
        {**statement, "Action": [a for a in statement["Action"] if (place, a) != (number, action)]}
        for place, statement in enumerate(STATEMENTS)
    ]


def test_the_permissions_of_the_documentation_are_enough(spoilt, settings):
    """For editions that are published, corrected, copied, retired and verified."""
    spoilt.policy = STATEMENTS
    settings = settings.model_copy(update={"keep_editions": 1, "keep_hours": 0})
    publish_edition(settings)
    spoilt.policy = None
    objects.write(ObjectPath(BUCKET, "articles/A.md"), seed_file("A", "Corrected", "2026-11-01").encode())
    spoilt.policy = STATEMENTS
    report = publish_edition(settings)
    assert report.edition.corrected == 1
    assert verify_edition(settings) == []
    assert any(source for _, _, source in spoilt.asked)


@pytest.mark.parametrize(("number", "action"), GRANTS, ids=[f"{number}-{action}" for number, action in GRANTS])
def test_a_missing_permission_is_named_by_the_first_run(spoilt, settings, number, action):
    spoilt.policy = without(number, action)
    with pytest.raises(StorageRefusedError, match=rf"Grant these credentials {action}\b"):
        publish_edition(settings)
    spoilt.policy = None
    assert published(settings) == set()


def test_the_documentation_lists_the_permissions_of_every_call():
    needed = {name for names in PERMISSIONS.values() for name in names.split(" and ")}
    assert {action for _, action in GRANTS} == needed


@pytest.mark.parametrize("condition", ["If-Match", "If-None-Match"])
def test_a_store_that_ignores_a_condition_is_refused(spoilt, settings, condition):
    spoilt.ignored = (condition,)
    with pytest.raises(StorageUnsupportedError, match=rf"ignores {condition}, so concurrent runs could damage"):
        publish_edition(settings)
    assert list(objects.list_objects(settings.warehouse)) == []


def test_a_store_without_conditional_puts_is_refused(spoilt, settings):
    spoilt.unsupported = True
    with pytest.raises(
        StorageUnsupportedError, match=r"does not support PutObject as it was called \(NotImplemented\)"
    ):
        publish_edition(settings)
    assert list(objects.list_objects(settings.warehouse)) == []


def test_a_store_without_etags_is_refused(spoilt, settings):
    spoilt.tagged = False
    with pytest.raises(StorageUnsupportedError, match="returns no ETag"):
        publish_edition(settings)
    assert published(settings) == set()


def test_a_store_is_tried_until_an_edition_is_published_and_leaves_nothing(spoilt, settings):
    spoilt.asked = []
    publish_edition(settings)
    tried = [key for _, key, _ in spoilt.asked if "/probe-" in key]
    assert 0 < len(tried) < 15
    assert not any("probe" in found.name for found in objects.list_objects(settings.warehouse))
    spoilt.asked = []
    publish_edition(settings.model_copy(update={"rebuild": True}))
    assert not any("/probe-" in key for _, key, _ in spoilt.asked)


def test_objects_that_are_archived_or_forbidden_are_rejected_files(spoilt, settings):
    reasons = {
        "AccessDenied": "the store refuses it (AccessDenied)",
        "InvalidObjectState": "it is archived (InvalidObjectState)",
        "KMS.DisabledException": "the store refuses it (KMS.DisabledException)",
    }
    for code in reasons:
        objects.write(ObjectPath(BUCKET, f"articles/{code}.md"), seed_file(code).encode())
    spoilt.refused = {f"articles/{code}.md": code for code in reasons}
    first = publish_edition(settings)
    assert (first.edition.articles, first.edition.rejected) == (3, 3)
    assert query(first.folder, "SELECT source_path, severity, message FROM problems ORDER BY 1") == [
        (f"{code}.md", "rejected", f"The file cannot be read: {reason}.") for code, reason in reasons.items()
    ]
    assert publish_edition(settings).edition is None  # they are tried again, and nothing is new
    spoilt.refused = {}
    second = publish_edition(settings)
    assert (second.edition.added, second.edition.rejected) == (3, 0)


def test_a_forbidden_object_that_is_read_alone_is_a_rejected_file(spoilt, settings):
    """As the one new object of a run: the credentials are those that read the others."""
    spoilt.refused = {"articles/C.md": "AccessDenied"}
    (content,) = read_seed_files(settings.source, ["C.md"])
    assert isinstance(content, PermissionError)
    assert content.strerror == "the store refuses it (AccessDenied)"


@pytest.mark.parametrize("code", ["AccessDenied", "InvalidObjectState"])
def test_a_source_of_which_no_object_can_be_read_fails_the_run(spoilt, settings, code):
    publish_edition(settings)
    objects.write(ObjectPath(BUCKET, "articles/D.md"), seed_file("D").encode())
    spoilt.refused = {f"articles/{name}.md": code for name in "ABCD"}
    with pytest.raises(
        StorageRefusedError, match="Access to all 4 objects that were tried below s3://newsroom/articles"
    ):
        publish_edition(settings)
    with pytest.raises(StorageRefusedError, match="Access to all 4 objects"):
        publish_edition(settings.model_copy(update={"rebuild": True}))


@pytest.mark.parametrize("code", ["InvalidAccessKeyId", "ExpiredToken"])
def test_credentials_that_are_not_accepted_fail_the_run(spoilt, settings, code):
    spoilt.refused = {"articles/B.md": code}
    with pytest.raises(StorageRefusedError, match=rf"\({code}\)\. Correct AWS_ACCESS_KEY_ID and"):
        publish_edition(settings)


def test_a_pointer_that_may_not_be_read_fails_the_run(spoilt, settings):
    spoilt.refused = {"warehouse/current": "AccessDenied"}
    with pytest.raises(ObjectRefusedError, match="refuses to return s3://newsroom/warehouse/current"):
        publish_edition(settings)


def test_a_refusal_travels_from_a_worker_process():
    error = copy.copy(ObjectRefusedError("The store refuses x. Grant y.", "the store refuses it"))
    assert (str(error), error.reason) == ("The store refuses x. Grant y.", "the store refuses it")
