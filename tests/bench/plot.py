#!/usr/bin/env python3
"""plot.py FILE... --to FOLDER: draws what bench.py --json kept, with gnuplot, as PNG and as SVG."""
import argparse
import json
import os
import statistics
import subprocess

from bench import floors

# In the order in which they are drawn, each with gnuplot's number of a colour.
PROGRAMS = {"floor": 1, "mvapply": 2, "ip -batch": 3, "ip": 4, "netavark": 5, "CNI macvlan": 6,
            "Docker macvlan": 7}
TITLES = {"apply": "A first apply", "nothing": "An apply with nothing to do",
          "delete": "A delete"}

SCRIPT = """
set terminal {terminal} size 760,460
set output "{output}"
set title "{title}: milliseconds from start to end (median; least and most)"
set logscale xy
set xlabel "attachments, each in a namespace of its own"
set ylabel "ms"
set key left top
set grid
plot {plots}
"""


def points(rows, work, program):
    best = floors(rows)
    for row in sorted(rows, key=lambda row: row["size"]):
        floor = program == "floor" and best.get((row["work"], row["size"])) is row
        if row["work"] == work and (row["program"] == program or floor):
            wall = row["wall"]
            yield f"{row['size']} {statistics.median(wall)} {min(wall)} {max(wall)}"


def draw(rows, work, folder):
    found = {name: list(points(rows, work, name)) for name in PROGRAMS}
    found = {name: lines for name, lines in found.items() if lines}
    data = "".join(f"${name.translate({32: '_', 45: '_'})} << EOD\n" + "\n".join(lines) + "\nEOD\n"
                   for name, lines in found.items())
    plots = ", ".join(f"${name.translate({32: '_', 45: '_'})} using 1:2:3:4 with yerrorlines "
                      f'linetype {PROGRAMS[name]} title "{name}"' for name in found)
    for terminal, ending in (("pngcairo", "png"), ("svg", "svg")):
        script = data + SCRIPT.format(terminal=terminal, title=TITLES[work], plots=plots,
                                      output=os.path.join(folder, f"{work}.{ending}"))
        subprocess.run(["gnuplot"], input=script.encode(), check=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--to", default=".", metavar="FOLDER")
    options = parser.parse_args()
    rows = []
    for path in options.files:
        with open(path, encoding="utf-8") as file:
            rows += json.load(file)["rows"]
    os.makedirs(options.to, exist_ok=True)
    for work in TITLES:
        if any(row["work"] == work for row in rows):
            draw(rows, work, options.to)


if __name__ == "__main__":
    main()
