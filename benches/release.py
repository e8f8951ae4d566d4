"""Releases to the embedded Hub against `hf upload` of the same folder to the same server.

    cargo build --release
    target/counterparts/venv/bin/python benches/release.py [--quick] [--rounds N] [--cases one,shards,small]

Every contender starts from a Hub that has nothing and goes three turns: all of it, the same again,
and a version of which 1 % changed (1 % of every large file, or 1 % of the small files); with --anew a
fourth, a version of the same names and sizes whose large files are others altogether. They take
turns; medians are printed as Markdown tables, with the spread as least–most, and the ratios to the
peer of the same transfer. The server runs beside the client on the same cores, for all alike.

Where the system lets it (`unshare`), client and server run in a network of their own, whose
counters tell the bytes on the wire, both ways. Requests are those in the Hub's own log; the Xet
server, which is the official crate's, keeps none.
"""

import argparse
import fcntl
import json
import os
import random
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HF = Path(sys.executable).parent / "hf"
MIB = 1024 * 1024
# In its own network already.
INSIDE = "WEIGHBRIDGE_BENCH_INSIDE"

POLICY = """\
model: {name: big, owner: acme, library: transformers, task: text-generation, license: apache-2.0, language: [en]}
publish: {transfer: %s}
gates:
  tests: {reports: ["junit.xml"]}
card:
  intended-use: {text: Measuring., by: Ada, date: 2026-01-02}
  training-data: {text: Random bytes., by: Ada, date: 2026-01-02}
  limitations: {text: It knows nothing., by: Ada, date: 2026-01-02}
  bias: {text: None., by: Ada, date: 2026-01-02}
"""

# Large files, MiB of each, small files, bytes of each; the second line for --quick.
CASES = {
    "one": ((1, 4096, 0, 0), (1, 512, 0, 0)),
    "shards": ((64, 64, 0, 0), (16, 32, 0, 0)),
    "small": ((0, 0, 2000, 50_000), (0, 0, 500, 50_000)),
}
TURNS = ["all of it", "the same again", "1 % changed", "trained anew"]
# Each with the peer of the same transfer.
CONTENDERS = {
    "ours, xet": "hf, xet", "hf, xet": None,
    "ours, lfs": "hf, lfs", "hf, lfs": None,
    "ours, auto": None,
}


