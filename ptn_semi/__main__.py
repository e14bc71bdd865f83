"""All commands in one: `ptn-semi train` and `python -m ptn_semi train` run `ptn_semi.train`."""

import importlib
import runpy
import sys

COMMANDS = ("train", "evaluate", "reconstruct", "demo", "export", "tune", "build_data", "render")


def usage() -> str:
    """Return a list of the commands, each with the first line of its help."""
    lines = ["ptn-semi COMMAND --flag=value ..., with one of these commands:", ""]
    for name in COMMANDS:
        help_text = importlib.import_module(f"ptn_semi.{name}").__doc__ or ""
        lines.append(f"  {name:12}{help_text.splitlines()[0].partition(': `')[0]}")
    return "\n".join([*lines, "", "ptn-semi COMMAND --help lists a command's flags."])


def main() -> None:
    """Run the command that the first argument names."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name in ("--help", "-h", "help"):
        print(usage())
        return
    if name not in COMMANDS:
        given = f"{name} is not a command" if name else "no command was given"
        sys.exit(f"error: {given}: give one of {', '.join(COMMANDS)}")
    del sys.argv[1]
    runpy.run_module(f"ptn_semi.{name}", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
