"""OpenID Connect identity providers."""

import pytest

from expectations import refused
from iam_world import as_user, document, pages, statement

URL = "https://issuer.example.com/realms/A"
NAME = URL.removeprefix("https://")
A, B = "a" * 40, "b" * 40


def arn_of(account, name=NAME):
    """The ARN of a provider."""
    return f"arn:aws:iam::{account}:oidc-provider/{name}"


def tag(key, value=""):
    """A tag as IAM writes it."""
    return {"Key": key, "Value": value}


@pytest.fixture
def arn(iam):
    """The ARN of a provider with one audience and one thumbprint."""
    return iam.create_open_id_connect_provider(
        Url=URL, ClientIDList=["one"], ThumbprintList=[A]
    )["OpenIDConnectProviderArn"]


def told(iam, arn):
    """What GetOpenIDConnectProvider tells, without the answer's own data."""
    answer = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    return {name: answer[name] for name in answer if name != "ResponseMetadata"}


def test_a_provider_as_it_is_made_and_told(account, iam, arn):
    assert arn == arn_of(account)
    answer = told(iam, arn)
    assert answer.pop("CreateDate").microsecond == 0
    assert answer == {"Url": NAME, "ClientIDList": ["one"], "ThumbprintList": [A], "Tags": []}
    bare = iam.create_open_id_connect_provider(Url="https://b.example", Tags=[tag("k", "v")])
    assert bare["Tags"] == [tag("k", "v")]
    assert told(iam, bare["OpenIDConnectProviderArn"])["ClientIDList"] == []
    listed = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    assert [each["Arn"] for each in listed] == [arn_of(account, "b.example"), arn]


def test_a_url_is_taken_once(iam, arn):
    with refused("EntityAlreadyExists", f"Provider with url {URL} already exists."):
        iam.create_open_id_connect_provider(Url=URL)
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    iam.create_open_id_connect_provider(Url=URL)


@pytest.mark.parametrize("url", [
    "example.org", "http://example.org", "https://", "https://example.org?x=1",
    "https://example.org:8443", "https://user@example.org",
])
def test_urls_that_are_refused(iam, url):
    with refused("ValidationError", "Invalid Open ID Connect Provider URL"):
        iam.create_open_id_connect_provider(Url=url)


@pytest.mark.parametrize("more, code, message", [
    ({"ThumbprintList": [f"{n:040}" for n in range(6)]}, "InvalidInput",
     "Thumbprint list must contain fewer than 5 entries."),
    ({"ClientIDList": [str(n) for n in range(101)]}, "LimitExceeded",
     "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100"),
    ({"Tags": [tag("a"), tag("A")]}, "InvalidInput", None),
], ids=["thumbprints", "clients", "tags"])
def test_inputs_that_are_refused(iam, more, code, message):
    with refused(code, message):
        iam.create_open_id_connect_provider(Url=URL, **more)
    assert iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] == []


def test_client_ids(iam, arn):
    named = {"OpenIDConnectProviderArn": arn}
    iam.add_client_id_to_open_id_connect_provider(**named, ClientID="two")
    iam.add_client_id_to_open_id_connect_provider(**named, ClientID="one")
    assert told(iam, arn)["ClientIDList"] == ["one", "two"]
    iam.remove_client_id_from_open_id_connect_provider(**named, ClientID="one")
    iam.remove_client_id_from_open_id_connect_provider(**named, ClientID="nobody")
    assert told(iam, arn)["ClientIDList"] == ["two"]


def test_a_hundred_client_ids(iam):
    arn = iam.create_open_id_connect_provider(
        Url=URL, ClientIDList=[str(number) for number in range(100)]
    )["OpenIDConnectProviderArn"]
    named = {"OpenIDConnectProviderArn": arn}
    with refused("LimitExceeded", "Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100"):
        iam.add_client_id_to_open_id_connect_provider(**named, ClientID="more")
    iam.add_client_id_to_open_id_connect_provider(**named, ClientID="7")
    assert len(told(iam, arn)["ClientIDList"]) == 100


