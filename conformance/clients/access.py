"""Access keys, and clients that sign with them.

Owns how a test comes to such a client. It knows nothing of what answers should be.
"""

import boto3
from botocore.config import Config


def new_key(iam, user=None):
    """A new access key of the user; without a name, of the caller."""
    return iam.create_access_key(**({"UserName": user} if user else {}))["AccessKey"]


def client(server, service, key, region="us-east-1"):
    """A client that signs with an access key, as CreateAccessKey answered it."""
    return boto3.client(
        service,
        endpoint_url=server.endpoint,
        region_name=region,
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
        config=Config(retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=30),
    )


def caller(server, key):
    """The ARN that an access key signs for."""
    return client(server, "sts", key).get_caller_identity()["Arn"]
