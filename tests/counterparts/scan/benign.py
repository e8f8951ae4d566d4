"""Writes files as the real libraries write them, and 5,000 random pickles, none of which may be
blocked: benign.py FOLDER"""

import collections
import datetime
import decimal
import functools
import json
import operator
import pathlib
import pickle
import random
import re
import sys
import types
import uuid
import warnings
import zoneinfo

import h5py
import joblib
import msgpack
import numpy as np
import onnx
import pandas as pd
import pyreadr
import scipy.sparse as sparse
import scipy.stats as stats
from onnx import TensorProto, helper
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils import all_estimators

warnings.filterwarnings("ignore")
folder = pathlib.Path(sys.argv[1])
folder.mkdir(parents=True)
source = random.Random(7)
np.random.seed(7)


def save(name, value, protocols=(0, 1, 2, 3, 4, 5)):
    for protocol in protocols:
        (folder / f"{name}.{protocol}.pkl").write_bytes(pickle.dumps(value, protocol))


def estimators():
    features = np.abs(np.random.rand(40, 4))
    labels = (features[:, 0] > 0.5).astype(int)
    for name, kind in all_estimators():
        try:
            estimator = kind()
            estimator.fit(features.copy(), labels)
        except Exception:  # needs other data or other estimators
            continue
        save(name, estimator, (2, 4))
        for packing in ("zlib", "gzip", "bz2", "xz", "lzma", "lz4")[len(name) % 6 :][:1]:
            joblib.dump(estimator, folder / f"{name}.{packing}.joblib", compress=(packing, 3))
        joblib.dump(estimator, folder / f"{name}.joblib")
    pipeline = make_pipeline(FunctionTransformer(np.log1p), StandardScaler()).fit(features)
    save("pipeline", pipeline)


def data():
    frame = pd.DataFrame({
        "number": [1, 2.5, None],
        "text": ["x", None, "z"],
        "time": pd.to_datetime(["2020-01-01"] * 3, utc=True),
        "kind": pd.Categorical(["u", "v", "u"]),
        "whole": pd.array([1, None, 3], dtype="Int64"),
    })
    save("frame", frame)
    save("index", frame.set_index(["number", "text"]))
    save("time", pd.Timestamp("2020", tz="Europe/Paris"))
    save("periods", pd.period_range("2020", periods=3, freq="M"))
    arrays = {
        "floats": np.arange(1000.0),
        "objects": np.array([1, "a", None], dtype=object),
        "records": np.zeros(2, dtype=[("a", "i4"), ("b", "O")]),
        "texts": np.array(["abc", "d"]),
        "masked": np.ma.array([1, 2], mask=[0, 1]),
        "state": np.random.RandomState(1),
        "generator": np.random.default_rng(1),
        "function": np.log1p,
    }
    for name, array in arrays.items():
        save(name, array)
        joblib.dump(array, folder / f"{name}.joblib")
        if isinstance(array, np.ndarray) and name != "masked":
            np.save(folder / f"{name}.npy", array, allow_pickle=True)
            np.savez_compressed(folder / f"{name}.npz", array=array)
    joblib.dump({"a": np.arange(5.0), "b": arrays["objects"], "after": [1]}, folder / "mixed.joblib")
    save("sparse", sparse.csr_matrix(np.eye(3)))
    save("frozen", stats.norm(0, 1))


def python():
    save("values", {
        "ordered": collections.OrderedDict(a=1),
        "default": collections.defaultdict(functools.partial(collections.defaultdict, int)),
        "queue": collections.deque([1], 3),
        "time": datetime.datetime.now(datetime.timezone.utc),
        "zone": zoneinfo.ZoneInfo("UTC"),
        "exact": decimal.Decimal("1.5"),
        "id": uuid.UUID(int=5),
        "pattern": re.compile("a+"),
        "path": pathlib.PurePosixPath("/a/b"),
        "space": types.SimpleNamespace(a=1),
        "partial": functools.partial(int, base=2),
        "item": operator.itemgetter(1),
        "words": ["eval", "os.system", "import os", "__class__", "cos\nsystem\n"],
        "types": [int, str, list],
        "random": random.Random(1),
    })


