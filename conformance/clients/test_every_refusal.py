"""Every operation of every service, called by those who may not: whoever isn't known, whoever signs
wrongly, and whoever no policy allows, or one denies.

The operations are those of botocore's models that the server has; their requests are made of the
models, so that none is forgotten. Allowed calls are in the tests of each operation.
"""

import json

import boto3
import botocore.session
import pytest
from botocore.awsrequest import AWSRequest
from botocore.auth import SigV4Auth
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session

from operations import existing_of

REGION = "us-east-1"
SERVICES = ("kms", "iam", "sts")
# Nobody needs permission to learn who he is, and nothing can deny it. What a web identity may is
# decided by its token, not by a signature.
UNGOVERNED = {"GetCallerIdentity", "GetSessionToken"}
UNSIGNED = {"AssumeRoleWithWebIdentity"}


DELETION_TASK = (
    "task/aws-service-role/mrk.kms.amazonaws.com/"
    "AWSServiceRoleForKeyManagementServiceMultiRegionKeys/0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f0"
)


def least(shape, name=""):
    """The least value of a shape that its own bounds allow."""
    metadata = shape.metadata
    if shape.type_name == "structure":
        return {
            member: least(shape.members[member], member) for member in shape.required_members
        }
    if shape.type_name == "list":
        return [least(shape.member, name)] * max(1, metadata.get("min", 0))
    if shape.type_name == "map":
        return {}
    if shape.type_name == "blob":
        return b"x" * max(1, metadata.get("min", 0))
    if shape.type_name == "boolean":
        return False
    if shape.type_name in ("integer", "long"):
        return metadata.get("min", 1)
    if shape.type_name == "timestamp":
        return 0
    if getattr(shape, "enum", None):
        return shape.enum[0]
    return text(name, metadata)


def text(name, metadata):
    """A text that the patterns of the models allow for a member of that name."""
    known = {
        "Path": "/", "NewPath": "/", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess",
        "PermissionsBoundary": "arn:aws:iam::aws:policy/AdministratorAccess",
        "RoleArn": "arn:aws:iam::111122223333:role/nobody",
        "OpenIDConnectProviderArn": "arn:aws:iam::111122223333:oidc-provider/example.com",
        "PolicySourceArn": "arn:aws:iam::111122223333:user/nobody",
        "Url": "https://example.com", "VersionId": "v1", "AliasName": "alias/nothing",
        "AccountAlias": "an-alias", "AWSServiceName": "mrk.kms.amazonaws.com",
        "KeyId": "0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f0", "PrimaryRegion": "eu-west-1",
        "ReplicaRegion": "eu-west-1", "AccessKeyId": "AKIAIOSFODNN7EXAMPLE",
        "DeletionTaskId": DELETION_TASK,
    }
    if name in known:
        return known[name]
    if name.endswith("Document") or name == "Policy" or name == "PolicyInputList":
        return '{"Version":"2012-10-17","Statement":[]}'
    return "x" * max(20 if "Token" in name else 4, metadata.get("min", 0))


@pytest.fixture(scope="module")
def there(module_server):
    """The operations that the server has, by service."""
    return {service: existing_of(module_server, service) for service in SERVICES}


@pytest.fixture(scope="module")
def key(module_server):
    """A key of the account that the users are of, with an alias."""
    kms = module_server.kms("111122223333")
    made = kms.create_key()["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName="alias/nothing", TargetKeyId=made)
    return made


@pytest.fixture(scope="module")
def grant(module_server, key):
    """The id of a grant on that key, to the root user."""
    made = module_server.kms("111122223333").create_grant(
        KeyId=key, GranteePrincipal="arn:aws:iam::111122223333:root", Operations=["Decrypt"],
    )
    return made["GrantId"]


def client(server, service, access_key, secret, token=None):
    """A client that signs with these credentials, without botocore's own checks."""
    return boto3.client(
        service, endpoint_url=server.endpoint, region_name=REGION, aws_access_key_id=access_key,
        aws_secret_access_key=secret, aws_session_token=token,
        config=Config(parameter_validation=False, retries={"max_attempts": 1}),
    )


def request_of(service, name, key, grant):
    """The least arguments of an operation, on that key and grant where it takes them."""
    model = botocore.session.get_session().get_service_model(service).operation_model(name)
    if model.input_shape is None:
        return {}
    arguments = least(model.input_shape)
    for member in ("KeyId", "SourceKeyId", "DestinationKeyId", "TargetKeyId"):
        if service == "kms" and member in model.input_shape.members:
            arguments[member] = key
    more = {"NumberOfBytes": 1, "CiphertextBlob": b"x", "GrantId": grant}
    if service == "kms":
        wanted = {name: value for name, value in more.items() if name in model.input_shape.members}
        arguments |= {} if name == "CreateGrant" else wanted
        if name == "GenerateDataKey":
            arguments = {"KeyId": key, "KeySpec": "AES_256"}
    return arguments


def call(caller, name, arguments):
    """Calls an operation; returns its error's code, or None."""
    try:
        getattr(caller, botocore.xform_name(name))(**arguments)
    except ClientError as refusal:
        return refusal.response["Error"]["Code"]
    return None


def user(server, name, statement=None):
    """A user of the account, with that statement in a policy; returns its access key."""
    iam = boto3.client(
        "iam", endpoint_url=server.endpoint, region_name=REGION,
        aws_access_key_id="111122223333", aws_secret_access_key="any",
    )
    iam.create_user(UserName=name)
    if statement:
        document = {"Version": "2012-10-17", "Statement": statement}
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(document))
    made = iam.create_access_key(UserName=name)["AccessKey"]
    return made["AccessKeyId"], made["SecretAccessKey"]


EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


@pytest.fixture(scope="module")
def powerless(module_server):
    """A user without any policy."""
    return user(module_server, "powerless")


@pytest.fixture(scope="module")
def denied(module_server):
    """A user who may do everything, and whom a statement denies everything."""
    return user(module_server, "denied", [EVERYTHING, EVERYTHING | {"Effect": "Deny"}])


def all_but(there, service, left_out):
    """The operations of a service that the server has, without those."""
    names = there[service] - left_out
    assert len(names) > 3
    return sorted(names)


@pytest.mark.parametrize("service", SERVICES)
def test_who_is_not_known_is_refused(module_server, there, key, grant, powerless, service):
    json_protocol = service == "kms"
    unknown = "UnrecognizedClientException" if json_protocol else "InvalidClientTokenId"
    wrong = "InvalidSignatureException" if json_protocol else "SignatureDoesNotMatch"
    for access_key, secret, token, code in [
        ("AKIAIOSFODNN7EXAMPLE", "nobody's", None, unknown),
        ("ASIAIOSFODNN7EXAMPLE", "nobody's", "no token of ours", unknown),
        (powerless[0], "not her secret", None, wrong),
        (*powerless, "a token where none belongs", unknown),
    ]:
        caller = client(module_server, service, access_key, secret, token)
        answers = {
            name: call(caller, name, request_of(service, name, key, grant))
            for name in all_but(there, service, UNSIGNED)
        }
        assert answers == dict.fromkeys(answers, code), (access_key, token)


@pytest.mark.parametrize("service", SERVICES)
def test_unsigned_and_expired_requests_are_refused(module_server, there, powerless, service):
    if service == "kms":
        missing, expired = b"MissingAuthenticationToken", b"InvalidSignatureException"
    else:
        missing, expired = b"MissingAuthenticationToken", b"SignatureDoesNotMatch"
    for name in all_but(there, service, UNSIGNED):
        request = bare(module_server, service, name)
        assert missing in URLLib3Session().send(request.prepare()).content, name
        late = signed_long_ago(bare(module_server, service, name), service, powerless)
        assert expired in URLLib3Session().send(late.prepare()).content, name


def bare(server, service, name):
    """A request for an operation without anything else, unsigned."""
    if service == "kms":
        headers = {
            "Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": f"TrentService.{name}",
        }
        return AWSRequest("POST", server.endpoint + "/", data="{}", headers=headers)
    version = {"iam": "2010-05-08", "sts": "2011-06-15"}[service]
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    body = f"Action={name}&Version={version}"
    return AWSRequest("POST", server.endpoint + "/", data=body, headers=headers)


def signed_long_ago(request, service, access_key):
    """The request, signed in full and well, but years ago."""
    signer = SigV4Auth(Credentials(*access_key), service, REGION)
    request.context["timestamp"] = "20200101T000000Z"
    request.headers["X-Amz-Date"] = "20200101T000000Z"
    text = signer.string_to_sign(request, signer.canonical_request(request))
    names = signer.signed_headers(signer.headers_to_sign(request))
    request.headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={access_key[0]}/{signer.credential_scope(request)}, "
        f"SignedHeaders={names}, Signature={signer.signature(text, request)}"
    )
    return request


@pytest.mark.parametrize("service", SERVICES)
def test_whom_no_policy_allows_is_refused(
    module_server, there, key, grant, powerless, denied, service,
):
    code = "AccessDeniedException" if service == "kms" else "AccessDenied"
    for user_of in (powerless, denied):
        caller = client(module_server, service, *user_of)
        answers = {
            name: call(caller, name, request_of(service, name, key, grant))
            for name in all_but(there, service, UNGOVERNED | UNSIGNED)
        }
        assert answers == dict.fromkeys(answers, code)
