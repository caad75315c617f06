"""The command `deploy`, which creates or updates the Hugging Face Space that the Spacefile describes.

Spacefile + files here -> description --\
                                         > plan -> what differs is printed, and without --dry-run sent
the Space as it is     -> state       --/
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import Any

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi, get_token
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, RepositoryNotFoundError
from huggingface_hub.hf_api import RepoFile
from huggingface_hub.utils import disable_progress_bars  # type: ignore[attr-defined]

from logitspec.errors import LogitSpecError
from logitspec.paths import ROOT
from logitspec.publish.deploy_plan import Plan, SpaceState, plan
from logitspec.publish.spacefile import Space, contents, read


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The Space, its hardware, and whether anything is sent."""
    parser.add_argument("--space", help="owner/name (default: yours, named as in the Spacefile)")
    parser.add_argument("--hardware", help="one that the Spacefile names (default: its first)")
    parser.add_argument("--private", action="store_true", help="create it private")
    parser.add_argument(
        "--renew-secrets", action="store_true", help="also send secrets that the Space already has"
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="print what would be sent, and send nothing"
    )


def run(options: argparse.Namespace) -> None:
    """Compare the Space with what the Spacefile says, and send what differs."""
    space = read(ROOT)
    hardware = space.on(options.hardware)
    files = contents(space, ROOT, hardware)
    secrets = _secrets(space, optional=options.dry_run)
    disable_progress_bars()  # so that an error has a line of its own
    api = HfApi()
    if options.dry_run and get_token() is None and options.space is None:
        name, state = f"(you)/{space.name}", SpaceState()
        print("There is no token, so the Space's state is unknown; this is the plan for a new one:")
    else:
        name = options.space or _default_name(api, space.name)
        if "/" not in name:  # a valid name for the client, but of nobody's Space
            raise _no_name(name)
        state = _call(name, _fetch_state, api, name, options.dry_run)
    todo = plan(name, space, hardware, files, secrets, state, options.renew_secrets)
    print("\n".join(todo.lines()))
    if options.dry_run:
        print("Nothing was sent.")
    elif todo.empty:
        print(f"{name} is up to date.")
    else:
        _call(name, _carry_out, api, todo, space, options.private)


def _secrets(space: Space, optional: bool) -> dict[str, str]:
    """The values of the secrets that the environment has, by name.

    Raises LogitSpecError for a required secret without a value, unless `optional`.
    """
    values = {each.name: os.environ.get(each.source, "") for each in space.secrets}
    for each in space.secrets:
        if each.required and not values[each.name] and not optional:
            raise LogitSpecError(
                f"The secret {each.name} has no value; set {each.source} in the environment."
            )
    return {name: value for name, value in values.items() if value}


def _default_name(api: HfApi, name: str) -> str:
    if get_token() is None:
        raise LogitSpecError(
            "There is no Hugging Face token; set HF_TOKEN to one that may write, or run `hf auth login`."
        )
    return f"{_call(name, api.whoami)['name']}/{name}"


def _fetch_state(api: HfApi, name: str, public: bool) -> SpaceState:
    """The Space as it is. public: without a token skip the settings, which only its owner can read."""
    try:
        commit = api.space_info(name).sha
    except RepositoryNotFoundError:
        return SpaceState()
    tree = api.list_repo_tree(name, recursive=True, repo_type="space", revision=commit)
    files = {
        each.path: each.lfs.sha256 if each.lfs else each.blob_id
        for each in tree
        if isinstance(each, RepoFile)
    }
    if public and get_token() is None:
        return SpaceState(True, commit, files)
    runtime = api.get_space_runtime(name)
    return SpaceState(
        exists=True,
        commit=commit,
        files=files,
        variables={key: each.value for key, each in api.get_space_variables(name).items()},
        secrets=frozenset(api.get_space_secrets(name)),
        hardware=runtime.requested_hardware or runtime.hardware,
        sleep_seconds=runtime.sleep_time,
    )


def _carry_out(api: HfApi, todo: Plan, space: Space, private: bool) -> None:
    """Apply a plan, settings first, so that the first build has them. A plan that failed halfway can be applied again."""
    name = todo.space
    if todo.create:
        sdk = space.front_matter["sdk"]
        api.create_repo(name, repo_type="space", space_sdk=sdk, private=private, exist_ok=True)
    for key, value in todo.variables.items():
        api.add_space_variable(name, key, value)
    for key in todo.drop_variables:
        api.delete_space_variable(name, key)
    for key, value in todo.secrets.items():
        api.add_space_secret(name, key, value)
    hardware, seconds = todo.hardware, todo.sleep_seconds
    if hardware is not None:
        try:
            api.request_space_hardware(name, hardware.name, sleep_time=seconds)  # type: ignore[arg-type]
        except HfHubHTTPError as error:
            raise _hardware_refusal(hardware.name, error) from error
    elif seconds is not None:
        api.set_space_sleep_time(name, seconds)
    _send(api, todo)
    print(f"{api.endpoint}/spaces/{name} is {api.get_space_runtime(name).stage}.")


def _send(api: HfApi, todo: Plan) -> None:
    operations: list[Any] = [
        CommitOperationAdd(path, str(each) if isinstance(each, Path) else each)
        for path, each in todo.add.items()
    ]
    operations += [CommitOperationDelete(path) for path in todo.delete]
    if operations:
        api.create_commit(
            todo.space,
            operations,
            commit_message="Deploy",
            repo_type="space",
            parent_commit=todo.commit,
        )


def _call(name: str, call: Any, *arguments: Any) -> Any:
    """What `call` returns; a refusal by the hub, or a broken connection, becomes a LogitSpecError of one sentence."""
    try:
        return call(*arguments)
    except LogitSpecError:
        raise
    except HFValidationError as error:
        raise _no_name(name) from error
    except HfHubHTTPError as error:
        raise _refusal(name, error.response.status_code) from error
    except Exception as error:  # whatever the client and its HTTP library raise
        if isinstance(error.__cause__, HfHubHTTPError):
            raise _refusal(name, error.__cause__.response.status_code) from error
        raise _failure(name, error) from error


def _no_name(name: str) -> LogitSpecError:
    return LogitSpecError(f"{name!r} is not a Space name; write it as owner/name.")


def _hardware_refusal(name: str, error: HfHubHTTPError) -> LogitSpecError:
    status = error.response.status_code
    if status == 402:
        return LogitSpecError(
            f"The hardware {name} is not in this account's plan; choose another with --hardware."
        )
    if status == 400:
        return LogitSpecError(
            f"Hugging Face has no hardware {name!r} for this Space; choose another with --hardware."
        )
    return _refusal(name, status)


def _refusal(name: str, status: int) -> LogitSpecError:
    if status == 401:
        return LogitSpecError(
            "Hugging Face does not accept this token; set HF_TOKEN to a new one that may write."
        )
    if status == 403:
        return LogitSpecError(
            f"This token may not write to {name}; use one that may, or choose another name with --space."
        )
    if status == 412:
        return LogitSpecError(f"{name} has changed in the meantime; run the command again.")
    return LogitSpecError(f"The hub answered with error {status} about {name}; try again later.")


def _failure(name: str, error: Exception) -> LogitSpecError:
    return LogitSpecError(
        f"{name} could not be reached or finished ({type(error).__name__}); check the connection and"
        " run it again: it continues with what is missing."
    )
