"""The command line: reads arguments, calls the rooms, prints. Must not decide anything that a library caller needs."""

import signal
import sys

INTERRUPTED = 130


def main() -> None:
    """Run the command line and exit: 0 done, 1 an expectation failed, 2 wrong usage or unreadable input, 3 rejects."""
    try:
        # Loading takes a while, and Ctrl-C may come in the midst of it.
        from pipeline.cli.app import status

        code = status()
    except KeyboardInterrupt:
        code = INTERRUPTED
    # From here on there is nothing to take back, and nobody left to catch it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.exit(code)