def value(depth):
    """A random nested value."""
    kinds = ["int", "float", "text", "bytes", "none", "bool", "date", "array"]
    kinds += ["list", "tuple", "dict", "set", "frozenset", "ordered"] * (depth > 0)
    kind = source.choice(kinds)
    several = lambda: [value(depth - 1) for _ in range(source.randrange(5))]  # noqa: E731
    text = "".join(source.choice("abcXYZ_.\n'\"\\éλ0") for _ in range(source.randrange(12)))
    return {
        "int": lambda: source.choice([0, 1, -1, 255, 65536, 1 << 40, -(1 << 80)]),
        "float": lambda: source.uniform(-1e9, 1e9),
        "text": lambda: text,
        "bytes": lambda: source.randbytes(source.randrange(300)),
        "none": lambda: None,
        "bool": lambda: True,
        "date": lambda: datetime.date(2000 + source.randrange(50), 1, 2),
        "array": lambda: np.random.rand(source.randrange(4), 2).astype(source.choice(["f4", "f8", "i8"])),
        "list": several,
        "tuple": lambda: tuple(several()),
        "dict": lambda: {str(index): item for index, item in enumerate(several())},
        "set": lambda: {text, 1},
        "frozenset": lambda: frozenset([text, 2]),
        "ordered": lambda: collections.OrderedDict(a=value(depth - 1)),
    }[kind]()


def graphs():
    weights = helper.make_tensor("w", TensorProto.FLOAT, [2], [1.0, 2.0])
    place = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [2])  # noqa: E731
    node = helper.make_node("Add", ["x", "w"], ["y"])
    graph = helper.make_graph([node], "g", [place("x")], [place("y")], [weights])
    onnx.save(helper.make_model(graph), folder / "model.onnx")
    layers = [{"class_name": "Dense", "config": {"units": 1, "activation": "relu"}}]
    with h5py.File(folder / "model.h5", "w") as file:
        file.create_dataset("w", data=np.random.rand(1000))
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": {"layers": layers}})


def further_formats():
    array = np.ones((2, 2), "f4")
    packed = msgpack.ExtType(1, msgpack.packb([[2, 2], "float32", array.tobytes()]))
    tree = {"params": {f"layer_{index}": {"kernel": packed, "bias": [1, 2.5, None]} for index in range(20)}}
    (folder / "flax_model.msgpack").write_bytes(msgpack.packb(tree))
    (folder / "one.msgpack").write_bytes(msgpack.packb({"params": packed}))
    frame = pd.DataFrame({"a": [1, 2, 3], "b": ["x", "y", None]})
    pyreadr.write_rds(folder / "frame.rds", frame)
    pyreadr.write_rds(folder / "frame.gz.rds", frame, compress="gzip")
    pyreadr.write_rdata(folder / "frame.RData", frame, df_name="frame")
    (folder / "settings.json").write_text('{"a": NaN, "b": -Infinity, "c": "\\ud800", "d": 1e999}')
    (folder / "wide.txt").write_bytes("words é".encode("utf-16"))
    (folder / "latin.py").write_bytes("# coding: latin-1\nname = 'é'\n".encode("latin-1"))
    (folder / "model.yaml").write_text("prompt: \"{{ messages[0]['content'] }}\"\n")
    (folder / "MLmodel").write_text("flavors:\n  python_function:\n    loader_module: mlflow.sklearn\n")
    (folder / "net.prototxt").write_text('layer { name: "conv" type: "Convolution" }\n')
    (folder / "image.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    (folder / "variables.data-00000-of-00001").write_bytes(np.random.rand(1000).tobytes())


estimators()
data()
python()
graphs()
further_formats()
for number in range(5000):
    (folder / f"random-{number}.pkl").write_bytes(pickle.dumps(value(4), number % 6))
