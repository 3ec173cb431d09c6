"""Runs the chart's tests and counts them; `--fix` writes the README's table instead."""

import sys
import unittest
from pathlib import Path

HERE = Path(__file__).parent


def main():
    sys.path.insert(0, str(HERE))
    if sys.argv[1:] == ["--fix"]:
        import table

        table.write()
        return 0
    pattern = sys.argv[1] if len(sys.argv) > 1 else "test_*.py"
    suite = unittest.defaultTestLoader.discover(str(HERE), pattern=pattern)
    result = unittest.TextTestRunner(verbosity=2, stream=sys.stdout).run(suite)
    # A test with several failing parts is one that failed.
    wrong = {getattr(test, "test_case", test).id() for test, _ in result.failures + result.errors}
    print(f"\n{result.testsRun - len(wrong)} passed, {len(wrong)} failed")
    return 0 if result.testsRun and not wrong else 1


if __name__ == "__main__":
    sys.exit(main())
