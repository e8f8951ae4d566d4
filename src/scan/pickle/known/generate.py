"""Writes generated.txt.gz: the names that pickles of well-known packages may hold.

    python3 src/scan/pickle/known/generate.py [CACHE]

Reads the source of every release in packages.txt as PyPI has it; nothing is imported, nothing runs.
Of a class it keeps the module it is defined in, its name, and a role:

    i  it may be instantiated without a call (NEWOBJ), as `copyreg.__reduce_ex__` writes it
    c  it may be called too: enumerations, exceptions, Cython's own types, and classes whose
       `__reduce__` the package wrote itself
    r  a function that may be held, as an attribute of a model, and not be called by the pickle

What a pickle can make a class do is run `__new__`, `__setstate__`, `__setitem__`, `append` and the
like (HOOKS) on data of the attacker's choice. A class whose hooks, its bases' included, reach
evaluation, imports, files, processes or the network (CALLS, MODULES) is left out, and so is a function
that reaches them. by_hand.txt has what this cannot see: names written in C, and shapes.
"""

import ast
import gzip
import io
import json
import re
import sys
import tarfile
import urllib.request
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
SKIPPED = re.compile(
    r"(^|[./_])(tests?|testing|conftest|examples?|benchmarks?|scripts?|cli|commands?|__main__|setup|"
    r"distutils|f2py|_?vendor(ed)?|servers?|app|bin|docs?|notebooks?|debug|doctests|"
    r"_?build_utils|cpp_extension|cpp_builder|codecache|_inductor|_dynamo|caffe2|torchgen|_numba|onnx|hub|package|"
    r"elastic|rpc|launcher|run|sandbox|dev|printing|parsing|lldb|gdb|pyinstaller|plotting|ipython|"
    r"jupyter|conversion_scripts|convert_[a-z0-9_]+|loky|multiprocessing|popen\w*)([./_]|$)"
)
HOOKS = {
    "__new__", "__setstate__", "__del__", "__setitem__", "__setattr__", "__getattr__",
    "__getattribute__", "append", "extend", "add", "update", "__hash__", "__eq__", "__prepare__",
}
CALLED = HOOKS | {"__init__", "__post_init__", "_missing_", "__call__"}
# Names that are dangerous to call, and modules that are dangerous to use anything of.
CALLS = {
    "eval", "exec", "execfile", "compile", "__import__", "open", "import_module", "globals",
    "breakpoint", "input", "urlopen", "urlretrieve", "Popen", "system", "resolve_name", "locate",
    "load_object", "import_string", "get_class", "sympify", "parse_expr", "literal_eval",
    "load_from_bytes", "read_pickle", "attrgetter", "methodcaller", "load", "loads", "download",
}
MODULES = {
    "os", "subprocess", "shutil", "socket", "pickle", "cPickle", "marshal", "importlib", "ctypes",
    "urllib", "requests", "tempfile", "dill", "cloudpickle", "runpy", "glob", "pydoc", "pkgutil",
    "sys", "codecs",
}
# Packages whose functions are judged by their own body: what they call is theirs too, and numeric.
NUMERIC = re.compile(r"^(numpy|scipy|sklearn|statsmodels|torch|torchvision|timm|optax|jax)\.")
FUNCTION_MODULES = re.compile(
    r"^(numpy\.lib|scipy\.(special|_lib\.array_api_compat|interpolate|spatial\.distance|stats|linalg|signal)|"
    r"sklearn\.(metrics|feature_selection|cluster|_loss|gaussian_process|covariance|svm|utils\.(_?extmath|validation)|preprocessing|tree|"
    r"feature_extraction|linear_model|ensemble|neighbors|impute|decomposition)|torch\.nn\.(functional|init)|"
    r"torch\.functional|torchvision\.(ops|transforms|models)|transformers\.(activations|trainer_pt_utils|"
    r"data|modeling_utils)|timm\.(layers|models)|fastai\.(layers|losses|torch_core|data|vision|metrics|text|"
    r"tabular|callback|optimizer|learner)|statsmodels|category_encoders|imblearn|xgboost\.(sklearn|training)|"
    r"lightgbm\.sklearn|ultralytics\.(nn|utils\.(torch_utils|ops|metrics|loss))|flair|spacy\.(lang|pipeline)|"
    r"thinc\.(layers|initializers|optimizers|schedules)|keras|optax|jax\.(nn|numpy)|gensim\.(parsing|models|"
    r"matutils|similarities|utils)|nltk|umap|pynndescent\.distances|hdbscan|shap|lifelines|diffusers\.models)"
)


