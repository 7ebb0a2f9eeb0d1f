"""The settings in groups, by the room that they are for: each with its type, default, limits and description.

They are put together, and read, in `pagesight.indexing.settings`.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal, Self

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr

from pagesight.indexing.configuration.efforts import Effort, Thinking


class SettingsGroup(BaseModel):
    """Settings that belong together. ``prefix`` is what their flat names begin with."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)
    prefix: ClassVar[str] = ""

    def with_(self, values: dict[str, object]) -> Self:
        """A copy with other values; which ones were set, and not left to their defaults, stays known."""
        return self.model_validate({field: getattr(self, field) for field in self.model_fields_set} | values)


class MilvusSettings(SettingsGroup):
    """Logging in to a Milvus server."""

    prefix: ClassVar[str] = "milvus_"

    token: SecretStr | None = Field(None, description="a Milvus server's API key, or USER:PASSWORD")
    database: str | None = Field(None, description="the server's database; its default one if nothing is said")
    certificate: Path | None = Field(
        None,
        description="PEM file of the certificate of a server with https://, if no authority signed it",
    )
    server_name: str | None = Field(None, description="name in the certificate, where it is not the address's")


class EncodingSettings(SettingsGroup):
    """Which page encoder makes the vectors of pages, and how."""

    encoder: str = Field(
        "auto",
        description="page encoder: auto, a name from `pagesight encoders`, a folder, MODEL@URL, or external:SCRIPT",
    )
    device: Literal["auto", "cuda", "mps", "cpu"] = Field("auto", description="what the page encoder runs on")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", description="precision of the page encoder; auto is bfloat16 on GPUs, float32 on CPUs"
    )
    pages_at_once: int = Field(4, ge=1, description="pages that the encoder takes at once; halved when out of memory")
    visual_tokens: int | None = Field(
        None, ge=4, description="image tokens of a page at most, for the Qwen families; more see smaller print"
    )
    dim: int | None = Field(
        None,
        ge=1,
        description="dimensions to cut vectors to, for encoders that are trained for it (Matryoshka)",
    )
    revision: str | None = Field(None, description="commit of the encoder's repository; the newest by default")
    trust_remote_code: bool = Field(
        False, description="run program code from the encoder's repository; needs a revision of 40 hex digits"
    )
    trust_scripts: bool = Field(
        False,
        description="run what an index names of a script, a folder with program code or a repository's code; in .env "
        "it does not count",
    )
    encoder_python: Path | None = Field(
        None, description="Python of the environment in which encoders run that need one of their own"
    )
    encoder_timeout: float = Field(
        600.0,
        gt=0,
        description="seconds that such an encoder may take to load, and for a batch of pages; on a server, for a page",
    )
    encoder_requests: int = Field(
        8, ge=1, le=256, description="requests that an encoder behind HTTP is sent at the same time"
    )
    encoder_dollars: float | None = Field(
        None, gt=0, description="US dollars that an encoder behind HTTP may cost in one run; then it ends"
    )
    encoder_batch: bool = Field(
        False, description="whether gemini-embedding-2 encodes pages in jobs, at half the price and within a day"
    )
    encoder_key: SecretStr | None = Field(
        None, description="key of an encoder's server that --encoder MODEL@URL names; goes to that address alone"
    )
    cohere_api_key: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("cohere_api_key", "COHERE_API_KEY", "CO_API_KEY", "PAGESIGHT_COHERE_API_KEY"),
        description="key of Cohere's service, for its encoders",
    )
    voyage_api_key: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("voyage_api_key", "VOYAGE_API_KEY", "PAGESIGHT_VOYAGE_API_KEY"),
        description="key of Voyage's service, for its encoders",
    )
    jina_api_key: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("jina_api_key", "JINA_API_KEY", "PAGESIGHT_JINA_API_KEY"),
        description="key of Jina's service, for its encoders",
    )
    nvidia_api_key: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("nvidia_api_key", "NVIDIA_API_KEY", "PAGESIGHT_NVIDIA_API_KEY"),
        description="key of NVIDIA's service, for its encoders",
    )


