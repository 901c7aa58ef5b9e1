"""Grants, as the tests of grants name and list them. Owns no expectation and starts nothing."""

# What a grant on a symmetric encryption key can allow.
SYMMETRIC = [
    "Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "ReEncryptFrom",
    "ReEncryptTo", "CreateGrant", "RetireGrant", "DescribeKey", "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
]
# A grant to a service, with all that it needs.
SERVICE = {
    "GranteeServicePrincipal": "s3.amazonaws.com",
    "RetiringServicePrincipal": "s3.amazonaws.com",
    "Constraints": {"SourceArn": "arn:aws:s3:us-east-1:111122223333:bucket"},
}


def root(account):
    """The principal that an account is."""
    return f"arn:aws:iam::{account}:root"


def listed(kms, key, **filters):
    """All grants on the key, through as many pages as it takes."""
    pages = kms.get_paginator("list_grants").paginate(KeyId=key["Arn"], **filters)
    return [entry for page in pages for entry in page["Grants"]]