def releases(line):
    name, *versions = line.split()
    request = urllib.request.Request(
        f"https://pypi.org/simple/{name}/",
        headers={"Accept": "application/vnd.pypi.simple.v1+json"},
    )
    files = json.load(urllib.request.urlopen(request, timeout=120))["files"]
    of_version = {}
    for file in files:
        title = file["filename"]
        match = re.match(r"(?:.+?)-(\d[^-]*?)(?:-.*\.whl|\.tar\.gz|\.zip)$", title)
        if match and not file.get("yanked"):
            of_version.setdefault(match[1], []).append(file)
    def order(version):
        return [int(part) for part in re.findall(r"\d+", version)]
    final = [version for version in of_version if re.fullmatch(r"[\d.]+(post\d+)?", version)]
    for version in versions:
        if version == "latest":
            version = max(final, key=order)
        chosen = of_version.get(version, [])
        wheels = sorted((f for f in chosen if f["filename"].endswith(".whl")), key=lambda f: f.get("size") or 0)
        sources = [f for f in chosen if f["filename"].endswith((".tar.gz", ".zip"))]
        for file in wheels[:1] + sources[:1]:
            yield name, version, file


def fetch(name, version, file, cache):
    path = cache / file["filename"]
    if not path.exists():
        part = path.with_suffix(".part")
        with urllib.request.urlopen(file["url"], timeout=600) as answer:
            part.write_bytes(answer.read())
        part.rename(path)
    return name, version, path


def sources(path):
    """(dotted module, text, is Cython) of everything a release holds."""
    wheel = path.suffix == ".whl"
    if path.name.endswith(".tar.gz"):
        with tarfile.open(path) as archive:
            for member in archive:
                if member.isfile() and member.name.endswith((".pyx", ".pyx.tp", ".pyx.in", ".py")):
                    yield from source(member.name, archive.extractfile(member).read(), wheel)
    else:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith((".pyx", ".pyx.tp", ".pyx.in", ".py")):
                    yield from source(name, archive.read(name), wheel)


def source(name, data, wheel):
    parts = name.split("/")
    if not wheel:  # PACKAGE-VERSION/[src/|python-package/|lib/]package/…
        parts = parts[1:]
        while parts and parts[0] in ("src", "lib", "python-package", "python", "py"):
            parts = parts[1:]
    if len(parts) < 2 or any(part.endswith((".data", ".dist-info")) for part in parts[:1]):
        return
    stem, cython = parts[-1].split(".", 1)[0], ".pyx" in parts[-1]
    module = ".".join(parts[:-1] + ([] if stem == "__init__" else [stem]))
    if SKIPPED.search(module) or not re.fullmatch(r"[A-Za-z_][\w.]*", module):
        return
    yield module, data.decode("utf-8", "replace"), cython


