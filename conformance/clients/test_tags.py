"""Tags on keys."""

import pytest

from expectations import longest, refused, shortest, value_fails, violation

RESERVED = "Tags beginning with aws: are reserved"


def tag(key, value=""):
    """A tag as KMS writes it."""
    return {"TagKey": key, "TagValue": value}


def listed(kms, key_id):
    """The tags that ListResourceTags answers."""
    return kms.list_resource_tags(KeyId=key_id)["Tags"]


def sorted_tags(tags):
    """The same tags in an order that doesn't depend on the server's."""
    return sorted(tags, key=lambda each: each["TagKey"])


def test_tags_live(kms, key):
    name = key["KeyId"]
    assert listed(kms, name) == []
    kms.tag_resource(KeyId=name, Tags=[tag("a", "1"), tag("b", "2")])
    kms.tag_resource(KeyId=key["Arn"], Tags=[tag("c", "3")])
    assert listed(kms, name) == [tag("a", "1"), tag("b", "2"), tag("c", "3")]
    kms.tag_resource(KeyId=name, Tags=[tag("a", "new")])
    assert listed(kms, key["Arn"]) == [tag("a", "new"), tag("b", "2"), tag("c", "3")]
    kms.untag_resource(KeyId=name, TagKeys=["b"])
    assert listed(kms, name) == [tag("a", "new"), tag("c", "3")]
    kms.untag_resource(KeyId=key["Arn"], TagKeys=["a", "c"])
    assert listed(kms, name) == []


def test_tags_from_the_start(kms):
    tags = [tag("a", "1"), tag("b", "2")]
    key = kms.create_key(Tags=tags)["KeyMetadata"]
    assert listed(kms, key["KeyId"]) == tags
    assert "Tags" not in key


def test_keys_differ_by_case_and_values_may_be_empty(kms, key):
    tags = [tag("Team", ""), tag("team", "x")]
    kms.tag_resource(KeyId=key["KeyId"], Tags=tags)
    assert sorted_tags(listed(kms, key["KeyId"])) == sorted_tags(tags)


def test_text_is_kept_to_the_letter(kms, key):
    tags = [tag("x" * 128, "y" * 256), tag("путь/путь", "значение + = : @ _ -")]
    kms.tag_resource(KeyId=key["KeyId"], Tags=tags)
    assert sorted_tags(listed(kms, key["KeyId"])) == sorted_tags(tags)


def test_removing_what_is_not_there(kms, key):
    kms.tag_resource(KeyId=key["KeyId"], Tags=[tag("a", "1")])
    kms.untag_resource(KeyId=key["KeyId"], TagKeys=["nobody"])
    assert listed(kms, key["KeyId"]) == [tag("a", "1")]


@pytest.mark.parametrize("tags, message", [
    ([tag(f"k{number}") for number in range(51)], "Too many tags"),
    ([tag("a", "1"), tag("a", "2")], "Duplicate tag keys"),
    ([tag("a", "1"), tag("a", "1")], "Duplicate tag keys"),
    ([tag("aws:cloudformation:stack-name", "x")], RESERVED),
    ([tag("AWS:thing", "x")], RESERVED),
    ([tag("aWs:thing", "x")], RESERVED),
], ids=["51", "twice", "twice-equal", "aws", "AWS", "aWs"])
def test_tags_that_are_refused(kms, key, tags, message):
    with refused("TagException", message):
        kms.tag_resource(KeyId=key["KeyId"], Tags=tags)
    with refused("TagException", message):
        kms.create_key(Tags=tags)
    assert listed(kms, key["KeyId"]) == []
    assert [each["KeyId"] for each in kms.list_keys()["Keys"]] == [key["KeyId"]]


@pytest.mark.parametrize("tags, path, value, rule", [
    ([tag("x" * 129)], "tags.1.member.tagKey", "x" * 129, longest(128)),
    ([tag("a"), tag("b", "y" * 257)], "tags.2.member.tagValue", "y" * 257, longest(256)),
    ([tag("")], "tags.1.member.tagKey", "", shortest(1)),
], ids=["long-key", "long-value", "empty-key"])
def test_lengths(lenient_kms, key, tags, path, value, rule):
    message = violation(value_fails(value, path, rule))
    with refused("ValidationException", message):
        lenient_kms.tag_resource(KeyId=key["KeyId"], Tags=tags)
    with refused("ValidationException", message):
        lenient_kms.create_key(Tags=tags)


def test_fifty_tags_in_all(kms, key):
    name = key["KeyId"]
    kms.tag_resource(KeyId=name, Tags=[tag(f"k{number:02}") for number in range(50)])
    with refused("TagException", "Too many tags"):
        kms.tag_resource(KeyId=name, Tags=[tag("one-more")])
    # Another value for a key that is there adds none.
    kms.tag_resource(KeyId=name, Tags=[tag("k00", "new")])
    kms.untag_resource(KeyId=name, TagKeys=["k49"])
    kms.tag_resource(KeyId=name, Tags=[tag("one-more")])
    assert len(listed(kms, name)) == 50


def test_tags_belong_to_one_key(kms, key):
    other = kms.create_key(Tags=[tag("a", "other")])["KeyMetadata"]["KeyId"]
    kms.tag_resource(KeyId=key["KeyId"], Tags=[tag("a", "mine")])
    kms.untag_resource(KeyId=other, TagKeys=["a"])
    assert listed(kms, key["KeyId"]) == [tag("a", "mine")]
    assert listed(kms, other) == []
