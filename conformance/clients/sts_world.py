"""Principals, sessions and identity tokens for tests of STS.

Owns how clients of sessions are made, how issuers sign tokens, and the comparison of refusals. It
knows nothing of what answers should be.
"""

import base64
import contextlib
import json

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

# The errors of STS whose status isn't 400.
FORBIDDEN = {
    "AccessDenied", "ExpiredToken", "IDPRejectedClaim", "InvalidClientTokenId",
    "MissingAuthenticationToken",
}


def document(*statements):
    """A policy document, as text."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def statement(action, resource=None, effect="Allow", **more):
    """One statement."""
    named = {} if resource is None else {"Resource": resource}
    return {"Effect": effect, "Action": action} | named | more


def trusting(principal, *actions, **more):
    """A trust policy with one statement."""
    return document(statement(list(actions) or "sts:AssumeRole", Principal=principal, **more))


def account_root(account):
    """The principal that an account's root user is."""
    return {"AWS": f"arn:aws:iam::{account}:root"}


@contextlib.contextmanager
def refused(code, message=None):
    """The block must fail with this error, in these words if any are given."""
    with pytest.raises(ClientError) as caught:
        yield
    answer = caught.value.response
    assert answer["Error"]["Code"] == code, answer["Error"]["Message"]
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == (403 if code in FORBIDDEN else 400)
    if message is not None:
        assert answer["Error"]["Message"] == message


class Principals:
    """Makes users and roles of one account and clients that act as they do."""

    def __init__(self, server, account):
        self.server = server
        self.account = account
        self.iam = server.client("iam", account)

    def of(self, account):
        """The same for another account."""
        return Principals(self.server, account)

    def user(self, name, *statements):
        """A user with these permissions; gives its credentials."""
        self.iam.create_user(UserName=name)
        if statements:
            self.iam.put_user_policy(
                UserName=name, PolicyName="own", PolicyDocument=document(*statements)
            )
        key = self.iam.create_access_key(UserName=name)["AccessKey"]
        return {name: key[name] for name in ("AccessKeyId", "SecretAccessKey")}

    def role(self, name, trust, *statements, **more):
        """A role with this trust policy and these permissions; gives its ARN."""
        role = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust, **more)["Role"]
        if statements:
            self.iam.put_role_policy(
                RoleName=name, PolicyName="own", PolicyDocument=document(*statements)
            )
        return role["Arn"]

    def client(self, service, credentials=None, region="us-east-1"):
        """A client with such credentials; one that doesn't sign without."""
        given = {} if credentials is None else {
            "aws_access_key_id": credentials["AccessKeyId"],
            "aws_secret_access_key": credentials["SecretAccessKey"],
            "aws_session_token": credentials.get("SessionToken"),
        }
        more = {"signature_version": UNSIGNED} if credentials is None else {}
        config = Config(
            retries={"total_max_attempts": 1}, connect_timeout=5, read_timeout=30,
            parameter_validation=False, **more,
        )
        return boto3.client(
            service, endpoint_url=self.server.endpoint, region_name=region, config=config, **given
        )

    def sts(self, credentials=None):
        """A client of STS."""
        return self.client("sts", credentials)

    def arn_of(self, credentials):
        """The ARN of whom the credentials are."""
        return self.sts(credentials).get_caller_identity()["Arn"]


def base64url(data):
    """The encoding of tokens and keys."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _number(number):
    return base64url(number.to_bytes((number.bit_length() + 7) // 8, "big"))


class Issuer:
    """An issuer of identity tokens with a key of its own."""

    def __init__(self, url, algorithm="RS256", kid="k1"):
        self.url = url
        self.algorithm = algorithm
        self.kid = kid
        self.key = (
            rsa.generate_private_key(public_exponent=65537, key_size=2048)
            if algorithm.startswith("RS") else ec.generate_private_key(ec.SECP256R1())
        )

    @property
    def name(self):
        """The URL as ARNs and condition keys have it."""
        return self.url.removeprefix("https://")

    def key_set(self):
        """Its key set, as text."""
        public = self.key.public_key().public_numbers()
        key = {"kid": self.kid, "use": "sig", "alg": self.algorithm}
        if self.algorithm.startswith("RS"):
            key |= {"kty": "RSA", "n": _number(public.n), "e": _number(public.e)}
        else:
            x, y = (base64url(part.to_bytes(32, "big")) for part in (public.x, public.y))
            key |= {"kty": "EC", "crv": "P-256", "x": x, "y": y}
        return json.dumps({"keys": [key]})

    def token(self, claims, **header):
        """A token with these claims."""
        header = {"alg": self.algorithm, "typ": "JWT", "kid": self.kid} | header
        parts = [base64url(json.dumps(part).encode()) for part in (header, claims)]
        signed = ".".join(parts).encode()
        return f"{signed.decode()}.{base64url(self._sign(signed))}"

    def _sign(self, data):
        if self.algorithm.startswith("RS"):
            digest = getattr(hashes, "SHA" + self.algorithm[2:])()
            return self.key.sign(data, padding.PKCS1v15(), digest)
        r, s = decode_dss_signature(self.key.sign(data, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
