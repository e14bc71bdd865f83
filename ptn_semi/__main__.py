"""All commands in one: `ptn-semi train` and `python -m ptn_semi train` run `ptn_semi.train`."""

import importlib
import runpy
import sys

from ptn_semi.utils import cli

COMMANDS = ("train", "evaluate", "reconstruct", "demo", "export", "tune", "build_data", "render")


def main() -> None:
    """Run the command that the first argument names."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name in ("--help", "-h", "help"):
        with cli.output_may_close():
            print("ptn-semi COMMAND --flag=value ..., with one of these commands:\n")
            for command in COMMANDS:
                help_text = importlib.import_module(f"ptn_semi.{command}").__doc__ or ""
                print(f"  {command:12}{help_text.partition(': `')[0]}")
            print("\nptn-semi COMMAND --help lists a command's flags.")
        return
    if name not in COMMANDS:
        given = f"{name} is not a command" if name else "no command was given"
        sys.exit(f"error: {given}: give one of {', '.join(COMMANDS)}")
    del sys.argv[1]
    runpy.run_module(f"ptn_semi.{name}", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
