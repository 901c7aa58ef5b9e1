"""Where bytes are in another process: its mappings as the kernel tells of them, and their content.

Owns the reading of /proc and the forms in which a secret might turn up. It knows no server.
"""

import base64
import contextlib
import errno
import os
import re
import signal

CHUNK = 1 << 24
# The kernel's own pages, which can't be read by way of /proc and hold nothing of the process.
KERNELS = ("[vvar]", "[vvar_vclock]", "[vsyscall]")
HEADER = re.compile(r"([0-9a-f]+)-([0-9a-f]+) (\S{4}) \S+ \S+ \S+ *(.*)")


class Mapping:
    """One mapping of a process: where, its name, its flags, and how much of it is in RAM."""

    def __init__(self, start, end, permissions, name):
        self.start = start
        self.end = end
        self.permissions = permissions
        self.name = name
        self.flags = set()
        self.sizes = {}

    def locked(self):
        """Whether its pages stay in RAM and out of core dumps."""
        return {"lo", "dd"} <= self.flags

    def __repr__(self):
        return f"{self.start:x}-{self.end:x} {self.permissions} {self.name} {sorted(self.flags)}"


def mappings(pid):
    """The process's mappings."""
    found = []
    with open(f"/proc/{pid}/smaps", encoding="ascii", errors="replace") as lines:
        for line in lines:
            header = HEADER.match(line)
            if header:
                start, end, permissions, name = header.groups()
                found.append(Mapping(int(start, 16), int(end, 16), permissions, name.strip()))
                continue
            name, value = line.split(":", 1)
            if name == "VmFlags":
                found[-1].flags = set(value.split())
            elif value.endswith(" kB\n"):
                found[-1].sizes[name] = int(value.split()[0])
    return found


@contextlib.contextmanager
def halted(pid):
    """The process stands still meanwhile, so that nothing moves out of the reader's way."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def contents(pid, mapping, overlap):
    """The content of a mapping in pieces, each with the end of the one before it."""
    memory = os.open(f"/proc/{pid}/mem", os.O_RDONLY)
    try:
        place, before = mapping.start, b""
        while place < mapping.end:
            try:
                piece = os.pread(memory, min(CHUNK, mapping.end - place), place)
            except OSError as error:
                if error.errno not in (errno.EIO, errno.EFAULT):
                    raise
                # Nothing is there, as behind the end of a mapped file.
                return
            if not piece:
                return
            yield before + piece
            place += len(piece)
            before = piece[-overlap:]
    finally:
        os.close(memory)


def encodings(secret):
    """The texts that hold the secret: hex, and base64 at each of the three alignments."""
    texts = [secret.hex().encode(), secret.hex().upper().encode()]
    for before in range(3):
        whole = base64.b64encode(bytes(before) + secret + bytes(2))
        # Only characters all of whose bits are the secret's.
        text = whole[-(-before * 8 // 6):(before + len(secret)) * 8 // 6]
        texts += {text, text.replace(b"+", b"-").replace(b"/", b"_")}
    return texts


def forms(secret):
    """What to look for in memory: either half of the secret, as it is and as HMAC pads it
    (FIPS 198-1), and its texts. Half a secret is found where registers were saved."""
    half = len(secret) // 2
    pads = (bytes(len(secret)), b"\x36" * len(secret), b"\x5c" * len(secret))
    padded = [bytes(a ^ b for a, b in zip(secret, pad, strict=True)) for pad in pads]
    return [part for text in padded for part in (text[:half], text[half:])] + encodings(secret)
