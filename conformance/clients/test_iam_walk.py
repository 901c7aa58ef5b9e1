"""One account's life, through every operation of IAM and STS that there is.

The audit log must know a success of each; an operation that nobody calls here is named.
"""

import json

import boto3
import pytest

from operations import existing_of

REGION = "us-east-1"
ACCOUNT = "600000000006"
ALLOW = json.dumps({
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
})
# Only a token of an identity provider's admits to it: test_sts_web_identity.py. And no service here
# gives out encoded messages.
ELSEWHERE = {"AssumeRoleWithWebIdentity", "DecodeAuthorizationMessage"}


def client(server, service, access_key=ACCOUNT, secret="any", token=None):
    """A client that signs with these credentials."""
    return boto3.client(
        service, endpoint_url=server.endpoint, region_name=REGION, aws_access_key_id=access_key,
        aws_secret_access_key=secret, aws_session_token=token,
    )


def users_and_keys(iam):
    """A user with all that it can have."""
    iam.create_user(UserName="ann", Tags=[{"Key": "team", "Value": "a"}])
    iam.get_user(UserName="ann")
    iam.update_user(UserName="ann", NewPath="/staff/")
    iam.list_users()
    iam.tag_user(UserName="ann", Tags=[{"Key": "level", "Value": "1"}])
    iam.list_user_tags(UserName="ann")
    iam.untag_user(UserName="ann", TagKeys=["level"])
    made = iam.create_access_key(UserName="ann")["AccessKey"]
    iam.list_access_keys(UserName="ann")
    iam.get_access_key_last_used(AccessKeyId=made["AccessKeyId"])
    iam.update_access_key(UserName="ann", AccessKeyId=made["AccessKeyId"], Status="Inactive")
    iam.update_access_key(UserName="ann", AccessKeyId=made["AccessKeyId"], Status="Active")
    spare = iam.create_access_key(UserName="ann")["AccessKey"]
    iam.delete_access_key(UserName="ann", AccessKeyId=spare["AccessKeyId"])
    return made["AccessKeyId"], made["SecretAccessKey"]


def groups(iam):
    """A group that the user joins and leaves."""
    iam.create_group(GroupName="crew")
    iam.update_group(GroupName="crew", NewGroupName="team")
    iam.add_user_to_group(GroupName="team", UserName="ann")
    iam.get_group(GroupName="team")
    iam.list_groups()
    iam.list_groups_for_user(UserName="ann")


def roles(iam, ann):
    """A role that the user may assume."""
    trust = json.dumps({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow", "Principal": {"AWS": ann},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
        }],
    })
    iam.create_role(RoleName="work", AssumeRolePolicyDocument=trust)
    iam.update_assume_role_policy(RoleName="work", PolicyDocument=trust)
    iam.update_role(RoleName="work", MaxSessionDuration=7200)
    iam.update_role_description(RoleName="work", Description="what is done")
    iam.get_role(RoleName="work")
    iam.list_roles()
    iam.tag_role(RoleName="work", Tags=[{"Key": "k", "Value": "v"}])
    iam.list_role_tags(RoleName="work")
    iam.untag_role(RoleName="work", TagKeys=["k"])
    iam.list_instance_profiles_for_role(RoleName="work")
    made = iam.create_service_linked_role(AWSServiceName="mrk.kms.amazonaws.com")["Role"]
    task = iam.delete_service_linked_role(RoleName=made["RoleName"])["DeletionTaskId"]
    iam.get_service_linked_role_deletion_status(DeletionTaskId=task)


KINDS = (("user", "ann"), ("group", "team"), ("role", "work"))


def policies(iam):
    """Policies of every sort, on every kind of principal."""
    arn = iam.create_policy(PolicyName="all", PolicyDocument=ALLOW)["Policy"]["Arn"]
    iam.get_policy(PolicyArn=arn)
    iam.list_policies(Scope="Local")
    version = iam.create_policy_version(PolicyArn=arn, PolicyDocument=ALLOW)["PolicyVersion"]
    iam.get_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
    iam.list_policy_versions(PolicyArn=arn)
    iam.set_default_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
    iam.delete_policy_version(PolicyArn=arn, VersionId="v1")
    iam.tag_policy(PolicyArn=arn, Tags=[{"Key": "k", "Value": "v"}])
    iam.list_policy_tags(PolicyArn=arn)
    iam.untag_policy(PolicyArn=arn, TagKeys=["k"])
    for kind, name in KINDS:
        named = {f"{kind.capitalize()}Name": name}
        call = lambda operation, **more: getattr(iam, operation.format(kind))(**named, **more)
        call("put_{}_policy", PolicyName="p", PolicyDocument=ALLOW)
        call("get_{}_policy", PolicyName="p")
        call("list_{}_policies")
        call("attach_{}_policy", PolicyArn=arn)
        call("list_attached_{}_policies")
        if kind != "group":
            call("put_{}_permissions_boundary", PermissionsBoundary=arn)
    iam.list_entities_for_policy(PolicyArn=arn)
    return arn


