"""Repositories as the hub's cache holds them, for the models of indexing/encoders/workers: tiny, with random weights.

Those that bring code bring a stand-in for it here, with the methods that their cards and their code publish; nomic's
two are real architectures of transformers.
"""

from __future__ import annotations

import json
import textwrap
from pathlib import Path

COMMIT = "0123456789abcdef0123456789abcdef01234567"

_MODEL = """
    import numpy as np, torch
    from transformers import PretrainedConfig, PreTrainedModel

    class TinyConfig(PretrainedConfig):
        model_type = "tiny_for_tests"
        image_token_id = 7

    class TinyModel(PreTrainedModel):
        config_class = TinyConfig

        def __init__(self, config, **unused):
            super().__init__(config)
            self.linear = torch.nn.Linear(12, config.dim)
            self.add_parts()
            self.post_init()

        def add_parts(self):
            pass

        def of_image(self, image):
            return self.linear(torch.tensor(np.asarray(image.resize((2, 2))).reshape(-1) / 255, dtype=torch.float32))

        def of_text(self, text):
            return self.linear(torch.tensor([float(ord(letter) % 16) for letter in text[:12].ljust(12)]))
"""

JINA_CLIP = (
    _MODEL
    + """
        def encode_image(self, images, batch_size=32, show_progress_bar=None, convert_to_numpy=True):
            return np.stack([self.of_image(image).detach().numpy() for image in images])

        def encode_text(self, sentences, task=None, batch_size=32, **tokenizer_kwargs):
            assert task == "retrieval.query"
            return np.stack([self.of_text(sentence).detach().numpy() for sentence in sentences])
"""
)

JINA_V4 = (
    _MODEL
    + """
        def add_parts(self):
            self.single = torch.nn.Linear(12, 2048)
            self.processor = Processor()

        def encode_image(self, images, task=None, batch_size=8, return_multivector=False, return_numpy=False,
                         truncate_dim=None, max_pixels=None):
            assert task == "retrieval"
            if not return_multivector:
                return [self.single.weight @ self.of_image(image)[:12] for image in images]
            return [self.of_tokens(image, max_pixels) for image in images]

        def of_tokens(self, image, max_pixels):
            grey = np.asarray(image.convert("L").resize((3, 2))).reshape(-1) / 255  # 2 rows of 3
            rows = [self.linear.weight[:, 0] * float(value) + self.linear.bias for value in grey]
            return torch.stack([self.linear.bias, *rows, self.linear.bias])

        def encode_text(self, texts, task=None, max_length=32768, batch_size=8, return_multivector=False,
                        return_numpy=False, truncate_dim=None, prompt_name=None):
            assert (task, prompt_name) == ("retrieval", "query")
            if not return_multivector:
                return [self.single.bias for text in texts]
            return [torch.stack([self.of_text(word) for word in f"Query: {text}".split()]) for text in texts]

    class Tokenizer:
        def __call__(self, text):
            self.words = text.split()
            return {"input_ids": list(range(len(self.words)))}

        def decode(self, tokens):
            return self.words[tokens[0]]

    class ImageProcessor:
        max_pixels, merge_size = 602112, 2

    class Processor:
        tokenizer, image_processor = Tokenizer(), ImageProcessor()

        def process_images(self, images):
            return {
                "input_ids": torch.tensor([[1] + [7] * 6 + [2]] * len(images)),
                "image_grid_thw": torch.tensor([[1, 4, 6]] * len(images)),
            }
"""
)

