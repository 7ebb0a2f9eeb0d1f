"""Tiny models with random weights, saved as a hub repository would be: real loading code, under a second, under 1 MB.

Each function writes one family's checkpoint into a folder and returns it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

_WORDS = ["Describe", "the", "image", "User", "Assistant", "user", "net", "revenue", "ferry", "Query", "Represent"]


def tokenizer(special: list[str], pad: str, **options: Any) -> PreTrainedTokenizerFast:
    """A tokenizer of some words, all printable characters and the special tokens."""
    characters = [chr(code) for code in range(33, 127)] + ["Ġ", "Ċ"]
    entries = dict.fromkeys([*special, *characters, *(f"Ġ{word}" for word in _WORDS), *_WORDS])
    words = models.BPE({entry: number for number, entry in enumerate(entries)}, [], unk_token=special[0])
    made = Tokenizer(words)
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.post_processor = processors.ByteLevel(trim_offsets=False)
    options.setdefault("eos_token", pad)
    return PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token=pad, unk_token=special[0], extra_special_tokens=special, **options
    )


def _lively(model: torch.nn.Module) -> torch.nn.Module:
    """Weights large enough for different pages to differ; the padding's embedding is not zero, which would be NaN."""
    torch.manual_seed(0)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() > 1:
                torch.nn.init.normal_(weight, std=0.2)
            elif "norm" not in name.lower() or name.endswith("bias"):
                torch.nn.init.normal_(weight, std=0.02)
    return model.eval()


def _save(model: torch.nn.Module, processor: Any, folder: Path) -> Path:
    _lively(model).save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


_SIGLIP = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "patch_size": 14,
}
_TEXT = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
}


def colpali(folder: Path) -> Path:
    """ColPali with a grid of 8×8 on pictures of 112 pixels."""
    from colpali_engine.models import ColPali, ColPaliProcessor
    from transformers import PaliGemmaConfig

    words = tokenizer(["<pad>", "<eos>", "<bos>", "<image>"], "<pad>", bos_token="<bos>", eos_token="<eos>")
    size = len(words)
    config = PaliGemmaConfig(
        vision_config=_SIGLIP | {"model_type": "siglip_vision_model", "image_size": 112, "vision_use_head": False},
        text_config=_TEXT | {"model_type": "gemma", "vocab_size": size, "head_dim": 16, "pad_token_id": 0},
        image_token_index=words.convert_tokens_to_ids("<image>"),
        projection_dim=32,
        hidden_size=32,
        vocab_size=size,
    )
    return _save(ColPali(config), ColPaliProcessor(_fixed_pictures(), words), folder)


_QWEN_TOKENS = [
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>",
    "<|image_pad|>", "<|video_pad|>",
]  # fmt: skip


def _qwen_ids(words: PreTrainedTokenizerFast) -> dict[str, int]:
    names = {"image_token_id": "<|image_pad|>", "video_token_id": "<|video_pad|>"}
    names |= {"vision_start_token_id": "<|vision_start|>", "vision_end_token_id": "<|vision_end|>"}
    return {name: words.convert_tokens_to_ids(token) for name, token in names.items()}


def _qwen_processor(family: str, words: PreTrainedTokenizerFast, patch: int) -> Any:
    from colpali_engine import models as engine
    from transformers import Qwen2VLImageProcessor, Qwen2VLVideoProcessor, Qwen3VLVideoProcessor

    name = {"ColQwen2_5": "ColQwen2_5_Processor"}.get(family, f"{family}Processor")
    tile = (2 * patch) ** 2
    pictures = Qwen2VLImageProcessor(
        patch_size=patch, merge_size=2, size={"shortest_edge": 4 * tile, "longest_edge": 80 * tile}
    )
    videos = Qwen3VLVideoProcessor if "3" in family else Qwen2VLVideoProcessor
    return getattr(engine, name)(pictures, words, videos(patch_size=patch, merge_size=2))


