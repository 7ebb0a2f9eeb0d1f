"""The fields of Gemini's requests by name: what stands in none of these tables the service refuses.

From https://ai.google.dev/api/generate-content, /api/caching and /api/files (v1beta), and for Vertex AI from its
reference of GenerateContentRequest. A field maps to the message that it holds, or to "" where its value is free.
"""

from __future__ import annotations

from gemini_wire import Json, camel_name

Fields = dict[str, str]


def _free(*names: str) -> Fields:
    return dict.fromkeys(names, "")


_MESSAGES: dict[str, Fields] = {
    "Request": {
        "contents": "Content",
        "systemInstruction": "Content",
        "tools": "Tool",
        "toolConfig": "ToolConfig",
        "safetySettings": "SafetySetting",
        "generationConfig": "GenerationConfig",
        **_free("model", "cachedContent", "store", "serviceTier", "continuationToken"),
    },
    "Content": {"parts": "Part", "role": ""},
    "Part": {
        "inlineData": "Blob",
        "fileData": "FileData",
        "functionCall": "FunctionCall",
        "functionResponse": "FunctionResponse",
        "mediaResolution": "MediaResolution",
        **_free("text", "thought", "thoughtSignature", "partMetadata", "videoMetadata"),
        **_free("executableCode", "codeExecutionResult", "toolCall", "toolResponse"),
    },
    "Blob": _free("mimeType", "data"),
    "FileData": _free("mimeType", "fileUri"),
    "FunctionCall": _free("id", "name", "args"),
    "FunctionResponse": {
        "parts": "FunctionResponsePart",
        **_free("id", "name", "response", "willContinue", "scheduling"),
    },
    "FunctionResponsePart": {"inlineData": "Blob", "fileData": "FileData", "mediaResolution": "MediaResolution"},
    "MediaResolution": _free("level"),
    "Tool": {
        "functionDeclarations": "FunctionDeclaration",
        **_free("googleSearch", "googleSearchRetrieval", "codeExecution", "urlContext", "fileSearch", "googleMaps"),
    },
    "FunctionDeclaration": {
        "parameters": "Schema",
        "response": "Schema",
        **_free("name", "description", "behavior", "parametersJsonSchema", "responseJsonSchema"),
    },
    "Schema": {
        "items": "Schema",
        "anyOf": "Schema",
        **_free("type", "format", "title", "description", "nullable", "enum", "maxItems", "minItems", "required"),
        **_free("properties", "minProperties", "maxProperties", "minLength", "maxLength", "pattern", "example"),
        **_free("propertyOrdering", "default", "minimum", "maximum"),
    },
    "ToolConfig": {"functionCallingConfig": "FunctionCallingConfig", **_free("retrievalConfig")},
    "FunctionCallingConfig": _free("mode", "allowedFunctionNames"),
    "SafetySetting": _free("category", "threshold"),
    "GenerationConfig": {
        "thinkingConfig": "ThinkingConfig",
        "responseSchema": "Schema",
        **_free("stopSequences", "responseMimeType", "responseJsonSchema", "responseModalities", "candidateCount"),
        **_free("maxOutputTokens", "temperature", "topP", "topK", "seed", "presencePenalty", "frequencyPenalty"),
        **_free("responseLogprobs", "logprobs", "speechConfig", "imageConfig", "mediaResolution"),
    },
    "ThinkingConfig": _free("includeThoughts", "thinkingBudget", "thinkingLevel"),
}
#: Vertex AI has labels and names of pictures, and no `store`.
_VERTEX: dict[str, Fields] = {
    "Request": {name: held for name, held in _MESSAGES["Request"].items() if name != "store"} | _free("labels"),
    "Blob": _MESSAGES["Blob"] | _free("displayName"),
    "FileData": _MESSAGES["FileData"] | _free("displayName"),
}
#: Version v1 knows no resolution of single parts.
_V1: dict[str, Fields] = {
    "Part": {name: held for name, held in _MESSAGES["Part"].items() if name != "mediaResolution"},
}


def unknown_field(body: Json, *, vertex: bool, v1: bool) -> str | None:
    """The first field that the service does not know, as "name at 'place'"; None if it knows them all."""
    messages = _MESSAGES | (_VERTEX if vertex else {}) | (_V1 if v1 and not vertex else {})
    return _unknown(body, "Request", "", messages)


def _unknown(value: object, message: str, place: str, messages: dict[str, Fields]) -> str | None:
    if isinstance(value, list):
        found = (_unknown(item, message, f"{place}[{number}]", messages) for number, item in enumerate(value))
        return next((one for one in found if one), None)
    if not isinstance(value, dict):
        return None
    for name, held in value.items():
        fault = _fault(name, held, message, place, messages)
        if fault:
            return fault
    return None


def _fault(name: str, held: object, message: str, place: str, messages: dict[str, Fields]) -> str | None:
    known = messages[message]
    if camel_name(name) not in known:
        return f"\"{name}\" at '{place or 'the request'}'"
    inner = f"{place}.{name}" if place else name
    if message == "Schema" and name == "properties" and isinstance(held, dict):
        return _unknown(list(held.values()), "Schema", inner, messages)
    kind = known[camel_name(name)]
    return _unknown(held, kind, inner, messages) if kind else None
