"""A language model behind an OpenAI-compatible server: asked with bounded waits, its replies taken apart."""