def colqwen2(folder: Path) -> Path:
    """ColQwen2: as many tokens as the page's shape asks for, 80 at most."""
    from colpali_engine.models import ColQwen2
    from transformers import Qwen2VLConfig

    words = tokenizer(_QWEN_TOKENS, "<|endoftext|>")
    rope = {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 1000.0}
    config = Qwen2VLConfig(
        text_config=_TEXT | {"vocab_size": len(words), "rope_parameters": rope, "pad_token_id": 0},
        vision_config={"depth": 1, "embed_dim": 32, "hidden_size": 32, "num_heads": 2, "mlp_ratio": 2},
        **_qwen_ids(words),
    )
    return _save(ColQwen2(config), _qwen_processor("ColQwen2", words, 14), folder)


def colqwen2_5(folder: Path) -> Path:
    """ColQwen2.5, with one layer of windows and one that sees all."""
    from colpali_engine.models import ColQwen2_5
    from transformers import Qwen2_5_VLConfig

    words = tokenizer(_QWEN_TOKENS, "<|endoftext|>")
    rope = {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 1000.0}
    vision = {"depth": 2, "hidden_size": 32, "out_hidden_size": 32, "intermediate_size": 64, "num_heads": 2}
    config = Qwen2_5_VLConfig(
        text_config=_TEXT | {"vocab_size": len(words), "rope_parameters": rope, "pad_token_id": 0},
        vision_config=vision | {"fullatt_block_indexes": [1]},
        **_qwen_ids(words),
    )
    return _save(ColQwen2_5(config), _qwen_processor("ColQwen2_5", words, 14), folder)


def colqwen3(folder: Path) -> Path:
    """ColQwen3 with vectors of 320 dimensions."""
    from colpali_engine.models import ColQwen3
    from transformers import Qwen3VLConfig

    words = tokenizer(_QWEN_TOKENS, "<|endoftext|>")
    rope = {"rope_type": "default", "mrope_section": [2, 3, 3], "mrope_interleaved": True, "rope_theta": 1000.0}
    vision = {"depth": 1, "hidden_size": 32, "out_hidden_size": 32, "intermediate_size": 64, "num_heads": 2}
    config = Qwen3VLConfig(
        text_config=_TEXT | {"vocab_size": len(words), "rope_parameters": rope, "head_dim": 16, "pad_token_id": 0},
        vision_config=vision | {"deepstack_visual_indexes": [0], "num_position_embeddings": 64, "patch_size": 16},
        **_qwen_ids(words),
    )
    return _save(ColQwen3(config), _qwen_processor("ColQwen3", words, 16), folder)


def colqwen3_5(folder: Path) -> Path:
    """ColQwen3.5 whose configuration asks for 320 dimensions."""
    from colpali_engine.models import ColQwen3_5
    from transformers import Qwen3_5Config

    words = tokenizer(_QWEN_TOKENS, "<|endoftext|>")
    rope = {
        "rope_type": "default", "mrope_section": [1, 1, 2], "mrope_interleaved": True, "rope_theta": 1000.0,
        "partial_rotary_factor": 0.5,
    }  # fmt: skip
    linear = {"linear_key_head_dim": 8, "linear_value_head_dim": 8, "linear_num_key_heads": 2}
    text = _TEXT | linear | {"vocab_size": len(words), "rope_parameters": rope, "head_dim": 16, "pad_token_id": 0}
    vision = {"depth": 1, "hidden_size": 32, "out_hidden_size": 32, "intermediate_size": 64, "num_heads": 2}
    config = Qwen3_5Config(
        text_config=text | {"num_hidden_layers": 2, "linear_num_value_heads": 2}
        | {"layer_types": ["linear_attention", "full_attention"]},
        vision_config=vision | {"num_position_embeddings": 64, "patch_size": 16},
        **_qwen_ids(words),
    )  # fmt: skip
    config.dim = 320
    return _save(ColQwen3_5(config), _qwen_processor("ColQwen3_5", words, 16), folder)


