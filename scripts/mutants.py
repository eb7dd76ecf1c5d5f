"""Break the cleaner on purpose, and check that the hostile test notices.

Usage: python3 scripts/mutants.py [--registries N] [--only WORD] [--tree DIR]

The script makes each mutant of internal/hostile/testdata/mutants.txt in a copy of the
tree, and runs the hostile test there. A mutant is caught if the test finds a kind of
violation that it does not find in the tree itself. The exit status is 1 if a mutant
survives or cannot be made.

In the list, "# NAME" begins a mutant. A mutant has one or more changes. A change is
"@ FILE", the lines to replace, which begin with "-" and must be in the file once, and
the new lines, which begin with "+".
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
FIRST = re.compile(r"seed (\d+): \d+ violations.*? VIOLATION: ([^\n]*)", re.S)


def read_list(path):
    """Return the mutants: the name and the changes (file, old lines, new lines)."""
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
    """Make the changes. Return the earlier text of the files, and an error or None."""
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


def hostile(tree, registries, *flags):
    return subprocess.run(
        ["go", "test", "./internal/hostile", "-run=^TestHostile$", "-count=1", "-vet=off", "-timeout=20m", "-v",
         f"-registries={registries}", *flags],
        cwd=tree, capture_output=True, text=True, check=False)


def first_violation(tree, registries):
    """Return a text with the first violation and its seed, or None. The test ends with it."""
    found = FIRST.search(hostile(tree, registries).stdout)
    return found and f"{found[2]} (seed {found[1]})"


def violations(tree, registries):
    """Return the number of violations of each kind with the first seed, and an error or None."""
    run = hostile(tree, registries, "-survey")
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
        first = None if trouble or known else first_violation(tree, registries)
        if first:
            print(f"caught    {name}: {first}", flush=True)
            return True
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
