"""The page: layout, event handlers and the player as a Gradio component."""
