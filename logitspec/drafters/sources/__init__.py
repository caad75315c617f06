"""Sources that methods draft from: n-grams, suffixes, logits, and how far each can be trusted."""