def test_thumbprints_are_replaced(iam, arn):
    named = {"OpenIDConnectProviderArn": arn}
    iam.update_open_id_connect_provider_thumbprint(**named, ThumbprintList=[B, A])
    assert told(iam, arn)["ThumbprintList"] == [B, A]
    with refused("InvalidInput", "Thumbprint list must contain fewer than 5 entries."):
        iam.update_open_id_connect_provider_thumbprint(**named, ThumbprintList=[A] * 6)
    assert told(iam, arn)["ThumbprintList"] == [B, A]


def test_tags_live(iam, arn):
    named = {"OpenIDConnectProviderArn": arn}
    iam.tag_open_id_connect_provider(**named, Tags=[tag("b", "1"), tag("a", "2")])
    assert iam.list_open_id_connect_provider_tags(**named)["Tags"] == [tag("a", "2"), tag("b", "1")]
    iam.untag_open_id_connect_provider(**named, TagKeys=["B"])
    assert told(iam, arn)["Tags"] == [tag("a", "2")]
    iam.tag_open_id_connect_provider(**named, Tags=[tag(f"k{n:02}") for n in range(49)])
    with refused("LimitExceeded", "The number of tags has reached the maximum limit."):
        iam.tag_open_id_connect_provider(**named, Tags=[tag("more")])
    found = pages(iam.list_open_id_connect_provider_tags, "Tags", 30, **named)
    assert [len(page) for page in found] == [30, 20]


def test_absent_providers(account, guest, iam):
    for arn in (arn_of(account, "no.example"), arn_of(guest, "no.example")):
        named = {"OpenIDConnectProviderArn": arn}
        for call, more in [
            (iam.get_open_id_connect_provider, {}),
            (iam.delete_open_id_connect_provider, {}),
            (iam.update_open_id_connect_provider_thumbprint, {"ThumbprintList": [A]}),
            (iam.add_client_id_to_open_id_connect_provider, {"ClientID": "x"}),
            (iam.remove_client_id_from_open_id_connect_provider, {"ClientID": "x"}),
            (iam.tag_open_id_connect_provider, {"Tags": [tag("a")]}),
            (iam.untag_open_id_connect_provider, {"TagKeys": ["a"]}),
            (iam.list_open_id_connect_provider_tags, {}),
        ]:
            with refused("NoSuchEntity", f"OpenIDConnect Provider not found for arn {arn}"):
                call(**named, **more)
    with refused("InvalidInput"):
        iam.get_open_id_connect_provider(OpenIDConnectProviderArn=f"arn:aws:iam::{account}:role/r")


def test_another_account_has_its_own(server, guest, iam, arn):
    other = server.client("iam", guest)
    with refused("NoSuchEntity"):
        other.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    mine = other.create_open_id_connect_provider(Url=URL)["OpenIDConnectProviderArn"]
    assert mine == arn_of(guest)


def test_permissions_are_asked_of_the_provider(server, account, iam, arn):
    iam.create_user(UserName="alice")
    alice = as_user(server, iam, "alice")
    with refused("AccessDenied"):
        told(alice, arn)
    with refused("AccessDenied"):
        told(alice, arn_of(account, "no.example"))
    with refused("AccessDenied"):
        alice.list_open_id_connect_providers()
    iam.put_user_policy(UserName="alice", PolicyName="p", PolicyDocument=document(
        statement(["iam:GetOpenIDConnectProvider", "iam:CreateOpenIDConnectProvider"], arn)
    ))
    assert told(alice, arn)["Url"] == NAME
    with refused("AccessDenied"):
        alice.create_open_id_connect_provider(Url="https://other.example")
    with refused("AccessDenied"):
        alice.create_open_id_connect_provider(Url=URL, Tags=[tag("a")])
    with refused("AccessDenied"):
        alice.delete_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    with refused("EntityAlreadyExists"):
        alice.create_open_id_connect_provider(Url=URL)
