"""Prompts that a person picks in an MCP client: they tell a language model what to do with the tools."""

from __future__ import annotations

from dataclasses import dataclass

from mcp import types

from logitspec.errors import LogitSpecError

EXAMPLE = "Write a short story about a fox and a bridge."
PROMPT = types.PromptArgument(
    name="prompt",
    description=f"The text for the model; “{EXAMPLE}” if none is given.",
    required=False,
)


@dataclass(frozen=True, slots=True)
class Recipe:
    """A prompt of an MCP server. text: with {prompt} where the person's own goes."""

    name: str
    title: str
    about: str
    text: str

    def describe(self) -> types.Prompt:
        """The entry in a client's list of prompts."""
        return types.Prompt(
            name=self.name, title=self.title, description=self.about, arguments=[PROMPT]
        )

    def fill(self, arguments: dict[str, str]) -> types.GetPromptResult:
        """The message for the language model; LogitSpecError for an argument that is not `prompt`."""
        if unknown := [name for name in arguments if name != PROMPT.name]:
            raise LogitSpecError(f"{self.name} takes no {unknown[0][:80]}; it takes prompt.")
        text = self.text.replace("{prompt}", arguments.get("prompt") or EXAMPLE)
        content = types.TextContent(type="text", text=text)
        return types.GetPromptResult(
            description=self.about, messages=[types.PromptMessage(role="user", content=content)]
        )


_RECIPES = (
    Recipe(
        "watch_a_run",
        "Watch a run",
        "Run a prompt with speculative decoding and learn from its steps how it works.",
        "Call generate_text with this prompt: “{prompt}”. Then explain two of its steps with explain_step: one"
        " that brought several tokens, and one that brought a single one. Say in plain words what was drafted, where"
        " the drafts came from and why the model accepted or rejected them, and give me the player's link.",
    ),
    Recipe(
        "race_the_methods",
        "Race the methods",
        "Compare decoding methods on a prompt and say what the difference comes from.",
        "Call compare_methods with the methods autoregressive, prompt_lookup, logitspec_paper and logitspec on"
        " this prompt: “{prompt}”. Say whether all wrote the same, which was the fastest and which needed the fewest"
        " forward passes; where these are not the same, say why. Give me the players' links.",
    ),
)
RECIPES = {each.name: each for each in _RECIPES}
