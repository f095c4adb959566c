#!/usr/bin/env python3
"""plot.py FILE... --to FOLDER: draws the results of --json of bench.py, attach.py and watch.py, with gnuplot, as PNG and
as SVG. Those of tests/bench/plots are drawn from figures.json there, which --figures writes: minimum, median and maximum
of the recorded runs."""
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
            "Docker macvlan": ("#9a6700", "Docker macvlan"), "the look": ("#0969da", "mvapply, nothing to do"),
            "mvapply, delete and apply": ("#cf222e", "mvapply, delete and apply")}
TITLES = {"apply": "A first apply", "nothing": "An apply with nothing to do",
          "added": "One attachment more", "widened": "Another prefix length for all",
          "renumbered": "Another subnet for all", "delete": "A delete",
          "delete with its VLAN": "A delete of a network with its VLAN link"}
SIZES = [0, 100, 1000]  # of attach.py

# Of attach.py: the work and the program of each line.
ATTACHED = {("attach", "CNI macvlan, static"): ("#cf222e", "CNI macvlan, static"),
            ("attach", "CNI macvlan, host-local"): ("#bc4c00", "CNI macvlan, host-local"),
            ("attach", "netavark"): ("#8250df", "netavark"),
            ("attach with a service", "mvapply cni"): ("#1a7f37", "mvapply with its service"),
            ("attach with a service", "mvapply cni, any address"): ("#9a6700", "mvapply with its service, any address"),
            ("attach", "mvapply cni"): ("#0969da", "mvapply alone"),
            ("attach", "mvapply cni, any address"): ("#57606a", "mvapply alone, any address")}

# Of watch.py.
SERVED = {"a link was deleted": ("#cf222e", "a repair of a deleted link"),
          "an address was deleted": ("#1a7f37", "a repair of a deleted address"),
          "a loopback flaps": ("#0969da", "10 s beside a flapping loopback"),
          "unrelated namespaces": ("#bc4c00", "10 s beside unrelated namespaces")}

# The lines of the memory plot: work, and label.
REMEMBERED = {"apply": ("#1a7f37", "first apply"), "nothing": ("#0969da", "nothing to do"),
              "delete": ("#cf222e", "delete")}

# Of `again`: each group of bars with the works of mvapply and of the others.
AGAIN_SIZE = 100
AGAIN = {"nothing has changed": ("nothing", "again"), "one link was deleted": ("repaired", "repaired"),
         "all get a wider subnet": ("widened", "again")}
AGAIN_PROGRAMS = ("mvapply", "ip -batch", "CNI macvlan")

AGAIN_SCRIPT = """
set terminal {terminal} size {width},{height} background "#ffffff"
set output "{output}"
set title "{size} attachments, applied again: time from start to end (median)"
set style data histogram
set style histogram clustered gap 1
set style fill solid 0.9 noborder
set boxwidth 0.9
set logscale y
set xrange [-0.5:{right}]
set yrange [1:{top}]
set ylabel "time (ms)"
set border 3
set xtics nomirror
set ytics nomirror
set grid ytics linecolor "#d0d7de"
set key outside top center horizontal reverse Left
plot {plots}
"""

WIDTH, HEIGHT, MARGINS = 1100, 480, 90  # in pixels
LABEL_HEIGHT = 17

SCRIPT = """
set terminal {terminal} size {width},{height} background "#ffffff"
set output "{output}"
set title "{title} (median; bars: least and most)"
set logscale {logarithmic}
set xrange [{left}:{right}]
set yrange [{bottom}:{top}]
set rmargin 33
set xlabel "{across}"
set ylabel "{up}"
set xtics nomirror {places}
set ytics nomirror
set border 3
unset key
set grid linecolor "#d0d7de"
{labels}
plot {plots}
"""


def points(rows, work, program, key="wall"):
    """(size, median, minimum, maximum) of each size."""
    best = floors(rows)
    found = []
    for row in sorted(rows, key=lambda row: row["size"]):
        floor = program == "floor" and best.get((row["work"], row["size"])) is row
        if row["work"] == work and (row["program"] == program or floor):
            found.append((row["size"], statistics.median(row[key]), min(row[key]), max(row[key])))
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


def attached_points(rows, work, program):
    """The same of the processor time; the sizes are places, as the first one is 0."""
    return [(SIZES.index(row["size"]), statistics.median(row["cpu"]), min(row["cpu"]), max(row["cpu"])) for row in rows
            if (row["work"], row["program"]) == (work, program)]


def draw_attached(rows, folder):
    found = {key: attached_points(rows, *key) for key in ATTACHED}
    draw(found, ATTACHED, folder, "attach", logarithmic="y", left=-0.1, right=len(SIZES) - 0.9,
         title="One container attached by the CNI plugin: processor time", up="processor time (ms)",
         across="number of other attachments on the host",
         places="(" + ", ".join(f'"{size:,}" {place}' for place, size in enumerate(SIZES)) + ")")


def draw_sizes(found, styles, folder, name, **settings):
    """Against the number of attachments, both logarithmic."""
    sizes = [line[0] for lines in found.values() for line in lines]
    draw(found, styles, folder, name, logarithmic="xy", left=min(sizes) * 0.9, right=max(sizes) * 1.1, places="",
         across="number of attachments, each in a network namespace of its own", **settings)


def draw_service(rows, folder):
    draw_sizes({what: points(rows, "service", what, "cpu") for what in SERVED}, SERVED, folder, "service",
               title="The service: processor time", up="processor time (ms)")


