"""Principals and policies for tests of IAM: the three kinds of entities that have permissions.

Owns how each kind is made, and what its operations are called. It knows nothing of what answers
should be.
"""

import json

import boto3
from botocore.config import Config


def statement(action, resource="*", effect="Allow", **more):
    """One statement."""
    return {"Effect": effect, "Action": action, "Resource": resource} | more


def document(*statements, **more):
    """A policy document, as text."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)} | more)


ALLOW_LISTING = document(statement("iam:ListUsers"))
DENY_ALL = document(statement("*", effect="Deny"))


def policy_arn(account, name, path="/"):
    """The ARN of an account's own policy."""
    return f"arn:aws:iam::{account}:policy{path}{name}"


def aws_policy_arn(name, path="/"):
    """The ARN of one of AWS's policies."""
    return f"arn:aws:iam::aws:policy{path}{name}"


class Kind:
    """Users, groups or roles: calls the operations of that kind by one name each."""

    def __init__(self, name):
        self.name = name
        self.member = f"{name}Name"

    def __repr__(self):
        return self.name

    def make(self, iam, account, name, **more):
        """Makes one and returns what the answer tells of it."""
        if self.name == "Role":
            trust = {"AWS": f"arn:aws:iam::{account}:root"}
            more["AssumeRolePolicyDocument"] = json.dumps({
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Principal": trust, "Action": "sts:AssumeRole"}],
            })
        return self.call(iam, "create_{}", name, **more)[self.name]

    def call(self, iam, operation, name, **more):
        """Calls the operation of that name, with `{}` where the kind stands, on one of them."""
        call = getattr(iam, operation.format(self.name.lower()))
        return call(**{self.member: name}, **more)


KINDS = [Kind("User"), Kind("Group"), Kind("Role")]
BOUNDED = [KINDS[0], KINDS[2]]


def as_user(server, iam, name):
    """A client of IAM that acts as a user, by a new access key."""
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return boto3.client(
        "iam", endpoint_url=server.endpoint, region_name="us-east-1",
        aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"],
        config=Config(retries={"total_max_attempts": 1}),
    )


def pages(call, member, size, **arguments):
    """The items of every page of a list, page by page."""
    found, marker = [], {}
    while True:
        page = call(**arguments, **marker, MaxItems=size)
        found.append(page[member])
        assert page["IsTruncated"] == ("Marker" in page)
        if not page["IsTruncated"]:
            return found
        marker = {"Marker": page["Marker"]}
