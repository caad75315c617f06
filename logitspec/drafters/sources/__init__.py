"""What methods draw drafts from: n-grams, suffixes, logits, and how far each can be trusted."""
