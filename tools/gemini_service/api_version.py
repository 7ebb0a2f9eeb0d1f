"""Which version of Gemini's API is spoken."""

from __future__ import annotations

#: The Files API and a resolution for each picture are in v1beta only (https://ai.google.dev/gemini-api/docs/files,
#: …/media-resolution). google-genai 2 took it by default, 3 takes v1, so it is named.
API_VERSION = "v1beta"
#: The same of Vertex AI.
VERTEX_API_VERSION = "v1beta1"
