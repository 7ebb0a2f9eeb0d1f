"""The loop of model and tools: each call of the model, what comes after it, and who is spoken to how."""
