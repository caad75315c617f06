"""The one decoding loop, races, and what they ask of a target model."""
