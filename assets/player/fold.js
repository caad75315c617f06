/* Long prompts, folded. */
