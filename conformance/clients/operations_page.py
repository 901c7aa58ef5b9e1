"""The operations listener of a server, as probes and scrapers read it.

Owns where the listener is and how its page of metrics is taken apart. Says nothing of what the
numbers should be.
"""

import re
import urllib.error
import urllib.request

OPTIONS = ("--operations-listen", "127.0.0.1:0")
# The line of the server's output that says where it listens.
ANNOUNCED = re.compile(r"^operations: (http://\S+)$", re.MULTILINE)
SAMPLE = re.compile(r"^(?P<name>[a-z_]+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)$")
LABEL = re.compile(r'([a-z_]+)="([^"]*)"')


def address(server):
    """Where a server that was started with those options tells of itself."""
    started = sorted(server.home.glob("stdout-*.log"))[-1]
    return ANNOUNCED.search(started.read_text()).group(1)


def ask(server, path, method="GET"):
    """The status, content type and text of an answer."""
    request = urllib.request.Request(address(server) + path, method=method)
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.headers["Content-Type"], error.read().decode()


class Metrics:
    """One reading of the page."""

    def __init__(self, server):
        status, kind, self.text = ask(server, "/metrics")
        assert status == 200, self.text
        assert kind == "application/openmetrics-text; version=1.0.0; charset=utf-8"
        self._samples = [self._parsed(line) for line in self.text.splitlines()
                         if not line.startswith("#")]

    @staticmethod
    def _parsed(line):
        sample = SAMPLE.match(line)
        assert sample, f"no sample: {line!r}"
        labels = dict(LABEL.findall(sample["labels"] or ""))
        return sample["name"], labels, float(sample["value"])

    def total(self, name, **labels):
        """The sum of the samples of that name that have those labels."""
        values = [value for known, found, value in self._samples
                  if known == name and labels.items() <= found.items()]
        return sum(values)

    def names(self):
        """The names of all samples."""
        return {name for name, _, _ in self._samples}
