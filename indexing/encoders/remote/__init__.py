"""Encoders behind HTTP: a server of one's own (vLLM), or a service that is paid by the page."""
