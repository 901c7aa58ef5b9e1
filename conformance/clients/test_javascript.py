"""AWS SDK for JavaScript, version 3: runs javascript/life.mjs under node."""

import node
from operations import assert_all_used


def test_the_life_of_a_key(own_server, account):
    said = node.run("life.mjs", own_server.environment(account))
    assert said == "the life of a key is as it should be\n"
    assert_all_used(own_server, account)