class Package:
    """All classes and functions of one release, by simple name where they are looked up."""

    def __init__(self):
        self.classes = []  # (module, node or None, name, cython, exported)
        self.functions = []  # (module, node)
        self.by_name = {}
        self.function_by_name = {}
        self.named_tuples = []

    def read(self, module, text, cython):
        if cython:
            # Templates (.tp) write a class once for several types, or once for a list of names.
            suffixes = ["", "32", "64"] if "{{name_suffix}}" in text else [""]
            for match in re.finditer(r"^cdef class (\w+)", text, re.M):
                for suffix in suffixes:
                    self.classes.append((module, None, match[1] + suffix, True, None))
            if "cdef class {{name}}" in text:
                for name in set(re.findall(r'"(Cy\w+)"', text)):
                    self.classes.append((module, None, name, True, None))
            for match in re.finditer(r"^(?:cp?def|def) (?:[\w.\[\], ]+ )?(__pyx_unpickle_\w+|_unpickle\w*)\(", text, re.M):
                self.classes.append((module, None, match[1], True, None))
            return
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError):
            return
        for node in tree.body:
            self.top(module, node)
            if isinstance(node, (ast.If, ast.Try)):
                for inner in ast.walk(node):
                    if isinstance(inner, (ast.ClassDef, ast.FunctionDef)) and inner is not node:
                        self.top(module, inner)

    def top(self, module, node):
        if isinstance(node, ast.ClassDef):
            self.add(module, node, node.name)
            for inner in node.body:
                if isinstance(inner, ast.ClassDef):
                    self.add(module, inner, f"{node.name}.{inner.name}")
        elif isinstance(node, ast.FunctionDef):
            self.functions.append((module, node, exported(node)))
            self.function_by_name.setdefault(node.name, node)
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            made_by = getattr(node.value.func, "id", getattr(node.value.func, "attr", ""))
            if made_by in ("namedtuple", "NamedTuple") and isinstance(node.targets[0], ast.Name):
                self.named_tuples.append((module, node.targets[0].id))

    def add(self, module, node, name):
        self.classes.append((module, node, name, False, exported(node)))
        self.by_name.setdefault(node.name, node)

    def bases(self, node, seen=None):
        """The class and every base of it that this package defines, by simple name."""
        seen = seen if seen is not None else {}
        if id(node) in seen:
            return seen
        seen[id(node)] = node
        for base in node.bases:
            known = self.by_name.get(simple(base))
            if known is not None:
                self.bases(known, seen)
        return seen

    def base_names(self, node):
        return {simple(base) for known in self.bases(node).values() for base in known.bases}

    def reaches_danger(self, node, methods):
        for known in self.bases(node).values():
            own = {f.name: f for f in known.body if isinstance(f, (ast.FunctionDef, ast.AsyncFunctionDef))}
            for method in methods & own.keys():
                if self.dangerous(own[method], own, set()):
                    return True
            for keyword in known.keywords:
                if keyword.arg == "metaclass" and simple(keyword.value) not in METACLASSES:
                    return simple(keyword.value).startswith("Lazy")
        return False

    def dangerous(self, function, own, seen, follow=True):
        if function.name in seen or len(seen) > 60:
            return False
        seen.add(function.name)
        for part in ast.walk(function):
            if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name) and part.value.id in MODULES:
                return True
            if isinstance(part, (ast.Import, ast.ImportFrom)):
                names = {alias.name.split(".")[0] for alias in part.names}
                names.add((getattr(part, "module", None) or "").split(".")[0])
                if names & MODULES:
                    return True
            if isinstance(part, ast.Call):
                callee = simple(part.func)
                if callee in CALLS:
                    return True
                if callee == "getattr" and len(part.args) > 1 and not isinstance(part.args[1], ast.Constant):
                    # getattr(module, name) resolves anything; on `self` it stays at home.
                    owner = part.args[0]
                    while isinstance(owner, ast.Attribute):
                        owner = owner.value
                    if not (isinstance(owner, ast.Name) and owner.id in ("self", "cls", "other", "super")):
                        return True
                inner = own.get(callee) if isinstance(part.func, ast.Attribute) else None
                if inner is None and follow and isinstance(part.func, ast.Name):
                    inner = self.function_by_name.get(callee)
                if inner is not None and self.dangerous(inner, own, seen, follow):
                    return True
        return False

    def names(self):
        for module, node, name, cython, also in self.classes:
            if cython:
                yield module, name, "c"
                if not name.startswith("_"):
                    yield module, f"__pyx_unpickle_{name}", "c"
                continue
            if node.name in CALLS or self.reaches_danger(node, HOOKS):
                continue
            bases = self.base_names(node) | {node.name}
            plain = any(
                base in ENUMS or base.endswith(("Error", "Exception", "Warning")) for base in bases
            )
            reduces = any(
                isinstance(f, ast.FunctionDef) and f.name in ("__reduce__", "__reduce_ex__")
                for known in self.bases(node).values()
                for f in known.body
            )
            role = "c" if (plain or reduces) and not self.reaches_danger(node, CALLED) else "i"
            for place in {module, *also}:
                yield place, name, role
        for module, name in self.named_tuples:
            yield module, name, "i"
        for module, node, also in self.functions:
            follow = not NUMERIC.match(module)
            if FUNCTION_MODULES.match(module) and node.name not in CALLS and not self.dangerous(node, {}, set(), follow):
                for place in {module, *also}:
                    yield place, node.name, "r"


