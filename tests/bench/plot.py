#!/usr/bin/env python3
"""plot.py FILE... --to FOLDER: draws the results of bench.py --json, with gnuplot, as PNG and as
SVG. Those of tests/bench/plots are drawn from figures.json there: minimum, median and maximum of
the recorded runs."""
import argparse
import json
import math
import os
import statistics
import subprocess

from bench import floors

# In the order in which they are drawn, each with its colour and its label.
PROGRAMS = {"floor": ("#57606a", "hand-written netlink (lower bound)"), "mvapply": ("#1a7f37", "mvapply"),
            "ip -batch": ("#0969da", "ip -batch"), "ip": ("#bc4c00", "ip"),
            "netavark": ("#8250df", "netavark"), "CNI macvlan": ("#cf222e", "CNI macvlan"),
            "Docker macvlan": ("#9a6700", "Docker macvlan")}
TITLES = {"apply": "A first apply", "nothing": "An apply with nothing to do",
          "delete": "A delete"}

WIDTH, HEIGHT, MARGINS = 1100, 480, 90  # in pixels
LABEL_HEIGHT = 17

SCRIPT = """
set terminal {terminal} size {width},{height} background "#ffffff"
set output "{output}"
set title "{title}: time from start to end (median; bars: least and most)"
set logscale xy
set xrange [{left}:{right}]
set yrange [{bottom}:{top}]
set rmargin 33
set xlabel "number of attachments, each in a network namespace of its own"
set ylabel "time (ms)"
set xtics nomirror
set ytics nomirror
set border 3
unset key
set grid linecolor "#d0d7de"
{labels}
plot {plots}
"""


def points(rows, work, program):
    """(size, median, minimum, maximum) of each size."""
    best = floors(rows)
    found = []
    for row in sorted(rows, key=lambda row: row["size"]):
        floor = program == "floor" and best.get((row["work"], row["size"])) is row
        if row["work"] == work and (row["program"] == program or floor):
            wall = row["wall"]
            found.append((row["size"], statistics.median(wall), min(wall), max(wall)))
    return found


def decade(value, up):
    return 10 ** (math.ceil if up else math.floor)(math.log10(value))


def label_heights(found, bottom, top):
    """The height of each line's label: that of the line's end, without overlaps at one size."""
    least = math.log10(top / bottom) * LABEL_HEIGHT / (HEIGHT - MARGINS)
    heights, below = {}, {}
    for name in sorted(found, key=lambda name: found[name][-1][1]):
        size, median, _, _ = found[name][-1]
        height = max(math.log10(median), below.get(size, -math.inf) + least)
        heights[name] = below[size] = height
    return {name: 10 ** height for name, height in heights.items()}


def draw(rows, work, folder):
    found = {name: points(rows, work, name) for name in PROGRAMS}
    found = {name: lines for name, lines in found.items() if lines}
    every = [point for lines in found.values() for point in lines]
    bottom, top = decade(min(point[2] for point in every), False), decade(max(point[3] for point in every), True)
    names = {name: "$data" + str(number) for number, name in enumerate(found)}
    data = "".join(f"{names[name]} << EOD\n" + "\n".join(" ".join(map(str, point)) for point in lines)
                   + "\nEOD\n" for name, lines in found.items())
    heights = label_heights(found, bottom, top)
    # At the line's end; a point without a line has it above.
    labels = "\n".join(f'set label "{PROGRAMS[name][1]}" at {lines[-1][0]},{heights[name]} '
                       f'{"left offset 1,0" if len(lines) > 1 else "center offset 0,1"} '
                       f'textcolor "{PROGRAMS[name][0]}"' for name, lines in found.items())
    plots = ", ".join(f'{names[name]} using 1:2:3:4 with yerrorlines linecolor "{PROGRAMS[name][0]}" '
                      "linewidth 1.5 pointtype 7 pointsize 0.5" for name in found)
    for terminal, ending in (("pngcairo", "png"), ("svg", "svg")):
        script = data + SCRIPT.format(
            terminal=terminal, width=WIDTH, height=HEIGHT, title=TITLES[work], labels=labels, plots=plots,
            left=min(point[0] for point in every) * 0.9, right=max(point[0] for point in every) * 1.1,
            bottom=bottom, top=top, output=os.path.join(folder, f"{work}.{ending}"))
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