class Model:
    """A folder of random bytes, the 1 % that its second version has different, and a third version."""

    def __init__(self, folder, large, mib, small, size):
        self.folder, self.changes, self.large, self.mib = folder, [], large, mib
        source = random.Random(7)
        folder.mkdir(parents=True)
        self.write("config.json", b'{"model_type": "none"}\n')
        for name, begin in self.train(1):
            self.change(name, begin + mib * MIB // 2, mib * MIB // 100)
        for number in range(small):
            name = f"vocabulary/{number:04}.txt"
            self.write(name, source.randbytes(size // 2).hex().encode())
            if number % 100 == 0:
                self.change(name, 0, 1000, text=True)
        self.bytes = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())

    def train(self, version):
        """Writes the large files anew; tells their names, and where their weights begin."""
        self.trained, written, source = version, [], random.Random(version)
        for shard in range(self.large):
            name, length = f"model-{shard:05}.safetensors", self.mib * MIB
            entry = {"dtype": "U8", "shape": [length], "data_offsets": [0, length]}
            header = json.dumps({f"layer.{shard}": entry}).encode()
            with open(self.folder / name, "wb") as file:
                file.write(struct.pack("<Q", len(header)) + header)
                for _ in range(self.mib):
                    file.write(source.randbytes(MIB))
            written.append((name, len(header) + 8))
        return written

    def write(self, name, content):
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)

    def change(self, name, at, length, text=False):
        after = random.Random(8 + len(self.changes)).randbytes(length // 2 if text else length)
        after = after.hex().encode() if text else after
        with open(self.folder / name, "rb") as file:
            file.seek(at)
            self.changes.append((name, at, file.read(length), after))

    def turn(self, version):
        """Makes it the first, the second or the third version."""
        trained = 3 if version == 3 else 1
        if trained != self.trained:
            self.train(trained)
        for name, at, before, after in self.changes if version < 3 else []:
            with open(self.folder / name, "r+b") as file:
                file.seek(at)
                file.write(after if version == 2 else before)


class Hub:
    """`weighbridge hub` on a folder of its own."""

    def __init__(self, program, data):
        self.data = data
        self.process = subprocess.Popen(
            [program, "hub", "--addr", "127.0.0.1:0", "--data", data],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in self.process.stdout:
            if "HF_ENDPOINT=" in line:
                words = dict(word.split("=", 1) for word in line.split() if "=" in word)
                self.environment = {"HF_ENDPOINT": words["HF_ENDPOINT"], "HF_TOKEN": words["HF_TOKEN"]}
                return
        raise SystemExit("the Hub said nothing of where it is")

    def requests(self):
        return (self.data / "requests.log").read_text().count("\n")

    def processor(self):
        """Seconds that the server has used."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def settle(self):
        """Waits until the server has moved into Xet storage what came by LFS: it begins when
        nobody has asked anything for a second."""
        busy = True
        while busy:
            before = self.processor()
            time.sleep(2.5)
            busy = self.processor() - before > 0.1

    def stop(self):
        self.process.terminate()
        self.process.wait()


def own_network():
    """Starts again in a network of its own, with a loopback of its own, where that is possible."""
    if os.environ.get(INSIDE):
        if os.environ[INSIDE] == "yes":
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
                request = struct.pack("16sh14x", b"lo", 0x1 | 0x40)  # IFF_UP, IFF_RUNNING
                fcntl.ioctl(one, 0x8914, request)  # SIOCSIFFLAGS
        return
    words = ["unshare", "--map-root-user", "--net"]
    able = shutil.which("unshare") and subprocess.run([*words, "true"], stderr=subprocess.DEVNULL).returncode == 0
    os.environ[INSIDE] = "yes" if able else "no"
    if able:
        os.execvp("unshare", [*words, sys.executable, *sys.argv])


def on_the_wire():
    """Bytes that passed the loopback; `None` where others use it too."""
    if os.environ[INSIDE] != "yes":
        return None
    line = next(line for line in Path("/proc/net/dev").read_text().splitlines() if "lo:" in line)
    return int(line.split(":")[1].split()[0])


def git(folder, *words):
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "safe.directory=*"]
    subprocess.run(["git", *who, *words], cwd=folder, check=True, stdout=subprocess.DEVNULL)


def measure(command, environment, folder, hub):
    """What one run cost."""
    wire, requests, served = on_the_wire(), hub.requests(), hub.processor()
    start = time.monotonic()
    process = subprocess.Popen(command, cwd=folder, env=environment,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    wall = time.monotonic() - start
    if status != 0:
        raise SystemExit(f"{command} failed:\n{output.decode(errors='replace')}")
    return {
        "wall": wall, "processor": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss / 1024,
        "wire": None if wire is None else (on_the_wire() - wire) / 1e6,
        "requests": hub.requests() - requests, "server": hub.processor() - served,
    }


class Work:
    """A repository with the model in it, and a Hub that has nothing."""

    def __init__(self, program, scratch, model, contender):
        self.who, transfer = contender.split(", ")
        self.program, self.scratch, self.model, self.held = program, scratch, model, model.folder
        self.folder = work = scratch / "work"
        work.mkdir(parents=True)
        model.folder = work / "model"
        self.held.rename(model.folder)
        (work / "weighbridge.yml").write_text(POLICY % (transfer if self.who == "ours" else "auto"))
        (work / ".gitignore").write_text("model\njunit.xml\n")
        (work / "junit.xml").write_text('<testsuite><testcase classname="t" name="ok"/></testsuite>')
        git(work, "init", "--quiet")
        git(work, "add", "weighbridge.yml", ".gitignore")
        git(work, "commit", "--quiet", "--message", "Train")
        self.hub = Hub(program, scratch / "hub")
        self.environment = {
            "PATH": os.environ["PATH"], "HOME": str(scratch / "home"),
            "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_PROGRESS_BARS": "1", **self.hub.environment}
        if contender == "hf, lfs":
            self.environment["HF_HUB_DISABLE_XET"] = "1"

    def command(self, tag):
        if self.who == "hf":
            return [HF, "upload", "acme/big", "model", "--private"]
        git(self.folder, "tag", "--force", tag)
        return [self.program, "release", "--tag", tag]

    def end(self):
        self.hub.stop()
        self.model.turn(1)
        self.model.folder.rename(self.held)
        self.model.folder = self.held
        shutil.rmtree(self.scratch)


def one_round(program, scratch, model, contender, versions):
    """The turns of one contender."""
    work = Work(program, scratch, model, contender)
    results = []
    for version in versions:
        model.turn(version)
        results.append(measure(work.command(f"v1.{version}.0"), work.environment, work.folder, work.hub))
        work.hub.settle()
    work.end()
    return results


def killed(program, scratch, model, contender):
    """MB on the wire of a run that is killed when three quarters are out, and of the next."""
    work = Work(program, scratch, model, contender)
    before = on_the_wire()
    process = subprocess.Popen(work.command("v1.0.0"), cwd=work.folder, env=work.environment,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while on_the_wire() - before < 0.75 * model.bytes and process.poll() is None:
        time.sleep(0.01)
    process.kill()
    process.wait()
    time.sleep(1)
    first = (on_the_wire() - before) / 1e6
    second = measure(work.command("v1.0.0"), work.environment, work.folder, work.hub)["wire"]
    work.end()
    return first, second


def shown(values, digits):
    if values[0] is None:
        return "–"
    middle = statistics.median(values)
    spread = f" ({min(values):.{digits}f}–{max(values):.{digits}f})" if len(values) > 1 else ""
    return f"{middle:.{digits}f}{spread}"


def table(found):
    columns = [("wall", "wall s", 2), ("processor", "processor s", 2), ("peak", "peak MiB", 0),
               ("wire", "MB on the wire", 1), ("requests", "requests", 0), ("server", "server's processor s", 2)]
    turns = len(next(iter(found.values()))[0])
    for turn, title in enumerate(TURNS[:turns]):
        print(f"\n{title}:\n\n| | {' | '.join(name for _, name, _ in columns)} | to its peer: wall, processor, peak |")
        print("| --- |" + " ---: |" * (len(columns) + 1))
        for name, rounds in found.items():
            values = {key: [one[turn][key] for one in rounds] for key, _, _ in columns}
            row = [shown(values[key], digits) for key, _, digits in columns]
            peer = found.get(CONTENDERS[name])
            ratios = "" if not peer else ", ".join(
                f"{statistics.median(values[key]) / statistics.median(one[turn][key] for one in peer):.2f}"
                for key in ["wall", "processor", "peak"])
            print(f"| {name} | {' | '.join(row)} | {ratios} |")


def place(needed):
    """Memory, where it is large enough, else the disk."""
    memory = Path("/dev/shm")
    if memory.is_dir() and shutil.disk_usage(memory).free > needed and free_memory() > needed + 4e9:
        return memory
    return Path(tempfile.gettempdir())


def free_memory():
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--quick", action="store_true", help="an eighth of the bytes, one round")
    options.add_argument("--rounds", type=int)
    options.add_argument("--cases", default="one,shards,small")
    options.add_argument("--contenders", default=";".join(CONTENDERS), help="separated by ;")
    options.add_argument("--anew", action="store_true", help="a fourth turn: large files that are others altogether")
    options.add_argument("--killed", action="store_true", help="instead: what a run sends after one that was killed")
    options.add_argument("--program", type=Path, default=ROOT / "target/release/weighbridge")
    options.add_argument("--folder", type=Path, help="where the bytes stand; memory if it is large enough")
    chosen = options.parse_args()
    chosen.program = chosen.program.resolve()
    own_network()
    versions = [1, 1, 2, 3] if chosen.anew else [1, 1, 2]
    rounds = chosen.rounds or (1 if chosen.quick else 3)
    contenders = [name for name in CONTENDERS if name in chosen.contenders.split(";")]
    for case in chosen.cases.split(","):
        large, mib, small, size = CASES[case][1 if chosen.quick else 0]
        needed = (4.3 if chosen.anew else 3.3) * (large * mib * MIB + small * size)
        folder = Path(tempfile.mkdtemp(prefix="bench-", dir=chosen.folder or place(needed)))
        try:
            model = Model(folder / "model", large, mib, small, size)
            if chosen.killed:
                for name in contenders:
                    sent = killed(chosen.program, folder / "round", model, name)
                    print(f"{case}, {name}: killed after {sent[0]:.0f} MB of {model.bytes / 1e6:.0f}, then {sent[1]:.0f} MB", flush=True)
                continue
            found = {name: [] for name in contenders}
            for number in range(rounds):
                # Nobody is always first.
                for name in contenders[number % len(contenders):] + contenders[:number % len(contenders)]:
                    found[name].append(one_round(chosen.program, folder / "round", model, name, versions))
            what = f"{large} × {mib} MiB" if large else f"{small} × {size // 1000} kB"
            print(f"\n### {what} ({model.bytes / 1e6:.0f} MB), medians of {rounds}", flush=True)
            table(found)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


main()
