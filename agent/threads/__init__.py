"""Kept conversations: what is read of them and how, for the chat and for the service."""
