"""The scanner against its peers and against hashing alone, on large files from a warm cache.

    cargo build --release
    python3 -m venv peers && peers/bin/pip install picklescan modelscan fickling numpy joblib
    peers/bin/python benches/scan.py [MiB] [ROUNDS]

Peers that are not installed beside this Python are left out. They take turns; medians are printed
as a Markdown table: seconds, MB/s of the file, peak MiB. What a tool says of these harmless files
is printed too: `-` clean, `!` blocked, `0` not looked at.
"""

import os
import pickle
import random
import resource
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import joblib
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
MIB = 1024 * 1024


def torch_zip(path, mib):
    state = b"\x80\x02ccollections\nOrderedDict\nq\x00)Rq\x01."
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data.pkl", state)
        for number in range(8):
            file.writestr(f"archive/data/{number}", os.urandom(mib * MIB // 8))
        file.writestr("archive/version", "3\n")


def safetensors(path, mib):
    size = mib * MIB
    header = f'{{"w":{{"dtype":"U8","shape":[{size}],"data_offsets":[0,{size}]}}}}'.encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        for _ in range(mib):
            file.write(os.urandom(MIB))


def plain_pickle(path, _):
    source = random.Random(7)
    entries = {f"token_{number}": [number, source.random(), f"value {number:08}"] for number in range(1_300_000)}
    path.write_bytes(pickle.dumps(entries, 4))


def packed_joblib(path, mib):
    array = (np.random.rand(mib * MIB // 8 // 4) * 1000).round(2)
    joblib.dump({"weights": array}, path, compress=("zlib", 3))


def run(command, path):
    """Seconds and peak MiB of a command; its exit code."""
    started = time.perf_counter()
    child = subprocess.Popen([*command, str(path)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    return time.perf_counter() - started, usage.ru_maxrss / 1024, os.waitstatus_to_exitcode(status)


def main():
    mib = int(sys.argv[1]) if len(sys.argv) > 1 else 1024
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    tools = {"hashing alone (`openssl dgst -sha256`)": ["openssl", "dgst", "-sha256"]}
    tools["`weighbridge scan`"] = [ROOT / "target/release/weighbridge", "scan"]
    for name, command in {
        "picklescan": [BIN / "picklescan", "--path"],
        "modelscan": [BIN / "modelscan", "--path"],
        "fickling": [BIN / "fickling", "--check-safety"],
    }.items():
        if command[0].exists():
            tools[name] = command
    with tempfile.TemporaryDirectory() as folder:
        for name, make in {"model.pt": torch_zip, "model.safetensors": safetensors, "plain.pkl": plain_pickle, "model.joblib": packed_joblib}.items():
            path = Path(folder) / name
            make(path, mib)
            size = path.stat().st_size
            path.read_bytes()
            results = {tool: [] for tool in tools}
            for _ in range(rounds):
                for tool, command in tools.items():
                    results[tool].append(run(command, path))
            print(f"\n{name}, {size / 1e6:.0f} MB\n\n| | s | MB/s | peak MiB | exit |\n| --- | ---: | ---: | ---: | ---: |")
            for tool, runs in results.items():
                seconds = statistics.median(one[0] for one in runs)
                memory = max(one[1] for one in runs)
                print(f"| {tool} | {seconds:.2f} | {size / 1e6 / seconds:.0f} | {memory:.0f} | {runs[0][2]} |", flush=True)
            path.unlink()


resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
main()
