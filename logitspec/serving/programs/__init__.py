"""Tools for programs: over MCP, and over Gradio's API."""
