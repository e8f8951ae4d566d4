"""Fills corpus/ from files that real libraries and the attack script wrote: seeds.py FOLDER…

The first byte of a seed chooses the name, as in targets/*.rs.
"""

import pathlib
import re
import sys
import zlib

here = pathlib.Path(__file__).parent
LARGEST = 32 << 10

for target in (here / "targets").glob("*.rs"):
    source = target.read_text()
    # The names that the target looks its bytes up under, or the extensions that it says it reads.
    seeds = re.search(r"// Seeds: (.+)", source)
    names = seeds[1].split() if seeds else re.findall(r'"([^"]+)"', source)
    chosen = "look_as_any" in source or "split_first" in source
    corpus = here / "corpus" / target.stem
    corpus.mkdir(parents=True, exist_ok=True)
    extensions = [name.rpartition(".")[2] for name in names]
    for folder in sys.argv[1:]:
        for path in sorted(pathlib.Path(folder).rglob("*")):
            if not path.is_file() or path.stat().st_size > LARGEST:
                continue
            extension = path.name.rpartition(".")[2]
            # A few of everything everywhere; all of what the target is for.
            if extension not in extensions and zlib.crc32(path.name.encode()) % 8:
                continue
            number = extensions.index(extension) if extension in extensions else 0
            prefix = bytes([number]) if chosen else b""
            (corpus / f"{len(list(corpus.iterdir()))}-{path.name[-40:]}").write_bytes(prefix + path.read_bytes())