VLM2VEC = (
    _MODEL
    + """
        def forward(self, input_ids, attention_mask=None, pixel_values=None, image_sizes=None,
                    output_hidden_states=False, return_dict=True):
            assert output_hidden_states
            seen = self.linear(pixel_values) if pixel_values is not None else 0
            tokens = torch.nn.functional.one_hot(input_ids % 12, 12).float()
            hidden = self.linear(tokens) + seen
            from transformers.modeling_outputs import CausalLMOutputWithPast
            return CausalLMOutputWithPast(hidden_states=(hidden * 0, hidden))

    class Tokenizer:
        def __call__(self, text, return_tensors=None):
            ids = torch.tensor([[ord(letter) for letter in text]])
            return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}

    class TinyProcessor:
        @classmethod
        def from_pretrained(cls, folder, num_crops=None, **unused):
            assert num_crops == 16
            return cls()

        @classmethod
        def register_for_auto_class(cls, *unused):
            pass

        tokenizer = Tokenizer()

        def __call__(self, text, images):
            assert text.startswith("<|image_1|>")
            picture = np.asarray(images[0].resize((2, 2))).reshape(1, -1) / 255
            return {**self.tokenizer(text), "pixel_values": torch.tensor(picture, dtype=torch.float32)}
"""
)


def snapshot(cache: Path, repository: str, commit: str = COMMIT) -> Path:
    """The folder of a repository's commit, which is its newest."""
    home = cache / f"models--{repository.replace('/', '--')}"
    folder = home / "snapshots" / commit
    folder.mkdir(parents=True)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text(commit)
    return folder


def with_code(cache: Path, repository: str, code: str, dim: int, *, elsewhere: str | None = None) -> Path:
    """A repository with this code, which stands in another repository where ``elsewhere`` names one."""
    import torch
    from safetensors.torch import save_file

    folder = snapshot(cache, repository)
    place = snapshot(cache, elsewhere) if elsewhere else folder
    (place / "tiny.py").write_text(textwrap.dedent(code))
    start = f"{elsewhere}--" if elsewhere else ""
    kinds = {"AutoConfig": "TinyConfig", "AutoModel": "TinyModel", "AutoModelForCausalLM": "TinyModel"}
    kinds |= {"AutoProcessor": "TinyProcessor"} if "TinyProcessor" in code else {}
    auto = {kind: f"{start}tiny.{name}" for kind, name in kinds.items()}
    config = {"model_type": "tiny_for_tests", "architectures": ["TinyModel"], "auto_map": auto, "dim": dim}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "processor_config.json").write_text(json.dumps({"auto_map": auto}))
    torch.manual_seed(0)
    weights = {"linear.weight": torch.randn(dim, 12), "linear.bias": torch.randn(dim)}
    if "self.single" in code:
        weights |= {"single.weight": torch.randn(2048, 12), "single.bias": torch.randn(2048)}
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    return folder


def nomic(cache: Path) -> tuple[Path, Path]:
    """The pair of nomic-embed-vision and nomic-embed-text, as a ViT and a BERT of one layer."""
    import torch
    from transformers import BertConfig, BertModel, BertTokenizerFast, ViTConfig, ViTImageProcessor, ViTModel

    torch.manual_seed(0)
    looks, reads = (snapshot(cache, f"nomic-ai/nomic-embed-{kind}-v1.5") for kind in ("vision", "text"))
    size = {"hidden_size": 768, "num_hidden_layers": 1, "num_attention_heads": 4, "intermediate_size": 8}
    ViTModel(ViTConfig(**size, image_size=32, patch_size=16), add_pooling_layer=False).save_pretrained(looks)
    ViTImageProcessor(size={"height": 32, "width": 32}).save_pretrained(looks)
    words = [
        "[PAD]",
        "[UNK]",
        "[CLS]",
        "[SEP]",
        "[MASK]",
        *"abcdefghijklmnopqrstuvwxyz_:",
        *(f"##{c}" for c in "aeinrtu_:"),
    ]
    (reads / "vocab.txt").write_text("\n".join(words))
    BertTokenizerFast(str(reads / "vocab.txt")).save_pretrained(reads)
    BertModel(BertConfig(**size, vocab_size=len(words)), add_pooling_layer=False).save_pretrained(reads)
    return looks, reads
