"""How long a `check` of examples/churn takes in the container, from its start to its end.

    cargo test --test it container    # builds the image
    python3 benches/cold_start.py [RUNS]

The times are the engine's own: from the start of the container's process to its end.
"""

import statistics
import subprocess
import sys
from datetime import datetime
from pathlib import Path

IMAGE = "weighbridge-under-test"
CHURN = Path(__file__).resolve().parent.parent / "examples/churn"


def docker(*words):
    return subprocess.run(["docker", *words], check=True, capture_output=True, text=True).stdout


def one_run():
    """Milliseconds."""
    container = docker("create", "--volume", f"{CHURN}:/work:ro", "--workdir", "/work",
                       "--network", "none", IMAGE, "check").strip()
    docker("start", "--attach", container)
    times = docker("inspect", "--format", "{{.State.StartedAt}} {{.State.FinishedAt}}", container)
    docker("rm", container)
    # Nanoseconds are more than Python reads.
    start, end = (datetime.fromisoformat(time[:26]) for time in times.split())
    return (end - start).total_seconds() * 1000


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    times = sorted(one_run() for _ in range(runs))
    size = int(docker("image", "inspect", "--format", "{{.Size}}", IMAGE))
    print(f"{runs} runs: median {statistics.median(times):.0f} ms, slowest {times[-1]:.0f} ms")
    print(f"the image: {size / 1e6:.1f} MB")


main()
