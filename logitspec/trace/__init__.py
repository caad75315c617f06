"""What a run did: tree, acceptance, records of steps, files, numbers."""
