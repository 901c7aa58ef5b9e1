"""What comes with the binary: systemd's units, and the file system of the container image.

The units are read by systemd's own programs. The image can't be built without a container engine,
but its file system can: the binary must run in it.
"""

import os
import re
import shutil
import subprocess

import pytest

import installed
import strongroom

PACKAGING = strongroom.REPOSITORY / "packaging"
UNITS = ["strongroom.service", "strongroom.socket"]
# Of ten, where ten is no protection at all. What is left is the network, the user's being a fixed
# one, and its seeing other users' groups.
EXPOSURE_MAX = 2.0

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze",
)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may change its root")


@pytest.fixture
def units(tmp_path):
    """Copies of the units that start the binary under test."""
    for name in UNITS:
        text = (PACKAGING / name).read_text()
        binary = str(strongroom.binary())
        (tmp_path / name).write_text(text.replace("/usr/local/bin/strongroom", binary))
    return tmp_path


def analyze(*words):
    """Runs systemd-analyze; returns its exit code and all that it wrote."""
    done = subprocess.run(
        ["systemd-analyze", *map(str, words)], capture_output=True, text=True, timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@needs_systemd
def test_units_are_right(units):
    # Users are made by strongroom.sysusers, and so aren't there.
    code, told = analyze("verify", "--man=no", *(units / name for name in UNITS))
    about = [line for line in told.splitlines() if "strongroom" in line]
    assert (code, about) == (0, []), told


@needs_systemd
def test_the_unit_leaves_little_open(units):
    code, told = analyze("security", "--offline=yes", "--no-pager", units / UNITS[0])
    exposure = re.search(r"exposure level for \S+: ([0-9.]+)", told)
    assert code == 0 and exposure, told
    assert float(exposure.group(1)) <= EXPOSURE_MAX, told


@needs_systemd
@pytest.mark.skipif(shutil.which("strace") is None, reason="there is no strace")
def test_the_unit_allows_every_system_call_of_the_server():
    """What a server calls from its start to its end passes the unit's filter: with the shipped
    configuration, a socket of systemd's, a credential, and all of its memory locked."""
    settings = {} if installed.may_lock_everything() else {'"all"': '"keys"'}
    with installed.installation(settings=settings) as server:
        trace = server.home / "trace"
        # With -D it is the server that is the child here, and strace somebody else.
        server.start(["strace", "-D", "-f", "-qq", "-o", trace])
        exercise(server)
        assert server.stop() == 0, server.stderr()
        called = set(re.findall(r"^\d+ +([a-z0-9_]+)\(", trace.read_text(), re.M))
    called -= {"execve"}  # systemd's own, before the filter is complete
    # What the filter was widened for, and what a server that does its work can't do without.
    expected = {"mlock", "fdatasync", "accept4", "prctl", "prlimit64", "fchownat", "sendto"}
    if not settings:
        expected.add("mlockall")
    assert expected - called == set()
    assert called - allowed_calls() == set()


def exercise(server):
    """Goes through what calls the system: keys of several kinds, changes, operators' calls."""
    kms = server.kms()
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    signer = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    kms.sign(KeyId=signer, Message=b"x", SigningAlgorithm="RSASSA_PSS_SHA_256")
    kms.generate_data_key_pair(KeyId=key, KeyPairSpec="ECC_NIST_P256")
    for words in (["rotate", "--root-key", "--domain-keys"], ["reload"], ["status"],
                  ["seal", "list"], ["backup", "create", server.home / "run" / "backup"]):
        done = server.run(*words)
        assert done.returncode == 0, (words, done.stderr)
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


@pytest.mark.skipif(not installed.may_lock_everything(), reason="the limit on memory can't be had")
def test_the_shipped_files_make_a_server():
    """The unit's command, with the shipped configuration, unseals itself by the credential and
    listens on systemd's socket; operators reach it by its own socket."""
    with installed.installation() as server:
        server.start()
        exercise(server)
        mode = server.admin_socket.stat()
        assert (mode.st_mode & 0o777, mode.st_gid) == (0o660, server.group)
        assert server.stop() == 0, server.stderr()
        assert not server.admin_socket.exists()


def test_the_unit_and_the_configuration_agree():
    """Paths, names and limits that stand in both are the same."""
    unit = (PACKAGING / UNITS[0]).read_text()
    shipped = (PACKAGING / "strongroom.toml").read_text()
    sysusers = (PACKAGING / "strongroom.sysusers").read_text()

    def of_unit(name):
        return re.search(rf"^#?{name}=(.*)$", unit, re.M).group(1)

    def setting(name):
        return re.search(rf'^(?:#:)?{name} = "(.*)"$', shipped, re.M).group(1)

    assert setting("data_dir") == "/var/lib/" + of_unit("StateDirectory")
    assert setting("socket").startswith(f"/run/{of_unit('RuntimeDirectory')}/")
    assert of_unit("LoadCredentialEncrypted").split(":")[0] == setting("passphrase_credential")
    assert (of_unit("LimitMEMLOCK"), setting("lock")) == ("infinity", "all")
    assert (of_unit("LimitCORE"), of_unit("StateDirectoryMode")) == ("0", "0700")
    # The server's user gives the socket to a group, which only a member may without being root.
    assert f"m {of_unit('User')} {setting('group')}" in sysusers.splitlines()


def allowed_calls():
    """The system calls that pass the unit's filter."""
    allowed = set()
    for line in (PACKAGING / UNITS[0]).read_text().splitlines():
        if not line.startswith("SystemCallFilter="):
            continue
        words = line.split("=", 1)[1]
        named = {call for word in words.lstrip("~").split() for call in calls(word)}
        allowed = allowed - named if words.startswith("~") else allowed | named
    # Allowed whatever the list says: systemd.exec(5).
    return allowed | calls("@default")


def calls(word):
    """The system calls of a set, or the one that it is."""
    if not word.startswith("@"):
        return {word}
    _, told = analyze("syscall-filter", "--no-pager", word)
    lines = [line.strip() for line in told.splitlines() if line.startswith("    ")]
    return {call for line in lines if not line.startswith("#") for call in calls(line)}


@pytest.fixture
def image(tmp_path):
    """The image's file system with the shipped configuration, and a way to start programs in it."""
    root = tmp_path / "image"
    done = subprocess.run(
        [str(PACKAGING / "image-root.sh"), str(strongroom.binary()), str(root)],
        capture_output=True, text=True, timeout=60, check=False,
    )
    assert done.returncode == 0, done.stderr
    shutil.copy(PACKAGING / "strongroom.toml", root / "etc" / "strongroom")

    def start(*words, **variables):
        return subprocess.Popen(
            ["/usr/bin/strongroom", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            text=True, preexec_fn=lambda: enter(root), cwd="/", env=variables,
        )

    return root, start


@needs_root
def test_the_image_holds_all_that_the_binary_needs(image):
    root, start = image
    for words, said in (
        (["--version"], "strongroom "),
        (["config", "check", "--config", "/etc/strongroom/strongroom.toml"], "[listen]"),
    ):
        process = start(*words)
        out, errors = process.communicate(timeout=60)
        assert process.returncode == 0 and said in out, errors
    data = (root / "var" / "lib" / "strongroom").stat()
    assert (data.st_mode & 0o777, data.st_uid) == (0o700, 10_001)


@needs_root
def test_the_image_serves(image):
    """The image's own command, after init into its volume, makes a server that unseals itself."""
    root, start = image
    key_file = "/tmp/seal.key"
    founding = start("init", "--seal", f"key-file:{key_file}")
    assert "AWS_SECRET_ACCESS_KEY" in founding.communicate(timeout=60)[0]
    serving = start(
        *command_of_the_image(), STRONGROOM_SEAL_KEY_FILE=key_file,
        # The port may be somebody's here, and the limits are this machine's.
        STRONGROOM_LISTEN_ADDRESSES="127.0.0.1:0", STRONGROOM_OPERATIONS_LISTEN="127.0.0.1:0",
        STRONGROOM_MEMORY_LOCK="keys",
    )
    try:
        told = []
        for line in serving.stderr:
            told.append(line)
            if "the server is unsealed" in line:
                break
        assert "the server is unsealed" in told[-1], told
        status = start("status")
        assert "state: unsealed" in status.communicate(timeout=60)[0]
        socket = (root / "run" / "strongroom" / "admin.sock").stat()
        assert (socket.st_mode & 0o777, socket.st_uid, socket.st_gid) == (0o660, 10_001, 10_001)
    finally:
        serving.terminate()
        serving.communicate(timeout=60)
    assert serving.returncode == 0


def enter(root):
    """Makes the image's file system the only one, and the process its user's."""
    os.chroot(root)
    os.chdir("/")
    os.setgroups([])
    os.setgid(10_001)
    os.setuid(10_001)


def test_the_dockerfile_has_the_unit_s_paths():
    """The image's user, directories and command fit the defaults and the unit."""
    lines = (PACKAGING / "Dockerfile").read_text().splitlines()
    assert "USER 10001:10001" in lines and "FROM scratch" in lines
    unit = (PACKAGING / UNITS[0]).read_text()
    start = re.search(r"^ExecStart=\S+ (.*)$", unit, re.M).group(1)
    assert command_of_the_image() == start.split()


def command_of_the_image():
    """The words behind the binary's name with which a container starts."""
    lines = (PACKAGING / "Dockerfile").read_text().splitlines()
    return re.findall(r'"([^"]*)"', next(line for line in lines if line.startswith("CMD ")))
