"""The README's table of values, from values.yaml and the comments in it."""

import re

import yaml

import chart

README = chart.CHART / "README.md"
BEGIN, END = "<!-- values: begin -->\n", "<!-- values: end -->"


def rows():
    """Path, default and description of every value, in the file's order."""
    text = (chart.CHART / "values.yaml").read_text()
    found, missing, path, comment = [], [], [], None
    for line in text.splitlines():
        if match := re.match(r"\s*# -- (.*)$", line):
            comment = match[1]
            continue
        match = re.match(r"^( *)([A-Za-z][\w.-]*):(.*)$", line)
        if not match:
            comment = None if line.strip().startswith("#") else comment
            continue
        path = path[: len(match[1]) // 2] + [match[2]]
        if comment:
            found.append((list(path), comment))
        elif match[3].strip():
            missing.append(".".join(path))
        comment = None
    described = [path for path, _ in found]
    # What is inside a value that has a row needs none.
    missing = [m for m in missing if not any(m.split(".")[: len(p)] == p for p in described)]
    values = yaml.safe_load(text)
    return [(".".join(p), default(values, p), c) for p, c in found], missing


def default(values, path):
    for key in path:
        values = values[key]
    text = yaml.safe_dump(values, default_flow_style=True, width=10_000, sort_keys=False)
    return text.replace("\n...\n", "").strip()


def markdown():
    lines = ["| value | default | |", "|---|---|---|"]
    for path, value, comment in rows()[0]:
        lines.append(f"| `{path}` | `{value}` | {comment.replace('|', chr(92) + '|')} |")
    return "\n".join(lines) + "\n"


def parts():
    text = README.read_text()
    before, rest = text.split(BEGIN)
    table, after = rest.split(END)
    return before, table, after


def write():
    before, _, after = parts()
    README.write_text(before + BEGIN + markdown() + END + after)
