"""Lists and how they page: ListKeys, ListAliases, ListResourceTags."""

import pytest

from expectations import refused, value_fails, violation

AT_LEAST_1 = "Member must have value greater than or equal to 1"
AT_MOST_1000 = "Member must have value less than or equal to 1000"
KEYS = 7


@pytest.fixture(scope="module")
def populated(server):
    """A client of an account with seven keys; the first has seven aliases and seven tags.

    The tests of this file only read it.
    """
    kms = server.kms("700000000007")
    keys = [kms.create_key()["KeyMetadata"] for _ in range(KEYS)]
    first = keys[0]["KeyId"]
    for number in range(KEYS):
        kms.create_alias(AliasName=f"alias/list-{number}", TargetKeyId=first)
    kms.tag_resource(
        KeyId=first, Tags=[{"TagKey": f"k{n}", "TagValue": str(n)} for n in range(KEYS)]
    )
    return kms, keys


def listings(kms, first):
    """Each list: its operation, its fixed arguments, its member, and what names an entry."""
    return {
        "list_keys": (kms.list_keys, {}, "Keys", "KeyId"),
        "list_aliases": (kms.list_aliases, {"KeyId": first}, "Aliases", "AliasName"),
        "list_resource_tags": (kms.list_resource_tags, {"KeyId": first}, "Tags", "TagKey"),
    }


NAMES = ["list_keys", "list_aliases", "list_resource_tags"]


@pytest.fixture
def listing(request, populated):
    """The list that a test names, on the populated account."""
    kms, keys = populated
    return listings(kms, keys[0]["KeyId"])[request.param]


def test_keys_are_named_by_id_and_arn(populated):
    kms, keys = populated
    answer = kms.list_keys()
    expected = {(key["KeyId"], key["Arn"]) for key in keys}
    assert {(entry["KeyId"], entry["KeyArn"]) for entry in answer["Keys"]} == expected
    assert all(set(entry) == {"KeyId", "KeyArn"} for entry in answer["Keys"])
    assert answer["Truncated"] is False and "NextMarker" not in answer


@pytest.mark.parametrize("listing", NAMES, indirect=True)
@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8, 50])
def test_pages(listing, limit):
    operation, fixed, member, name = listing
    seen, marker, pages = [], {}, 0
    while True:
        answer = operation(Limit=limit, **fixed, **marker)
        pages += 1
        seen += [entry[name] for entry in answer[member]]
        if not answer["Truncated"]:
            assert "NextMarker" not in answer
            break
        assert len(answer[member]) == limit
        marker = {"Marker": answer["NextMarker"]}
        assert pages < 20
    assert len(seen) == len(set(seen)) == KEYS
    assert pages == -(-KEYS // limit)


@pytest.mark.parametrize("listing", NAMES, indirect=True)
def test_the_order_stays(listing):
    operation, fixed, member, name = listing
    runs = [[entry[name] for entry in operation(**fixed)[member]] for _ in range(3)]
    assert runs[0] == runs[1] == runs[2]


@pytest.mark.parametrize("name", NAMES)
def test_botocores_paginators(populated, name):
    kms, keys = populated
    _, fixed, member, _ = listings(kms, keys[0]["KeyId"])[name]
    pages = kms.get_paginator(name).paginate(PaginationConfig={"PageSize": 3}, **fixed)
    lengths = [len(page[member]) for page in pages]
    assert lengths == [3, 3, 1]


@pytest.mark.parametrize("listing", NAMES, indirect=True)
@pytest.mark.parametrize("marker", ["nonsense", "AAAA", "x" * 1024, "~~~"])
def test_bad_markers(listing, marker):
    operation, fixed, _, _ = listing
    with refused("InvalidMarkerException"):
        operation(Marker=marker, **fixed)


def test_a_marker_of_another_list(populated):
    kms, keys = populated
    first = keys[0]["KeyId"]
    marker = kms.list_keys(Limit=2)["NextMarker"]
    with refused("InvalidMarkerException"):
        kms.list_resource_tags(KeyId=first, Marker=marker)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("limit, rule", [
    (0, AT_LEAST_1), (-1, AT_LEAST_1), (1001, AT_MOST_1000),
])
def test_limits_of_the_model(server, populated, name, limit, rule):
    _, keys = populated
    lenient = server.kms("700000000007", validate=False)
    operation, fixed, _, _ = listings(lenient, keys[0]["KeyId"])[name]
    with refused("ValidationException", violation(value_fails(limit, "limit", rule))):
        operation(Limit=limit, **fixed)


def test_limits_of_the_service(populated):
    kms, keys = populated
    assert len(kms.list_keys(Limit=1000)["Keys"]) == KEYS
    # The model allows 1000 for each list, the text only 50 tags.
    with refused("ValidationException"):
        kms.list_resource_tags(KeyId=keys[0]["KeyId"], Limit=51)


def test_a_hundred_keys_by_default(server):
    kms = server.kms("700000000103")
    made = {kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(103)}
    first = kms.list_keys()
    assert (len(first["Keys"]), first["Truncated"]) == (100, True)
    rest = kms.list_keys(Marker=first["NextMarker"])
    assert (len(rest["Keys"]), rest["Truncated"]) == (3, False)
    assert {key["KeyId"] for key in first["Keys"] + rest["Keys"]} == made


def test_keys_made_while_paging_shift_nothing(kms):
    before = {kms.create_key()["KeyMetadata"]["KeyId"] for _ in range(6)}
    page = kms.list_keys(Limit=3)
    seen = [key["KeyId"] for key in page["Keys"]]
    for _ in range(4):
        kms.create_key()
    while page["Truncated"]:
        page = kms.list_keys(Limit=3, Marker=page["NextMarker"])
        seen += [key["KeyId"] for key in page["Keys"]]
    assert before <= set(seen) and len(seen) == len(set(seen))


def test_lists_end_at_the_account_and_the_region(server, populated, account):
    for stranger in (server.kms(account), server.kms("700000000007", "eu-central-1")):
        assert stranger.list_keys()["Keys"] == []
        aliases = [entry["AliasName"] for entry in stranger.list_aliases()["Aliases"]]
        assert not any(name.startswith("alias/list-") for name in aliases)


def test_all_aliases_of_the_account(populated):
    kms, _ = populated
    names = {entry["AliasName"] for entry in kms.list_aliases()["Aliases"]}
    assert {f"alias/list-{number}" for number in range(KEYS)} <= names