class DocumentSettings(SettingsGroup):
    """How pages are rendered and read."""

    renderer: Literal["pdfium", "poppler"] = Field(
        "pdfium", description="what renders PDF pages; poppler must be installed"
    )
    max_pixels: int = Field(
        40_000_000, ge=10_000, description="pixels of one picture at most; larger pages are rendered smaller"
    )
    ocr: bool = Field(True, description="read what pages show and their text layer lacks with RapidOCR")
    ocr_languages: str = Field(
        "auto",
        pattern=r"^[A-Za-z_]{2,}([ ,;+]+[A-Za-z_]{2,})*$",
        description="languages of scanned pages, such as ru,en; auto looks at their script. Others than Latin, Chinese "
        "and Japanese are read by Tesseract, where it is installed with their packs",
    )
    page_seconds: float = Field(
        60.0, gt=0, description="seconds that opening a document, or one of its pages, may take; then it is given up"
    )
    passwords: SecretStr | None = Field(None, description="passwords of PDFs and office files, one a line; never kept")
    password_file: Path | None = Field(None, description="file with more of them, one a line")
    conversion_seconds: float = Field(
        180.0, gt=0, description="seconds that making a PDF of an office file, a web page, a text or a mail may take"
    )
    download_seconds: float = Field(120.0, gt=0, description="seconds that fetching one file from an address may take")
    file_megabytes: int = Field(
        2000, ge=1, description="megabytes of one file at most; larger ones are refused, by name"
    )
    pages_per_document: int = Field(
        20_000, ge=1, description="pages of one document at most; longer ones are refused, by name"
    )
    image_pixels: int = Field(
        100_000_000,
        ge=10_000,
        le=178_000_000,
        description="pixels of an image at most; larger ones are refused, by name, before they are decoded",
    )
    reader_memory: int = Field(
        1000, ge=300, description="megabytes that each process which reads documents may take; not on macOS, Windows"
    )


class VectorSettings(SettingsGroup):
    """How a new index keeps page vectors."""

    precision: Literal["float16", "int8"] | None = Field(
        None,
        description="how a new index keeps page vectors: float16 if nothing is said, or int8, half as large",
    )
    pool: int | None = Field(
        None,
        ge=1,
        description="how many vectors of a page a new index pools into one, for less disk; 1 keeps all",
    )
    centroids: int = Field(32, ge=1, le=256, description="candidate vectors of a page, in the HNSW index")


_CANDIDATES, _CANDIDATES_MAPPED = 200, 400


class SearchSettings(SettingsGroup):
    """How broadly pages are searched for."""

    top_k: int = Field(5, ge=1, le=100, description="pages that a search returns")
    candidates: int | None = Field(
        None,
        ge=1,
        description="pages that are scored exactly, at most, when not all are: if not set, 400 in a folder, else 200",
    )
    hits_per_vector: int = Field(
        400, ge=1, le=16_384, description="candidate vectors that HNSW finds for each query vector"
    )
    ef: int = Field(800, ge=1, le=32_768, description="breadth of HNSW's search; more finds better ones, more slowly")
    exhaustive_below: int = Field(
        600,
        ge=0,
        description="index size in pages up to which every page is scored exactly, without HNSW candidates",
    )

    def most_candidates(self, *, mapped: bool = False) -> int:
        """Pages that are scored exactly, at most: as is set, or more where a folder's vectors are ``mapped``, since
        nothing is fetched there (docs/retrieval.md)."""
        return self.candidates or (_CANDIDATES_MAPPED if mapped else _CANDIDATES)


class RerankSettings(SettingsGroup):
    """A model that reads the words of the best pages beside the question, and puts them in order anew."""

    rerank: str | None = Field(
        None,
        description="text reranker of the best pages: a cross-encoder on the hub or in a folder, a service's model "
        "such as rerank-2.5, or MODEL@URL; none by default",
    )
    rerank_pages: int = Field(30, ge=2, le=200, description="best pages whose words the reranker reads")
    rerank_weight: float = Field(
        0.7, ge=0, le=1, description="the reranker's part in a page's score, beside that of the search"
    )
    rerank_revision: str | None = Field(None, description="commit of the reranker's repository; the newest by default")
    rerank_key: SecretStr | None = Field(
        None, description="key of a reranker's server that --rerank MODEL@URL names; goes to that address alone"
    )


class SharingSettings(SettingsGroup):
    """How processes share an index in a folder."""

    wait: float = Field(
        30.0, ge=0, description="seconds to wait for another process that writes to the same index in a folder"
    )
    documents_at: str | None = Field(
        None,
        description="where documents of indexes on a server lie for all machines: a folder that all see, "
        "s3://BUCKET/PREFIX or gs://BUCKET/PREFIX",
    )


class ReasonerSettings(SettingsGroup):
    """Which language model answers, and how long it is waited for."""

    reasoner: str = Field("auto", description="auto, offline, google_genai:MODEL or any other LangChain PROVIDER:MODEL")
    effort: Effort | None = Field(
        None, description="low, medium or high: searches, pages, thinking and more at once; what is set itself stays"
    )
    timeout: float = Field(
        120.0,
        gt=0,
        description="seconds to wait for the model's next word; a whole answer may take 7.5 times that",
    )
    max_retries: int = Field(4, ge=1, description="attempts at one model call, the first counted in")
    verify: Literal["off", "words", "looks"] = Field(
        "words",
        description="check each claim of a model's answer against the words of what it cites; with looks the model "
        "looks again, untold, where words cannot tell",
    )
    looks_per_question: int = Field(4, ge=0, description="such looks at most, each a model call; with verify=looks")
    look_dollars: float = Field(0.02, ge=0, description="US dollars that they may cost together; with verify=looks")
    longest_wait: float = Field(
        60.0, ge=0, description="seconds to wait at most when the service asks to wait; beyond it the run ends"
    )


