"""Break the cleaner on purpose, and see that the hostile test notices.

Usage: python3 scripts/mutants.py [--registries N] [--only WORD] [--tree DIR]

Each mutant of internal/hostile/testdata/mutants.txt is made in a copy of the
tree, and the hostile test counts the violations that it finds there. A mutant
is caught when there is a kind of violation that the tree itself does not have.
The status is 1 when a mutant survives or cannot be made.

The list: "# NAME" begins a mutant. It has one change or more, each of "@ FILE",
the lines to be replaced, which begin with "-" and must be in the file once, and
the lines to put in their place, which begin with "+".
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LIST = "internal/hostile/testdata/mutants.txt"
VIOLATION = re.compile(r"^ *(\d+) VIOLATION: (.*) \(first seed (\d+)\)$", re.M)


def read_list(path):
    """Return the mutants: a name and changes of file, old and new text."""
    mutants = []
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            line = line.rstrip("\n")
            if line.startswith("# "):
                mutants.append((line[2:], []))
            elif line.startswith("@ "):
                mutants[-1][1].append([line[2:], [], []])
            elif line.startswith("-"):
                mutants[-1][1][-1][1].append(line[1:])
            elif line.startswith("+"):
                mutants[-1][1][-1][2].append(line[1:])
    return mutants


def change(tree, changes):
    """Make the changes and return what the files were before, or an error."""
    before = {}
    for name, old, new in changes:
        path = os.path.join(tree, name)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        before.setdefault(path, text)
        wanted = "\n".join(old) + "\n"
        if text.count(wanted) != 1:
            return before, f"the lines are {text.count(wanted)} times in {name}: {old[0].strip()}"
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(wanted, "".join(line + "\n" for line in new)))
    return before, None


def restore(before):
    for path, text in before.items():
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)


def violations(tree, registries):
    """Return how many violations of each kind there are, and the first seeds."""
    run = subprocess.run(
        ["go", "test", "./internal/hostile", "-count=1", "-vet=off", "-timeout=20m", "-v", "-survey", f"-registries={registries}"],
        cwd=tree, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        return None, (run.stdout + run.stderr)[:2000]
    return {kind: (int(n), seed) for n, kind, seed in VIOLATION.findall(run.stdout)}, None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--registries", type=int, default=20000)
    parser.add_argument("--only", default="", help="only mutants with this in their name")
    parser.add_argument("--tree", default=ROOT)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        tree = os.path.join(temporary, "tree")
        shutil.copytree(arguments.tree, tree, ignore=shutil.ignore_patterns(".git", "dist"))
        known, trouble = violations(tree, arguments.registries)
        if trouble:
            sys.exit(f"the tree itself: {trouble}")
        print(f"the tree itself: {len(known)} kinds of violations")
        bad = 0
        for name, changes in read_list(os.path.join(ROOT, LIST)):
            if arguments.only not in name:
                continue
            bad += not caught(tree, name, changes, known, arguments.registries)
    print(f"{bad} mutants survived")
    sys.exit(bad > 0)


def caught(tree, name, changes, known, registries):
    before, trouble = change(tree, changes)
    try:
        found, trouble = (None, trouble) if trouble else violations(tree, registries)
    finally:
        restore(before)
    if trouble:
        print(f"BROKEN    {name}: {trouble}", flush=True)
        return False
    new = sorted(((n, kind, seed) for kind, (n, seed) in found.items() if n > 2 * known.get(kind, (0, 0))[0] + 2 * (kind in known)), reverse=True)
    if not new:
        print(f"SURVIVED  {name}", flush=True)
        return False
    n, kind, seed = new[0]
    print(f"caught    {name}: {n} x {kind} (seed {seed})", flush=True)
    return True


if __name__ == "__main__":
    main()
