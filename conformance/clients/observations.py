"""Calls and what was answered to them, written down so that another server can be asked the same.

Owns the form on disk and the comparison. Knows nothing of what the calls are.
"""

import base64
import datetime

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError


def packed(value):
    """The value as JSON can hold it."""
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, datetime.datetime):
        return {"time": value.timestamp()}
    if isinstance(value, dict):
        return {"map": {name: packed(part) for name, part in value.items()}}
    if isinstance(value, (list, tuple)):
        return [packed(part) for part in value]
    return value


def unpacked(value):
    """What `packed` had been given."""
    if isinstance(value, list):
        return [unpacked(part) for part in value]
    if not isinstance(value, dict):
        return value
    (kind, part), = value.items()
    if kind == "bytes":
        return base64.b64decode(part)
    if kind == "time":
        return datetime.datetime.fromtimestamp(part, datetime.timezone.utc)
    return {name: unpacked(inner) for name, inner in part.items()}


class Caller:
    """Calls as one principal, in any Region: an account's root user, or by an access key."""

    def __init__(self, server, credentials):
        self.server = server
        self.credentials = credentials
        self._clients = {}

    def client(self, service, region="us-east-1"):
        """The client, made once."""
        if (service, region) not in self._clients:
            key, secret, token = self.credentials
            self._clients[service, region] = boto3.client(
                service, endpoint_url=self.server.endpoint, region_name=region,
                aws_access_key_id=key, aws_secret_access_key=secret, aws_session_token=token,
                config=Config(retries={"total_max_attempts": 1}, read_timeout=60),
            )
        return self._clients[service, region]

    def forget(self):
        """Forgets the clients."""
        self._clients.clear()

    def answer(self, service, region, operation, arguments):
        """What the call comes to: its answer, or the code and words of its refusal."""
        try:
            answer = getattr(self.client(service, region), operation)(**arguments)
        except ClientError as refusal:
            error = refusal.response["Error"]
            return {"refused": [error["Code"], error.get("Message", "")]}
        answer.pop("ResponseMetadata")
        return answer


class Observer:
    """Calls and remembers."""

    def __init__(self, server):
        self.server = server
        self.callers = {}
        self.calls = []

    def caller(self, name, access_key_id, secret="any", token=None):
        """A principal, under the name by which calls refer to it."""
        self.callers[name] = Caller(self.server, [access_key_id, secret, token])
        return self.callers[name]

    def renew(self):
        """Forgets the clients: the server has another endpoint now."""
        for caller in self.callers.values():
            caller.forget()

    def see(self, caller, service, operation, region="us-east-1", expect=None, **arguments):
        """Calls, and writes down what is answered; or that these members are, if any are named."""
        answer = self.callers[caller].answer(service, region, operation, arguments)
        if expect is not None:
            assert not answer.get("refused"), (operation, arguments, answer)
            answer = {name: answer[name] for name in expect}
        self.calls.append({
            "caller": caller, "service": service, "region": region, "operation": operation,
            "arguments": packed(arguments), "answer": packed(answer),
            "members": expect,
        })
        return answer

    def written(self):
        """All of it, for JSON: every call is made once more, since what came after it may have
        changed its answer."""
        for call in self.calls:
            call["answer"] = packed(told(self.callers[call["caller"]], call))
        callers = {name: caller.credentials for name, caller in self.callers.items()}
        return {"callers": callers, "calls": self.calls}


def told(caller, call):
    """What is answered to a call that was written down, as far as that is compared."""
    answer = caller.answer(
        call["service"], call["region"], call["operation"], unpacked(call["arguments"])
    )
    if call["members"] is not None and "refused" not in answer:
        answer = {name: answer[name] for name in call["members"]}
    # When a role was last used changes by calling it.
    for role in answer.get("RoleDetailList", []):
        role.pop("RoleLastUsed", None)
    return answer


def differences(server, written):
    """What that server answers otherwise than was written down."""
    callers = {name: Caller(server, given) for name, given in written["callers"].items()}
    found = []
    for call in written["calls"]:
        answer = told(callers[call["caller"]], call)
        if packed(answer) != call["answer"]:
            found.append((call, answer))
    return found