class GeminiSettings(SettingsGroup):
    """Where Gemini is, and who asks it."""

    gemini_model: str = Field("gemini-3.8-flash", description="the Gemini model that auto takes")
    thinking_level: Thinking = Field(
        "default", description="how much Gemini 3 and later think before they answer; default leaves it to the model"
    )
    store_requests: bool = Field(
        False, description="let Gemini's service keep requests as the project's settings say; else it is told not to"
    )
    google_api_key: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("google_api_key", "GOOGLE_API_KEY", "GEMINI_API_KEY"),
        description="key of the Gemini API",
    )
    google_base_url: str | None = Field(
        None,
        validation_alias=AliasChoices("google_base_url", "GOOGLE_GEMINI_BASE_URL"),
        description="another address of the Gemini API",
    )
    vertex_project: str | None = Field(
        None,
        description="Google Cloud project: Gemini through Vertex AI, with its own credentials instead of a key",
    )
    # It becomes a part of the service's host, to which this machine's login goes.
    vertex_location: str = Field("global", pattern="^[a-z0-9-]{1,60}$", description="where Vertex AI runs the model")


class PictureSettings(SettingsGroup):
    """How page pictures look and travel to the model."""

    transport: Literal["auto", "bytes", "base64", "files"] = Field(
        "auto", description="how page pictures reach the model"
    )
    inline_limit: int = Field(
        95_000_000, ge=0, description="bytes of pictures in one request, in base64; auto uploads what is beyond"
    )
    bucket: str | None = Field(
        None, pattern=r"^gs://", description="gs://BUCKET/FOLDER that holds page pictures, for Vertex AI"
    )
    pages_as: Literal["picture", "pdf"] = Field(
        "picture", description="what a whole page is sent as; pdf is a PDF of this one page, for Gemini"
    )
    tiles_per_picture: int = Field(
        4,
        ge=1,
        le=16,
        description="tiles of 768 px that a picture may fill, for Gemini 2.x, where each costs 258 tokens, and others",
    )
    media_resolution: Literal["default", "low", "medium", "high"] = Field(
        "default", description="how closely Gemini looks at pictures; default leaves it to the model"
    )
    closer_regions: bool = Field(
        True,
        description="let Gemini 3 and later look at regions of small print at ultra high resolution, for 2,240 tokens",
    )


class BudgetSettings(SettingsGroup):
    """What one question, and one model call, may take."""

    images_per_call: int = Field(
        12, ge=1, le=3000, description="page pictures in one model call; older ones become a line of text"
    )
    image_tokens_per_call: int = Field(
        50_000, ge=258, description="tokens of the pictures in one model call, as the model's generation counts them"
    )
    pages_per_question: int = Field(16, ge=1, description="page pictures that the agent may look at for one question")
    searches_per_question: int = Field(8, ge=1, description="searches that the agent may make for one question")
    calls_per_question: int = Field(
        24, ge=2, description="model calls for one question; the last one has no tools and must answer"
    )
    samples_per_question: int = Field(
        1,
        ge=1,
        le=9,
        description="answers to the same pages, the agent's own counted in; others are short, and where they differ "
        "from it, it looks once more",
    )
    pages_per_cell: int = Field(3, ge=1, le=20, description="pages of each document that a sweep looks at")
    dollars_per_question: float | None = Field(
        None, gt=0, description="US dollars for one question by the price table; then the model must answer"
    )
    prices: dict[str, list[float]] | None = Field(
        None,
        description="US dollars per million tokens by model, [input, output, cached input]; beats the own table",
    )


class ServiceSettings(SettingsGroup):
    """What `pagesight serve-http` takes at a time, in each of its processes."""

    prefix: ClassVar[str] = "service_"

    questions: int = Field(
        16, ge=1, le=1000, description="questions that a process of the service answers at a time; others wait"
    )
    queue: int = Field(
        200, ge=0, description="questions that wait at most; further ones are refused, with when to retry"
    )
    seconds: float = Field(
        900.0, gt=0, description="seconds that the service gives a question, its waiting not counted"
    )
    upload_megabytes: int = Field(
        500, ge=1, description="megabytes of one upload to the service, all its files together"
    )
