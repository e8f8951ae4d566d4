"""What a release over n jobs costs: the same model by one `release`, and by n `stage` jobs and a release.

    cargo build --release
    python3 benches/parts.py [MiB] [ROUNDS]

The jobs run one after the other, for each has a machine of its own: their longest is what a matrix
waits for, their sum what it pays for. A proxy before the embedded Hub counts requests and their bytes;
the times are of rounds without it. What goes to Xet's storage goes past the proxy: its bytes are those
that weighbridge reports. WEIGHBRIDGE names another binary.
"""

import json
import os
import random
import re
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WEIGHBRIDGE = os.environ.get("WEIGHBRIDGE", ROOT / "target/release/weighbridge")
WEIGHTS, NOTES = 16, 200
MIB = 1024 * 1024

POLICY = """\
model: {name: big, owner: acme, library: transformers, task: text-generation, license: apache-2.0, language: [en]}
gates:
  tests: {reports: ["junit.xml"]}
card:
  intended-use: {text: Measuring., by: Ada, date: 2026-01-02}
  training-data: {text: Random bytes., by: Ada, date: 2026-01-02}
  limitations: {text: It knows nothing., by: Ada, date: 2026-01-02}
  bias: {text: None., by: Ada, date: 2026-01-02}
"""


def write_repository(work, mib):
    """Weights of uneven sizes, and small files beside them."""
    source = random.Random(7)
    model = work / "model"
    (model / "notes").mkdir(parents=True)
    parts = [source.uniform(0.5, 1.5) for _ in range(WEIGHTS)]
    for number, part in enumerate(parts):
        size = int(mib * MIB * part / sum(parts))
        entry = {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}
        header = json.dumps({f"layer.{number}": entry}).encode()
        with open(model / f"model-{number}.safetensors", "wb") as file:
            file.write(struct.pack("<Q", len(header)) + header)
            for start in range(0, size, MIB):
                file.write(source.randbytes(min(MIB, size - start)))
    for number in range(NOTES):
        (model / f"notes/{number}.txt").write_text(f"note {number}\n" * 500)
    (model / "config.json").write_text('{"model_type": "none"}\n')
    (work / "weighbridge.yml").write_text(POLICY)
    (work / ".gitignore").write_text("model\njunit.xml\nparts\n")
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    for words in [["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "Train"], ["tag", "v1.0.0"]]:
        subprocess.run(["git", *who, *words], cwd=work, check=True, stdout=subprocess.DEVNULL)
    (work / "junit.xml").write_text('<testsuite><testcase classname="t" name="ok"/></testsuite>')


class Hub:
    """`weighbridge hub` on a folder of its own."""

    def __init__(self, data):
        self.process = subprocess.Popen(
            [WEIGHBRIDGE, "hub", "--addr", "127.0.0.1:0", "--data", data],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in self.process.stdout:
            if "HF_ENDPOINT=" in line:
                words = dict(word.split("=", 1) for word in line.split() if "=" in word)
                self.url, self.token = words["HF_ENDPOINT"], words["HF_TOKEN"]
                return
        raise SystemExit("the Hub said nothing of where it is")

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Counter:
    """A TCP proxy that counts what clients send: requests and bytes."""

    REQUEST = re.compile(rb"(?:GET|HEAD|POST|PUT|PATCH|DELETE) /\S* HTTP/1\.1\r\n")

    def __init__(self, url):
        host, port = url.removeprefix("http://").split(":")
        self.behind = (host, int(port))
        self.requests = self.bytes = 0
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            client, _ = self.listener.accept()
            server = socket.create_connection(self.behind)
            threading.Thread(target=self.pass_on, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self.pass_on, args=(server, client, False), daemon=True).start()

    def pass_on(self, source, target, counting):
        tail = b""
        try:
            while piece := source.recv(MIB):
                if counting:
                    # A request line may be cut by the piece's end; none is counted twice.
                    text = tail + piece
                    found = list(self.REQUEST.finditer(text))
                    tail = text[max(found[-1].end() if found else 0, len(text) - 4096):]
                    with self.lock:
                        self.requests += len(found)
                        self.bytes += len(piece)
                target.sendall(piece)
        except OSError:
            pass
        for end in (source, target):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def take(self):
        """What was counted since the last time."""
        with self.lock:
            taken, self.requests, self.bytes = (self.requests, self.bytes), 0, 0
        return taken


def run(work, url, token, *arguments):
    """Wall seconds, peak MiB, MB of large files."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(work.parent / "home"),
                   "HF_ENDPOINT": url, "HF_TOKEN": token}
    start = time.monotonic()
    process = subprocess.Popen([WEIGHBRIDGE, *arguments, "--report-dir", "parts"], cwd=work, env=environment,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    if status != 0:
        raise SystemExit(f"{arguments} failed:\n{output.decode(errors='replace')}")
    report = json.loads((work / "parts/report.json").read_text())
    done = report["publication"] or report["staged"]
    return wall, used.ru_maxrss / 1024, done["bytes_sent"] / 1e6


def one_round(mib, jobs, counted):
    """What n jobs and their release cost; no jobs is a release alone."""
    scratch = Path(tempfile.mkdtemp(prefix="bench-"))
    work = scratch / "work"
    write_repository(work, mib)
    hub = Hub(scratch / "hub")
    counter = Counter(hub.url) if counted else None
    url = counter.url if counter else hub.url
    stages = [run(work, url, hub.token, "stage", "--shard", f"{number}/{jobs}")
              for number in range(1, jobs + 1)]
    brought = counter.take() if counter else None
    size = sum(file.stat().st_size for file in (work / "parts").glob("*/*.json"))
    if jobs:
        shutil.rmtree(work / "model")
    release = run(work, url, hub.token, "release", *(["--parts", "parts"] if jobs else []))
    published = counter.take() if counter else None
    hub.stop()
    shutil.rmtree(scratch)
    return {"stages": stages, "release": release, "brought": brought, "published": published, "size": size}


def main():
    mib = int(sys.argv[1]) if len(sys.argv) > 1 else 1024
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    ways = [0, 1, 2, 4, 8]
    counted = {jobs: one_round(mib, jobs, True) for jobs in ways}
    timed = {jobs: [] for jobs in ways}
    for _ in range(rounds):
        for jobs in ways:
            timed[jobs].append(one_round(mib, jobs, False))
    print(f"{mib} MiB in {WEIGHTS} weights and {NOTES} small files, medians of {rounds}\n")
    print("| jobs | longest job s | all jobs s | release s | peak MiB | large files MB, jobs + release "
          "| other MB | requests | kB of reports |")
    print("| ---: " * 9 + "|")
    for jobs in ways:
        def median(of):
            return statistics.median(of(one) for one in timed[jobs])
        longest = median(lambda one: max((wall for wall, _, _ in one["stages"]), default=0))
        total = median(lambda one: sum(wall for wall, _, _ in one["stages"]))
        peak = median(lambda one: max(peak for _, peak, _ in [*one["stages"], one["release"]]))
        once = counted[jobs]
        large = [sum(sent for _, _, sent in once["stages"]), once["release"][2]]
        plus = [[f"{part[1] / 1e6:.1f}", str(part[0])] for part in (once["brought"], once["published"])]
        cells = [str(jobs or "none"), f"{longest:.2f}", f"{total:.2f}", f"{median(lambda one: one['release'][0]):.2f}",
                 f"{peak:.0f}", f"{large[0]:.0f} + {large[1]:.0f}", f"{plus[0][0]} + {plus[1][0]}",
                 f"{plus[0][1]} + {plus[1][1]}", f"{once['size'] / 1e3:.0f}"]
        print(f"| {' | '.join(cells)} |")


main()