def qwen2vl(folder: Path) -> Path:
    """Qwen2-VL itself, the base of models with one vector; files as repositories of 2024 have them."""
    from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration, Qwen2VLImageProcessor

    words = tokenizer(_QWEN_TOKENS, "<|endoftext|>")
    rope = {"rope_type": "default", "mrope_section": [2, 3, 3], "rope_theta": 1000.0}
    config = Qwen2VLConfig(
        text_config=_TEXT | {"vocab_size": len(words), "rope_parameters": rope, "pad_token_id": 0},
        vision_config={"depth": 1, "embed_dim": 32, "hidden_size": 32, "num_heads": 2, "mlp_ratio": 2},
        tie_word_embeddings=True,
        **_qwen_ids(words),
    )
    _lively(Qwen2VLForConditionalGeneration(config)).save_pretrained(folder)
    Qwen2VLImageProcessor(min_pixels=56 * 56, max_pixels=200 * 28 * 28).save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


#: Code in a repository that is never to run.
_CODE = "raise SystemExit('their code ran')"
_VDR_TURN = (
    "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\n"
    "<|vision_start|><|image_pad|><|vision_end|>"
)


def vdr(folder: Path) -> Path:
    """A model as vdr-2b-multi-v1: its prompts, and code of its own for sentence-transformers."""
    qwen2vl(folder)
    prompts = {
        "image": f"{_VDR_TURN}What is shown in this image?<|im_end|>\n<|endoftext|>",
        "query": f"{_VDR_TURN}Query: %s<|im_end|>\n<|endoftext|>",
    }
    modules = [
        {"idx": 0, "name": "transformer", "path": "", "type": "custom_st.Transformer", "dimension": 2048},
        {"idx": 1, "name": "normalizer", "path": "1_Normalize", "type": "sentence_transformers.models.Normalize"},
    ]
    (folder / "config_sentence_transformers.json").write_text(json.dumps({"prompts": prompts}))
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "custom_st.py").write_text(_CODE)
    return folder


def vlm2vec(folder: Path) -> Path:
    """A LoRA adapter as VLM2Vec's: with DoRA, a pickle, and with the names that the parts had when it was trained."""
    from peft import LoraConfig, get_peft_model
    from transformers import Qwen2VLForConditionalGeneration

    base = qwen2vl(folder.with_name(f"{folder.name}-base"))
    torch.manual_seed(1)
    targets = ["qkv", "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]
    lora = LoraConfig(r=4, lora_alpha=16, target_modules=targets, use_dora=True, init_lora_weights=False)
    adapted = get_peft_model(Qwen2VLForConditionalGeneration.from_pretrained(base), lora)
    adapted.save_pretrained(folder, safe_serialization=False)
    weights = torch.load(folder / "adapter_model.bin", weights_only=True)
    names = [
        name.replace("model.language_model.", "model.").replace("model.model.visual.", "model.visual.")
        for name in weights
    ]
    torch.save(dict(zip(names, weights.values(), strict=True)), folder / "adapter_model.bin")
    for file in base.iterdir():
        if file.suffix == ".json" and file.name != "generation_config.json":
            shutil.copy(file, folder)
    told = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps(told | {"base_model_name_or_path": str(base)}))
    return folder


# How the names of weights begin here, and in the published checkpoint as other programs read it.
_GRANITE_NAMES = {
    "model.vision_tower.": "model.vision_tower.vision_model.",
    "model.language_model.": "model.language_model.model.",
    "model.multi_modal_projector.": "model.multi_modal_projector.",
    "model.image_newline": "model.image_newline",
    "custom_text_proj.": "custom_text_proj.",
}


