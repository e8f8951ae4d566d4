"""Tiny real models: made by their own libraries, and used again by the code of a model card.

usage: models.py make NAME FOLDER     writes the model's files, prints what it predicts
       models.py use NAME < SNIPPET   runs the snippet, prints what the loaded model predicts
       models.py parse < SNIPPETS     compiles each of a JSON list of snippets
       models.py pipelines            prints the tasks that transformers has a pipeline for
       models.py names < NAMES        prints those of a JSON list that transformers does not have
"""

import json
import sys
from pathlib import Path

import numpy as np

X = np.random.default_rng(7).normal(size=(40, 3)).astype(np.float32)
Y = (X[:, 0] + X[:, 1] > 0).astype(int)


class Xgboost:
    def make(self, folder):
        import xgboost

        model = xgboost.XGBClassifier(n_estimators=5, n_jobs=1).fit(X, Y)
        model.save_model(folder / "model.ubj")
        return {"model": model}

    def predict(self, names):
        return names["model"].predict_proba(X[:4]).tolist()


class Lightgbm:
    def make(self, folder):
        import lightgbm

        options = {"objective": "binary", "num_threads": 1, "min_data_in_leaf": 2, "verbose": -1}
        model = lightgbm.train(options, lightgbm.Dataset(X, Y), 5)
        model.save_model(folder / "model.txt")
        return {"model": model}

    def predict(self, names):
        return names["model"].predict(X[:4]).tolist()


class Catboost(Xgboost):
    def make(self, folder):
        import catboost

        model = catboost.CatBoostClassifier(
            iterations=5, thread_count=1, verbose=False, allow_writing_files=False)
        model.fit(X, Y).save_model(str(folder / "model.cbm"))
        return {"model": model}


class Sklearn(Xgboost):
    def make(self, folder):
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        model = make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y)
        self.keep(model, folder)
        return {"model": model}


class Skops(Sklearn):
    def keep(self, model, folder):
        from skops.io import dump

        dump(model, folder / "model.skops")


class Joblib(Sklearn):
    def keep(self, model, folder):
        import joblib

        joblib.dump(model, folder / "sklearn_model.joblib")


class Onnx:
    def make(self, folder):
        import onnx
        from onnx import TensorProto, helper, numpy_helper

        weights = X[:3, :2]
        graph = helper.make_graph(
            [helper.make_node("MatMul", ["x", "w"], ["y"])],
            "tiny",
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 3])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 2])],
            [numpy_helper.from_array(weights, "w")],
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
        onnx.save(model, folder / "model.onnx")
        return {"expected": (X[:4] @ weights).tolist()}

    def predict(self, names):
        if "expected" in names:
            return names["expected"]
        return names["model"].run(None, {"x": X[:4]})[0].tolist()


class Safetensors:
    def make(self, folder):
        from safetensors.numpy import save_file

        save_file({"weight": X}, folder / "weights.safetensors")
        return {"tensors": {"weight": X}}

    def predict(self, names):
        return {name: tensor.tolist() for name, tensor in names["tensors"].items()}


class Spacy:
    def make(self, folder):
        import spacy

        model = spacy.blank("en")
        model.add_pipe("entity_ruler").add_patterns([{"label": "ORG", "pattern": "Acme"}])
        model.to_disk(folder)
        return {"model": model}

    def predict(self, names):
        return [[entity.text, entity.label_] for entity in names["model"]("We are Acme.").ents]


class Mlx:
    def make(self, folder):
        import mlx.core as mx
        from mlx.utils import tree_flatten
        from mlx_lm import generate, load
        from mlx_lm.models import llama
        from tokenizers import Tokenizer, models, pre_tokenizers

        mx.random.seed(0)
        words = "<unk> </s> Once upon a time there was one model and it ran here today".split()
        config = {
            "model_type": "llama", "hidden_size": 16, "num_hidden_layers": 1,
            "intermediate_size": 32, "num_attention_heads": 2, "rms_norm_eps": 1e-5,
            "vocab_size": len(words), "tie_word_embeddings": True,
        }
        model = llama.Model(llama.ModelArgs.from_dict(config))
        weights = dict(tree_flatten(model.parameters()))
        mx.save_safetensors(str(folder / "model.safetensors"), weights, {"format": "mlx"})
        (folder / "config.json").write_text(json.dumps(config))
        tokenizer = Tokenizer(
            models.WordLevel({word: at for at, word in enumerate(words)}, unk_token="<unk>"))
        tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
        tokenizer.save(str(folder / "tokenizer.json"))
        (folder / "tokenizer_config.json").write_text(json.dumps(
            {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": "</s>", "unk_token": "<unk>"}))
        # The words of the snippet.
        text = generate(*load(str(folder)), prompt="Once upon a time", max_tokens=40)
        assert len(text.split()) > 10, text
        return {"text": text}

    def predict(self, names):
        return names["text"]


MODELS = {
    "xgboost": Xgboost, "lightgbm": Lightgbm, "catboost": Catboost, "skops": Skops,
    "joblib": Joblib, "onnx": Onnx, "safetensors": Safetensors, "spacy": Spacy, "mlx": Mlx,
}


def use(model):
    names = {"__name__": "__main__"}
    exec(compile(sys.stdin.read(), "the card", "exec"), names)
    return model.predict(names)


def main(command, *arguments):
    if command == "make":
        model = MODELS[arguments[0]]()
        return model.predict(model.make(Path(arguments[1])))
    if command == "use":
        return use(MODELS[arguments[0]]())
    if command == "parse":
        return [bool(compile(text, f"snippet {at}", "exec"))
                for at, text in enumerate(json.load(sys.stdin))]
    import transformers

    if command == "names":
        return [name for name in json.load(sys.stdin) if not hasattr(transformers, name)]
    from transformers.pipelines import PIPELINE_REGISTRY

    return PIPELINE_REGISTRY.get_supported_tasks()


if __name__ == "__main__":
    answer = main(*sys.argv[1:])
    # What a library prints while it loads stands before.
    print(f"\n{json.dumps(answer)}")
