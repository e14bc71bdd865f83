"""Files of repositories on the Hugging Face Hub, which are named as hf://user/name."""

import functools
import os
import pathlib
import re

from ptn_semi.utils.errors import UserError, first_line

_ADDRESS = re.compile(r"hf://([\w.-]+/[\w.-]+)")


def is_address(path: str | os.PathLike) -> bool:
    """Return whether this names a repository on the Hub, and not a local path."""
    return os.fspath(path).startswith("hf://")


@functools.cache  # commands check a model and then load it
def download(address: str, names: tuple[str, ...]) -> pathlib.Path:
    """Return the local folder with some files of a repository, which are downloaded if need be.

    They stay in the cache of huggingface_hub, which is used where there is no network.

    Raises:
      UserError: if the address is wrong, there is no such repository or it has no such files, they
        are neither in the cache nor can be downloaded, or huggingface_hub is not installed.
    """
    named = _ADDRESS.fullmatch(address)
    if not named:
        raise UserError(f"{address} does not name a repository: write hf://user/model")
    try:
        import huggingface_hub
        from huggingface_hub import errors
    except ImportError as error:
        raise UserError(f"{address} needs huggingface_hub: pip install 'ptn_semi[hub]'") from error
    try:
        folder = pathlib.Path(
            huggingface_hub.snapshot_download(named[1], allow_patterns=list(names))
        )
    except errors.RepositoryNotFoundError as error:  # also if it is private or gated
        raise UserError(
            f"{address} does not exist or is not open to you: correct the name, or log in with "
            "hf auth login"
        ) from error
    except errors.LocalEntryNotFoundError as error:
        raise UserError(
            f"{address} cannot be reached and has not been downloaded before: connect to the "
            "network, and leave HF_HUB_OFFLINE unset"
        ) from error
    except Exception as error:  # of whichever HTTP library it uses
        raise UserError(
            f"{address} could not be downloaded ({first_line(error)}): try again later"
        ) from error
    missing = [name for name in names if not (folder / name).exists()]
    if missing:
        raise UserError(
            f"{address} holds no {missing[0]}: name a repository of what ptn_semi.export "
            "--format=pretrained wrote"
        )
    return folder