def granite(folder: Path) -> Path:
    """Granite Vision Embedding with 3×3 patches of 14 pixels in a tile of 44, and features of four layers."""
    from safetensors.torch import save_file
    from transformers import LlavaNextConfig, LlavaNextImageProcessor

    from pagesight.indexing.encoders.granite import network

    words = tokenizer(["<|end_of_text|>", "<|user|>", "<|assistant|>", "<image>"], "<|end_of_text|>")
    grid = [[44, 88], [88, 44], [88, 88]]
    vision = _SIGLIP | {"model_type": "siglip_vision_model", "image_size": 44, "vision_use_head": False}
    config = LlavaNextConfig(
        vision_config=vision | {"num_hidden_layers": 4},
        text_config=_TEXT | {"model_type": "granite", "vocab_size": len(words), "pad_token_id": 0},
        image_token_index=words.convert_tokens_to_ids("<image>"),
        vision_feature_layer=[-4, -3, -2, -1],
        vision_feature_select_strategy="full",
        image_grid_pinpoints=grid,
        tie_word_embeddings=True,
    )
    model = _lively(network()(config))
    weights = {"model.language_model.lm_head.weight": torch.zeros(len(words), 32)}
    for name, weight in model.state_dict().items():
        ours, theirs = next(pair for pair in _GRANITE_NAMES.items() if name.startswith(pair[0]))
        weights[theirs + name.removeprefix(ours)] = weight.clone()
    folder.mkdir()
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    told = config.to_dict() | {"model_type": "granitevisionemb", "architectures": ["GraniteVisionEmb"]}
    told |= {"emb_dim_doc": 128, "emb_dim_query": 128, "base_image_feature_location": "last"}
    told |= {"auto_map": {"AutoConfig": "their_code.Config", "AutoModel": "their_code.Model"}}
    (folder / "config.json").write_text(json.dumps(told))
    (folder / "their_code.py").write_text(_CODE)
    pictures = LlavaNextImageProcessor(
        size={"height": 44, "width": 44}, crop_size={"height": 44, "width": 44}, image_grid_pinpoints=grid,
        image_mean=[0.5] * 3, image_std=[0.5] * 3,
    )  # fmt: skip
    pictures.save_pretrained(folder)
    words.save_pretrained(folder)
    return folder


NATIVE: dict[str, Callable[[Path], Path]] = {"vdr": vdr, "VLM2Vec-Qwen2VL-2B": vlm2vec, "granite": granite}


def _tiled(special: list[str]) -> tuple[PreTrainedTokenizerFast, Any]:
    from transformers import Idefics3ImageProcessor

    rows = [f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)]
    words = tokenizer([*special, *rows], special[0])
    pictures = Idefics3ImageProcessor(size={"longest_edge": 224}, max_image_size={"longest_edge": 56})
    return words, pictures


_IDEFICS_TOKENS = ["<|im_end|>", "<|im_start|>", "<end_of_utterance>", "<image>", "<fake_token_around_image>",
                   "<global-img>", "<|begin_of_text|>"]  # fmt: skip


def colidefics3(folder: Path) -> Path:
    """ColSmol: tiles of 56 pixels with 2×2 tokens each, on pages of 224 pixels, and the view of the whole."""
    from colpali_engine.models import ColIdefics3, ColIdefics3Processor
    from transformers import Idefics3Config

    words, pictures = _tiled(_IDEFICS_TOKENS)
    config = Idefics3Config(
        text_config=_TEXT | {"model_type": "llama", "vocab_size": len(words), "pad_token_id": 0},
        vision_config=_SIGLIP | {"image_size": 56},
        image_token_id=words.convert_tokens_to_ids("<image>"),
        scale_factor=2,
        pad_token_id=0,
    )
    return _save(ColIdefics3(config), ColIdefics3Processor(pictures, words, image_seq_len=4), folder)


def colmodernvbert(folder: Path) -> Path:
    """ColModernVBERT: tiles as colSmol, a text model that looks both ways."""
    from colpali_engine.models import ColModernVBert, ColModernVBertProcessor
    from transformers import ModernVBertConfig

    words, pictures = _tiled(_IDEFICS_TOKENS)
    text = {name: value for name, value in _TEXT.items() if name != "num_key_value_heads"}
    config = ModernVBertConfig(
        text_config=text | {"model_type": "modernbert", "vocab_size": len(words), "pad_token_id": 0},
        vision_config=_SIGLIP | {"model_type": "siglip_vision_model", "image_size": 56},
        image_token_id=words.convert_tokens_to_ids("<image>"),
        pixel_shuffle_factor=2,
    )
    return _save(ColModernVBert(config), ColModernVBertProcessor(pictures, words, image_seq_len=4), folder)


_LORA = (
    r"(.*(language_model|text_model).*(down_proj|gate_proj|up_proj|k_proj|q_proj|v_proj|o_proj|Wqkv).*$|.*({head}).*$)"
)


