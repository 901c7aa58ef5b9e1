"""What AWS says, in the words it says it, for the tests to compare with.

Owns the texts that several tests share and the way a refusal is compared. Starts nothing.
"""

import contextlib
import re
import uuid

import pytest
from botocore.exceptions import ClientError

# Some errors carry no message member at all, which is not the same as an empty one.
NO_MESSAGE = object()

DRY_RUN = "The request would have succeeded, but the DryRun option is set."
INCORRECT_KEY = (
    "The key ID in the request does not identify a CMK that can perform this operation."
)
UNREACHABLE_CIPHERTEXT = re.compile(
    r"User: arn:aws:iam::\d{12}:root is not authorized to perform: kms:\w+ on the resource "
    "associated with this ciphertext because the resource does not exist in this Region, no "
    "resource-based policies allow access, or a resource-based policy explicitly denies access"
)
# The statuses of the query protocol's errors that aren't 400.
QUERY_STATUS = {
    "AccessDenied": 403,
    "DeleteConflict": 409,
    "EntityAlreadyExists": 409,
    "InvalidClientTokenId": 403,
    "LimitExceeded": 409,
    "NoSuchEntity": 404,
    "SignatureDoesNotMatch": 403,
}
# The account of the texts where a test names no other, and a key id that no test creates.
ACCOUNT = "111122223333"
ABSENT_KEY_ID = "0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f0"


@contextlib.contextmanager
def refused(code, message=None):
    """The block must fail with this error of AWS's.

    `message` is the exact text, a compiled pattern that must match all of it, NO_MESSAGE, or None
    where no record of AWS's own words is at hand.
    """
    with pytest.raises(ClientError) as caught:
        yield
    answer = caught.value.response
    said = answer["Error"]["Message"]
    assert answer["Error"]["Code"] == code, said
    status = answer["ResponseMetadata"]["HTTPStatusCode"]
    assert status == QUERY_STATUS.get(answer["Error"]["Code"], 400)
    uuid.UUID(answer["ResponseMetadata"]["RequestId"])
    if message is NO_MESSAGE:
        assert said == "" and "message" not in answer
    elif isinstance(message, re.Pattern):
        assert message.fullmatch(said), said
    elif message is not None:
        assert said == message


def key_arn(key_id, account=ACCOUNT, region="us-east-1"):
    """The ARN of a key."""
    return f"arn:aws:kms:{region}:{account}:key/{key_id}"


def alias_arn(name, account=ACCOUNT, region="us-east-1"):
    """The ARN of an alias, whose name includes the prefix `alias/`."""
    return f"arn:aws:kms:{region}:{account}:{name}"


def absent_key(key_id=ABSENT_KEY_ID, account=ACCOUNT, region="us-east-1"):
    """What AWS says of a well-formed key id that names nothing."""
    return f"Key '{key_arn(key_id, account, region)}' does not exist"


def absent_alias(name, account=ACCOUNT, region="us-east-1"):
    """What AWS says of an alias that names nothing."""
    return f"Alias {alias_arn(name, account, region)} is not found."


def violation(*failures):
    """The text of a ValidationException that lists these failures of constraints."""
    count = len(failures)
    noun = "error" if count == 1 else "errors"
    return f"{count} validation {noun} detected: " + "; ".join(failures)


def value_fails(value, path, rule):
    """One failure, of a value that may be shown. `None` stands for an absent member."""
    shown = "null" if value is None else f"'{value}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {rule}"


def blob_fails(path, rule):
    """One failure, of a value that is never shown."""
    return f"Value at '{path}' failed to satisfy constraint: {rule}"


def longest(length):
    """The rule of a greatest length."""
    return f"Member must have length less than or equal to {length}"


def shortest(length):
    """The rule of a least length."""
    return f"Member must have length greater than or equal to {length}"


def default_policy(account=ACCOUNT):
    """The key policy that AWS gives a key made without one."""
    return {
        "Version": "2012-10-17",
        "Id": "key-default-1",
        "Statement": [
            {
                "Sid": "Enable IAM User Permissions",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{account}:root"},
                "Action": "kms:*",
                "Resource": "*",
            }
        ],
    }