def questions(iam, ann):
    """What may they do?"""
    iam.simulate_principal_policy(PolicySourceArn=ann, ActionNames=["kms:Encrypt"])
    iam.simulate_custom_policy(PolicyInputList=[ALLOW], ActionNames=["kms:Encrypt"])
    iam.get_context_keys_for_custom_policy(PolicyInputList=[ALLOW])
    iam.get_context_keys_for_principal_policy(PolicySourceArn=ann)
    iam.get_account_summary()
    iam.get_account_authorization_details()


def providers(iam):
    """An identity provider."""
    made = iam.create_open_id_connect_provider(
        Url="https://idp.example", ClientIDList=["one"], ThumbprintList=["a" * 40],
    )
    arn = {"OpenIDConnectProviderArn": made["OpenIDConnectProviderArn"]}
    iam.get_open_id_connect_provider(**arn)
    iam.list_open_id_connect_providers()
    iam.add_client_id_to_open_id_connect_provider(**arn, ClientID="two")
    iam.remove_client_id_from_open_id_connect_provider(**arn, ClientID="two")
    iam.update_open_id_connect_provider_thumbprint(**arn, ThumbprintList=["b" * 40])
    iam.tag_open_id_connect_provider(**arn, Tags=[{"Key": "k", "Value": "v"}])
    iam.list_open_id_connect_provider_tags(**arn)
    iam.untag_open_id_connect_provider(**arn, TagKeys=["k"])
    iam.delete_open_id_connect_provider(**arn)


def sessions(server, access_key):
    """Sessions of every sort."""
    sts = client(server, "sts", *access_key)
    sts.get_caller_identity()
    sts.get_access_key_info(AccessKeyId=access_key[0])
    sts.get_session_token()
    sts.get_federation_token(Name="guest", Policy=ALLOW)
    role = f"arn:aws:iam::{ACCOUNT}:role/work"
    made = sts.assume_role(RoleArn=role, RoleSessionName="day")["Credentials"]
    own = (made["AccessKeyId"], made["SecretAccessKey"], made["SessionToken"])
    assert client(server, "sts", *own).get_caller_identity()["Arn"].endswith("/work/day")


def the_end(iam, policy):
    """All of it is taken away again."""
    for kind, name in KINDS:
        named = {f"{kind.capitalize()}Name": name}
        call = lambda operation, **more: getattr(iam, operation.format(kind))(**named, **more)
        call("delete_{}_policy", PolicyName="p")
        call("detach_{}_policy", PolicyArn=policy)
        if kind != "group":
            call("delete_{}_permissions_boundary")
    iam.remove_user_from_group(GroupName="team", UserName="ann")
    iam.delete_group(GroupName="team")
    for key in iam.list_access_keys(UserName="ann")["AccessKeyMetadata"]:
        iam.delete_access_key(UserName="ann", AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName="ann")
    iam.delete_role(RoleName="work")
    iam.delete_policy(PolicyArn=policy)
    iam.create_account_alias(AccountAlias="the-walk")
    iam.list_account_aliases()
    iam.delete_account_alias(AccountAlias="the-walk")
    summary = iam.get_account_summary()["SummaryMap"]
    assert [summary[name] for name in ("Users", "Groups", "Roles", "Policies")] == [0] * 4


@pytest.fixture
def walked(own_server):
    """The server, once everything has been called."""
    iam = client(own_server, "iam")
    ann = f"arn:aws:iam::{ACCOUNT}:user/staff/ann"
    access_key = users_and_keys(iam)
    groups(iam)
    roles(iam, ann)
    policy = policies(iam)
    questions(iam, ann)
    providers(iam)
    sessions(own_server, access_key)
    the_end(iam, policy)
    return own_server


def test_every_operation_of_iam_and_sts_is_called_with_success(walked):
    for service in ("iam", "sts"):
        succeeded = {
            record["eventName"] for record in walked.audit()
            if record["eventSource"] == f"{service}.amazonaws.com" and "errorCode" not in record
        }
        left = existing_of(walked, service) - succeeded - ELSEWHERE
        assert not left, f"called by nobody, or never with success: {sorted(left)}"
