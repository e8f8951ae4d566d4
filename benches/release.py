"""A release of 1 GiB to the embedded Hub against `hf upload` of the same folder to the same server.

    cargo build --release
    target/counterparts/venv/bin/python benches/release.py [MiB] [ROUNDS]

Both start from a Hub that has nothing, with the official Xet transfer; then 1 % of one shard
changes and both send again. They take turns; the medians are printed as a Markdown table. The
server runs beside the client on the same cores, for both alike.
"""

import json
import os
import random
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WEIGHBRIDGE = ROOT / "target/release/weighbridge"
HF = Path(sys.executable).parent / "hf"
SHARDS = 8
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


def write_model(folder, mib):
    source = random.Random(7)
    folder.mkdir(parents=True)
    for shard in range(SHARDS):
        size = mib * MIB // SHARDS
        entry = {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}
        header = json.dumps({f"layer.{shard}": entry}).encode()
        with open(folder / f"model-{shard}.safetensors", "wb") as file:
            file.write(struct.pack("<Q", len(header)) + header)
            for _ in range(size // MIB):
                file.write(source.randbytes(MIB))
    (folder / "config.json").write_text('{"model_type": "none"}\n')


def change_one_percent(folder):
    path = folder / "model-3.safetensors"
    size = path.stat().st_size
    with open(path, "r+b") as file:
        file.seek(size // 2)
        file.write(random.Random(8).randbytes(size // 100))


def git(folder, *words):
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True, stdout=subprocess.DEVNULL)


class Hub:
    """`weighbridge hub` on a folder of its own."""

    def __init__(self, data):
        self.process = subprocess.Popen(
            [WEIGHBRIDGE, "hub", "--addr", "127.0.0.1:0", "--data", data],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in self.process.stdout:
            if "HF_ENDPOINT=" in line:
                words = dict(word.split("=", 1) for word in line.split() if "=" in word)
                self.environment = {"HF_ENDPOINT": words["HF_ENDPOINT"], "HF_TOKEN": words["HF_TOKEN"]}
                return
        raise SystemExit("the Hub said nothing of where it is")

    def stop(self):
        self.process.terminate()
        self.process.wait()


def measure(command, environment, folder):
    """Wall seconds, processor seconds, peak MiB."""
    start = time.monotonic()
    process = subprocess.Popen(command, cwd=folder, env=environment,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    if status != 0:
        raise SystemExit(f"{command} failed:\n{output.decode(errors='replace')}")
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def one_round(scratch, mib, ours):
    """What sending everything, and sending again after the change, cost."""
    work = scratch / "work"
    write_model(work / "model", mib)
    (work / "weighbridge.yml").write_text(POLICY)
    (work / ".gitignore").write_text("model\n")
    git(work, "init", "--quiet")
    git(work, "add", "weighbridge.yml", ".gitignore")
    git(work, "commit", "--quiet", "--message", "Train")
    (work / "junit.xml").write_text('<testsuite><testcase classname="t" name="ok"/></testsuite>')
    hub = Hub(scratch / "hub")
    environment = {"PATH": os.environ["PATH"], "HOME": str(scratch / "home"),
                   "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1",
                   **hub.environment}
    results = []
    for tag in ["v1.0.0", "v1.1.0"]:
        if tag == "v1.1.0":
            change_one_percent(work / "model")
        if ours:
            git(work, "tag", tag)
            command = [WEIGHBRIDGE, "release", "--tag", tag]
        else:
            command = [HF, "upload", "acme/big", "model", "--private"]
        results.append(measure(command, environment, work))
    hub.stop()
    shutil.rmtree(scratch)
    return results


def main():
    mib = int(sys.argv[1]) if len(sys.argv) > 1 else 1024
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    found = {"weighbridge release": [], "hf upload": []}
    for _ in range(rounds):
        for name, results in found.items():
            scratch = Path(tempfile.mkdtemp(prefix="bench-"))
            results.append(one_round(scratch, mib, ours=name.startswith("weighbridge")))
    print(f"{mib} MiB in {SHARDS} shards, medians of {rounds}\n")
    print("| | wall s | processor s | peak MiB |\n| --- | ---: | ---: | ---: |")
    for turn, what in enumerate(["all of it", "1 % of one shard changed"]):
        for name, results in found.items():
            medians = [statistics.median(one[turn][part] for one in results) for part in range(3)]
            print(f"| {what}: `{name}` | {medians[0]:.2f} | {medians[1]:.2f} | {medians[2]:.0f} |")


main()
