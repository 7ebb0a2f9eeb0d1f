"""The language models that reason: Gemini, any other of LangChain, or the quoting reasoner."""