METACLASSES = {"ABCMeta", "abc.ABCMeta", "EnumMeta", "type", "Meta"}
ENUMS = {"Enum", "IntEnum", "StrEnum", "Flag", "IntFlag", "ExplicitEnum", "BaseEnum", "OrderedEnum"}


def simple(node):
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript):
        return simple(node.value)
    return ""


def exported(node):
    """Modules that `@set_module("…")` and `__module__ = "…"` move a name to."""
    places = []
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and simple(decorator.func) == "set_module":
            places += [a.value for a in decorator.args if isinstance(a, ast.Constant)]
    for part in node.body:
        if isinstance(part, ast.Assign) and simple(part.targets[0]) == "__module__":
            if isinstance(part.value, ast.Constant) and isinstance(part.value.value, str):
                places.append(part.value.value)
    return places


def main():
    cache = Path(sys.argv[1] if len(sys.argv) > 1 else "target/known-names")
    cache.mkdir(parents=True, exist_ok=True)
    wanted = [line for line in (HERE / "packages.txt").read_text().splitlines() if line and line[0] != "#"]
    jobs = []
    for line in wanted:
        try:
            found = list(releases(line))
        except OSError as error:
            sys.exit(f"{line}: {error}")
        asked = len(line.split()) - 1
        if len({version for _, version, _ in found}) < asked:
            print(f"{line}: only {[version for _, version, _ in found]}", file=sys.stderr)
        jobs += found
    names, versions = {}, {}
    with ThreadPoolExecutor(4) as pool:
        fetched = list(pool.map(lambda job: fetch(*job, cache), jobs))
    releases_of = {}
    for name, version, path in fetched:
        releases_of.setdefault((name, version), []).append(path)
    for (name, version), paths in releases_of.items():
        versions.setdefault(name, []).append(version)
        package = Package()
        for path in paths:
            for module, text, cython in sources(path):
                if path.suffix == ".whl" or cython or len(paths) == 1:
                    package.read(module, text, cython)
        for module, title, role in package.names():
            old = names.setdefault(module, {}).get(title, "r")
            names[module][title] = max(role, old, key="ric".index)
        print(f"{name} {version}: {sum(map(len, names.values()))} names", file=sys.stderr)
    out = io.StringIO()
    out.write("# Made by generate.py; see there for the roles. Releases read:\n")
    for name, read in versions.items():
        out.write(f"#   {name} {' '.join(read)}\n")
    for module in sorted(names):
        out.write(f"{module}\n")
        for role in "cir":
            titles = sorted(title for title, known in names[module].items() if known == role)
            if titles:
                out.write(f" {role} {' '.join(titles)}\n")
    # Packed it is a fifth of the size; people read it with `gzip -dc`.
    (HERE / "generated.txt.gz").write_bytes(gzip.compress(out.getvalue().encode(), 9, mtime=0))


if __name__ == "__main__":
    main()
