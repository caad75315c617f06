"""The built-in language model: its corpus, its tokenizer, its training and its evaluation."""
