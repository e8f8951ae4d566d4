"""The scanner against its peers and against hashing alone, on large files from a warm cache.

    cargo build --release
    python3 -m venv peers && peers/bin/pip install picklescan modelscan fickling hayward purser modelaudit numpy joblib
    peers/bin/python benches/scan.py [MiB] [ROUNDS] [CASE]

Peers that are installed neither beside this Python nor on the PATH are left out. They take turns; medians are printed
as a Markdown table: seconds, MB/s of the file, peak MiB. What a tool says of these harmless files
is printed too, as its exit code.
"""

import multiprocessing
import os
import pickle
import random
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

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


def shards(path, mib):
    path.mkdir()
    for number in range(8):
        safetensors(path / f"model-{number + 1:05}-of-00008.safetensors", mib // 8)


def small_files(path, _):
    import numpy as np

    source = random.Random(3)
    path.mkdir()
    for number in range(5000):
        kind = number % 5
        name = path / f"{number}.{('json', 'pkl', 'txt', 'npy', 'yaml')[kind]}"
        values = [source.random() for _ in range(200)]
        if kind == 1:
            name.write_bytes(pickle.dumps({"values": values, "id": number}, 4))
        elif kind == 3:
            np.save(name, np.array(values))
        else:
            name.write_text(str({"values": values}).replace("'", '"'))


def plain_pickle(path, _):
    source = random.Random(7)
    # 8 million opcodes in 67 MB.
    entries = {f"token_{number}": [number, source.random(), f"value {number:042}"] for number in range(800_000)}
    path.write_bytes(pickle.dumps(entries, 4))


def packed_joblib(path, mib):
    import joblib
    import numpy as np

    array = (np.random.rand(mib * MIB * 7 // 16 // 8) * 1000).round(2)
    joblib.dump({"weights": array}, path, compress=("zlib", 3))


def run(command):
    """Seconds and peak MiB of a command; its exit code."""
    started = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    return time.perf_counter() - started, usage.ru_maxrss / 1024, os.waitstatus_to_exitcode(status)


def main():
    mib = int(sys.argv[1]) if len(sys.argv) > 1 else 1024
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    tools = {"hashing alone (`openssl dgst -sha256`)": ["openssl", "dgst", "-sha256"]}
    tools["`weighbridge scan`"] = [ROOT / "target/release/weighbridge", "scan"]
    for name, options in {
        "picklescan": ["--path"],
        "modelscan": ["--path"],
        "fickling": ["--check-safety"],
        "hayward": ["scan"],
        "purser": ["scan"],
        "modelaudit": ["scan", "--no-cache"],
    }.items():
        if found := shutil.which(name, path=f"{BIN}:{os.environ['PATH']}"):
            tools[name] = [found, *options]
    inflate = "import sys, zlib; z = zlib.decompressobj()\nfor part in iter(lambda f=open(sys.argv[1], 'rb'): f.read(1 << 18), b''): z.decompress(part)"
    with tempfile.TemporaryDirectory() as folder:
        for name, make in {
            "model.pt": torch_zip, "shards": shards, "plain.pkl": plain_pickle, "model.joblib": packed_joblib, "tree": small_files,
        }.items():
            if sys.argv[3:] not in ([], [name]):
                continue
            path = Path(folder) / name
            # By a process of its own, which imports what it needs: what a process had before `exec` counts into
            # the child's peak memory, so this one stays small.
            maker = multiprocessing.Process(target=make, args=(path, mib))
            maker.start()
            maker.join()
            files = [path] if path.is_file() else sorted(path.iterdir())
            size = sum(file.stat().st_size for file in files)
            turn = dict(tools)
            if name == "model.joblib":
                turn["inflating alone (`zlib.decompressobj`)"] = [sys.executable, "-c", inflate]
            results = {tool: [] for tool in turn}
            for round in range(rounds):
                for tool, command in turn.items():
                    # What takes minutes is not asked twice.
                    if round == 0 or results[tool][0][0] < 20:
                        what = [str(file) for file in files] if command[0] == "openssl" else [str(path)]
                        results[tool].append(run([*command, *what]))
            print(f"\n{name}, {len(files)} file(s), {size / 1e6:.0f} MB\n\n| | s | MB/s | peak MiB | exit |\n| --- | ---: | ---: | ---: | ---: |")
            for tool, runs in results.items():
                seconds = statistics.median(one[0] for one in runs)
                memory = max(one[1] for one in runs)
                print(f"| {tool} | {seconds:.2f} | {size / 1e6 / seconds:.0f} | {memory:.0f} | {runs[0][2]} |", flush=True)
            path.unlink() if path.is_file() else shutil.rmtree(path)


os.environ["PROMPTFOO_DISABLE_TELEMETRY"] = os.environ["NO_ANALYTICS"] = "1"
main()