def draw_memory(rows, folder):
    rows = [{**row, "mib": [kib / 1024 for kib in row["kib"]]} for row in rows if any(row.get("kib", ()))]
    draw_sizes({work: points(rows, work, "mvapply", "mib") for work in REMEMBERED}, REMEMBERED, folder, "memory",
               title="mvapply: peak memory", up="memory (MiB)")


def draw_again(rows, folder):
    """What mvapply does in place, beside the others' only way: delete and create again."""
    drawn = {work for works in AGAIN.values() for work in works}
    medians = {(row["work"], row["program"]): statistics.median(row["wall"]) for row in rows
               if row["size"] == AGAIN_SIZE and row["work"] in drawn}
    found = {program: [medians[works[program != "mvapply"], program] for works in AGAIN.values()]
             for program in AGAIN_PROGRAMS if ("again" if program != "mvapply" else "nothing", program) in medians}
    data = "$data << EOD\n" + "\n".join(
        f'"{group}" ' + " ".join(str(values[number]) for values in found.values())
        for number, group in enumerate(AGAIN)) + "\nEOD\n"
    bars = [f'$data using {column}:xtic(1) linecolor "{PROGRAMS[program][0]}" title '
            f'"{program}{"" if program == "mvapply" else ": delete and create"}"'
            for column, program in enumerate(found, 2)]
    # The values above the bars; a group takes as much as its bars and the gap.
    width = 1 / (len(found) + 1)
    texts = [f'$data using ($0+{(column - 2 - (len(found) - 1) / 2) * width}):{column}:'
             f'(sprintf("%.0f ms", ${column})) with labels offset 0,0.6 notitle'
             for column in range(2, len(found) + 2)]
    for terminal, ending in (("pngcairo", "png"), ("svg", "svg")):
        script = data + AGAIN_SCRIPT.format(
            terminal=terminal, width=WIDTH, height=HEIGHT, size=AGAIN_SIZE,
            right=len(AGAIN) - 0.5, plots=", ".join(bars + texts),
            top=decade(max(map(max, found.values())) * 2, True), output=os.path.join(folder, f"again.{ending}"))
        subprocess.run(["gnuplot"], input=script.encode(), check=True)


def draw_work(rows, work, folder):
    found = {name: points(rows, work, name) for name in PROGRAMS}
    draw_sizes(found, PROGRAMS, folder, work.replace(" ", "-"), title=f"{TITLES[work]}: time from start to end",
               up="time (ms)")


def draw(found, styles, folder, name, **settings):
    """`found`: the points of each line."""
    found = {line: values for line, values in found.items() if values}
    every = [point for lines in found.values() for point in lines]
    bottom, top = decade(min(point[2] for point in every), False), decade(max(point[3] for point in every), True)
    names = {line: "$data" + str(number) for number, line in enumerate(found)}
    data = "".join(f"{names[line]} << EOD\n" + "\n".join(" ".join(map(str, point)) for point in values)
                   + "\nEOD\n" for line, values in found.items())
    heights = label_heights(found, bottom, top)
    # At the line's end; a point without a line has it above.
    labels = "\n".join(f'set label "{styles[line][1]}" at {values[-1][0]},{heights[line]} '
                       f'{"left offset 1,0" if len(values) > 1 else "center offset 0,1"} '
                       f'textcolor "{styles[line][0]}"' for line, values in found.items())
    plots = ", ".join(f'{names[line]} using 1:2:3:4 with yerrorlines linecolor "{styles[line][0]}" '
                      "linewidth 1.5 pointtype 7 pointsize 0.5" for line in found)
    for terminal, ending in (("pngcairo", "png"), ("svg", "svg")):
        script = data + SCRIPT.format(
            terminal=terminal, width=WIDTH, height=HEIGHT, labels=labels, plots=plots,
            bottom=bottom, top=top, output=os.path.join(folder, f"{name}.{ending}"), **settings)
        subprocess.run(["gnuplot"], input=script.encode(), check=True)


def figures(rows):
    """Minimum, median and maximum of all samples."""
    return [{key: [round(figure(value), 2) for figure in (min, statistics.median, max)] if isinstance(value, list)
             else value for key, value in row.items()} for row in rows]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+")
    parser.add_argument("--to", default=".", metavar="FOLDER")
    parser.add_argument("--figures", metavar="FILE", help="where to write the rows, reduced to three samples each")
    options = parser.parse_args()
    rows = []
    for path in options.files:
        with open(path, encoding="utf-8") as file:
            rows += json.load(file)["rows"]
    os.makedirs(options.to, exist_ok=True)
    if options.figures:
        with open(options.figures, "w", encoding="utf-8") as file:
            file.write('{"rows": [\n' + ",\n".join(map(json.dumps, figures(rows))) + "\n]}\n")
    for work in TITLES:
        if any(row["work"] == work for row in rows):
            draw_work(rows, work, options.to)
    if any(row["work"] == "again" and row["size"] == AGAIN_SIZE for row in rows):
        draw_again(rows, options.to)
    if any(row["work"] == "attach" for row in rows):
        draw_attached(rows, options.to)
    if any(row["work"] == "service" for row in rows):
        draw_service(rows, options.to)
    if any(row["work"] == "apply" and row.get("kib") for row in rows):
        draw_memory(rows, options.to)


if __name__ == "__main__":
    main()
