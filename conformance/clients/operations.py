"""Which operations the server has, and which of them a client has gone through.

Owns that comparison, by which an operation that a client's tests forget is told. Says nothing of
what an operation answers.
"""

import json

import botocore.session

# Whoever asks which operations there are; no test looks at what that leaves behind.
ASKER = "900000000001"


def existing(server):
    """The names of the model's operations that the server doesn't say are unknown to it."""
    model = botocore.session.get_session().get_service_model("kms")
    names = set()
    for name in model.operation_names:
        _, _, body = server.send_kms(f"TrentService.{name}", b"{}", account=ASKER)
        if json.loads(body).get("__type") != "UnknownOperationException":
            names.add(name)
    return names


def existing_of(server, service):
    """The same of a service of the query protocol, or of KMS."""
    if service == "kms":
        return existing(server)
    model = botocore.session.get_session().get_service_model(service)
    names = set()
    for name in model.operation_names:
        body = f"Action={name}&Version={model.api_version}".encode()
        if b"<Code>InvalidAction</Code>" not in server.send_query(body):
            names.add(name)
    return names


def succeeded(server, account):
    """The names of the operations that an account has called with success, by the audit log."""
    return {
        record["eventName"] for record in server.audit()
        if record["eventSource"] == "kms.amazonaws.com" and "errorCode" not in record
        and record["recipientAccountId"] == account
    }


def assert_all_used(server, account, known=lambda name: True):
    """The account must have called each operation that there is, and the client knows."""
    wanted = {name for name in existing(server) if known(name)}
    left = wanted - succeeded(server, account)
    assert not left, f"called by nobody, or never with success: {sorted(left)}"