def adapter(folder: Path, family: str = "ColQwen2_5", *, whole_head: bool = False) -> Path:
    """A LoRA adapter; the base lies beside it, and words and pictures are read as the adapter's files say, as in
    nomic's and vidore's repositories. ``whole_head``: it brings its projection whole (peft's ``modules_to_save``).
    """
    from colpali_engine import models
    from peft import LoraConfig

    base = COLPALI_ENGINE[family](folder.with_name(f"{folder.name}-base"))
    model = getattr(models, family).from_pretrained(base)
    head = "linear" if family == "ColIdefics3" else "custom_text_proj"
    targets = _LORA.format(head="nothing" if whole_head else head)
    torch.manual_seed(2)
    lora = LoraConfig(
        r=4, lora_alpha=8, target_modules=targets, init_lora_weights=False,
        modules_to_save=[head] if whole_head else None,
    )  # fmt: skip
    model.add_adapter(lora)
    if whole_head:
        torch.nn.init.normal_(getattr(model, head).modules_to_save["default"].weight, std=0.2)
    model.save_pretrained(folder)
    for file in base.iterdir():
        if "config" not in file.name.replace("_config", "") and file.suffix != ".safetensors":
            (folder / file.name).write_bytes(file.read_bytes())
    told = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps(told | {"base_model_name_or_path": str(base)}))
    return folder


COLPALI_ENGINE: dict[str, Callable[[Path], Path]] = {
    "ColPali": colpali,
    "ColQwen2": colqwen2,
    "ColQwen2_5": colqwen2_5,
    "ColQwen3": colqwen3,
    "ColQwen3_5": colqwen3_5,
    "ColIdefics3": colidefics3,
    "ColModernVBert": colmodernvbert,
}


def colpali_port(folder: Path) -> Path:
    """The port of ColPali to transformers (the repositories that end in -hf)."""
    from transformers import ColPaliConfig, ColPaliForRetrieval, ColPaliProcessor

    colpali(folder)
    parts = json.loads((folder / "config.json").read_text())
    words, pictures = PreTrainedTokenizerFast.from_pretrained(folder), _fixed_pictures()
    shutil.rmtree(folder)
    config = ColPaliConfig(vlm_config=parts | {"model_type": "paligemma"}, embedding_dim=128)
    return _save(ColPaliForRetrieval(config), ColPaliProcessor(pictures, words), folder)


def colqwen2_port(folder: Path) -> Path:
    """The port of ColQwen2 to transformers."""
    from transformers import ColQwen2Config, ColQwen2ForRetrieval, ColQwen2Processor

    colqwen2(folder)
    parts = json.loads((folder / "config.json").read_text())
    theirs = _qwen_processor("ColQwen2", PreTrainedTokenizerFast.from_pretrained(folder), 14)
    shutil.rmtree(folder)
    config = ColQwen2Config(vlm_config=parts, embedding_dim=128)
    return _save(ColQwen2ForRetrieval(config), ColQwen2Processor(theirs.image_processor, theirs.tokenizer), folder)


def _fixed_pictures() -> Any:
    from transformers import SiglipImageProcessor

    pictures = SiglipImageProcessor(size={"height": 112, "width": 112}, image_seq_length=64)
    pictures.image_seq_length = 64
    return pictures


def _tower(size: int) -> dict[str, Any]:
    shared = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    return shared | {"image_size": size, "patch_size": 16, "projection_dim": 24}


def clip(folder: Path) -> Path:
    """CLIP, as its authors published it, without a configuration of sentence-transformers."""
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPProcessor

    words = tokenizer(["<|startoftext|>", "<|endoftext|>"], "<|endoftext|>", bos_token="<|startoftext|>")
    ends = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
    config = CLIPConfig(
        text_config=_tower(64) | ends | {"vocab_size": len(words), "max_position_embeddings": 77},
        vision_config=_tower(64), projection_dim=24,
    )  # fmt: skip
    pictures = CLIPImageProcessor(size={"shortest_edge": 64}, crop_size={"height": 64, "width": 64})
    words.model_max_length = 77
    return _save(CLIPModel(config), CLIPProcessor(pictures, words), folder)


def siglip(folder: Path) -> Path:
    """SigLIP."""
    from transformers import SiglipConfig, SiglipImageProcessor, SiglipModel, SiglipProcessor

    words = tokenizer(["<pad>", "</s>"], "<pad>", eos_token="</s>", model_input_names=["input_ids"])
    config = SiglipConfig(
        text_config=_tower(64) | {"vocab_size": len(words), "max_position_embeddings": 64, "projection_size": 32},
        vision_config=_tower(64),
    )
    words.model_max_length = 64
    pictures = SiglipImageProcessor(size={"height": 64, "width": 64})
    return _save(SiglipModel(config), SiglipProcessor(pictures, words), folder)


def _siglip2_words() -> Any:
    """Gemma's tokenizer as SigLIP 2's repositories have it: it keeps capitals, with which the model was not trained."""
    from transformers import GemmaTokenizer

    entries = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>", *(chr(code) for code in range(33, 127)), "▁"]
    vocabulary = {entry: number for number, entry in enumerate(entries)}
    options = {"padding_side": "right", "model_input_names": ["input_ids"], "model_max_length": 64}
    return GemmaTokenizer(vocab=vocabulary, merges=[], **options)


def siglip2(folder: Path) -> Path:
    """SigLIP 2 for pictures of one size: SigLIP's classes, Gemma's tokenizer."""
    from transformers import SiglipConfig, SiglipImageProcessor, SiglipModel, SiglipProcessor

    words = _siglip2_words()
    config = SiglipConfig(
        text_config=_tower(64) | {"vocab_size": len(words), "max_position_embeddings": 64, "projection_size": 32},
        vision_config=_tower(64),
    )
    pictures = SiglipImageProcessor(size={"height": 64, "width": 64})
    return _save(SiglipModel(config), SiglipProcessor(pictures, words), folder)


def siglip2_any_size(folder: Path) -> Path:
    """SigLIP 2 for pictures in their own proportions (NaFlex), in 16 patches at most."""
    from transformers import Siglip2Config, Siglip2ImageProcessor, Siglip2Model, Siglip2Processor

    words = _siglip2_words()
    tower = {name: value for name, value in _tower(64).items() if name != "image_size"}
    config = Siglip2Config(
        text_config=tower | {"vocab_size": len(words), "max_position_embeddings": 64, "projection_size": 32},
        vision_config=tower | {"num_patches": 16},
    )
    pictures = Siglip2ImageProcessor(patch_size=16, max_num_patches=16)
    return _save(Siglip2Model(config), Siglip2Processor(pictures, words), folder)


def saved_single(folder: Path) -> Path:
    """A single-vector model with a configuration of sentence-transformers."""
    from sentence_transformers import SentenceTransformer

    SentenceTransformer(str(clip(folder.with_name(f"{folder.name}-base"))), device="cpu").save_pretrained(str(folder))
    return folder


def saved_multi(folder: Path) -> Path:
    """A late-interaction model with a configuration of sentence-transformers."""
    from sentence_transformers import MultiVectorEncoder

    base = colqwen2_port(folder.with_name(f"{folder.name}-base"))
    MultiVectorEncoder(str(base), device="cpu").save_pretrained(str(folder))
    return folder


def cross_encoder(folder: Path, *, scores: int = 1, has_head: bool = True, tokens: int = 512) -> Path:
    """A reranker of texts: BERT with one score for a question and a text."""
    from transformers import BertConfig, BertForSequenceClassification

    words = tokenizer(["<unk>", "<pad>", "<sep>"], "<pad>", sep_token="<sep>", model_max_length=tokens)
    config = BertConfig(
        vocab_size=len(words), hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2,
        max_position_embeddings=tokens, num_labels=scores, pad_token_id=words.pad_token_id,
    )  # fmt: skip
    model = BertForSequenceClassification(config)
    return _save(model if has_head else model.bert, words, folder)


SENTENCE_TRANSFORMERS: dict[str, Callable[[Path], Path]] = {
    "ColPali-hf": colpali_port,
    "ColQwen2-hf": colqwen2_port,
    "multi-vector": saved_multi,
    "single-vector": saved_single,
    "CLIP": clip,
    "SigLIP": siglip,
    "SigLIP 2": siglip2,
    "SigLIP 2 of any size": siglip2_any_size,
}
