"""Scatter and line plots as small SVG files, for the documents: a common look, no library."""

import math
from xml.sax.saxutils import escape

COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"]
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 380, 64, 130, 16, 52


def ticks(low, high, log):
    if log:
        marks = [m * 10.0**e for e in range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1) for m in (1, 2, 5)]
    else:
        step = 10.0**math.floor(math.log10(max(high - low, 1e-12)))
        step = next(s for s in (step / 5, step / 2, step, 2 * step) if (high - low) / s <= 7)
        marks = [i * step for i in range(math.floor(low / step), math.ceil(high / step) + 1)]
    return [m for m in marks if low <= m <= high]


def plot(path, title, x_title, y_title, series, log_x=False, lines=True):
    """series: {name: [(x, y, spread)]}; spread may be 0. Values that are None (a run that broke) are left out. Without lines x
    only sets the series apart."""
    points = [p for values in series.values() for p in values if p[1] is not None]
    if not points:
        return
    xs, lows, highs = [p[0] for p in points], [p[1] - p[2] for p in points], [p[1] + p[2] for p in points]
    x_low, x_high = (min(xs) / 1.15, max(xs) * 1.15) if log_x else (min(xs) - 0.03 * (max(xs) - min(xs)), max(xs) + 0.03 * (max(xs) - min(xs)))
    margin = 0.05 * (max(highs) - min(lows) or 1)
    y_low, y_high = min(lows) - margin, max(highs) + margin

    def x_at(x):
        share = math.log(x / x_low) / math.log(x_high / x_low) if log_x else (x - x_low) / (x_high - x_low)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y_at(y):
        return HEIGHT - BOTTOM - (y - y_low) / (y_high - y_low) * (HEIGHT - TOP - BOTTOM)

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="sans-serif" font-size="12">',
           f"<title>{escape(title)}</title>", '<rect width="100%" height="100%" fill="#fff"/>']
    for y in ticks(y_low, y_high, False):
        out.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y_at(y):.1f}" y2="{y_at(y):.1f}" stroke="#ddd"/>'
                   f'<text x="{LEFT - 6}" y="{y_at(y) + 4:.1f}" text-anchor="end">{y:g}</text>')
    for x in ticks(x_low, x_high, log_x) if lines else []:
        out.append(f'<text x="{x_at(x):.1f}" y="{HEIGHT - BOTTOM + 18}" text-anchor="middle">{x:g}</text>'
                   f'<line x1="{x_at(x):.1f}" x2="{x_at(x):.1f}" y1="{HEIGHT - BOTTOM}" y2="{HEIGHT - BOTTOM + 4}" stroke="#666"/>')
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 12}" text-anchor="middle">{escape(x_title)}</text>'
               f'<text x="14" y="{(TOP + HEIGHT - BOTTOM) / 2}" text-anchor="middle" transform="rotate(-90 14 {(TOP + HEIGHT - BOTTOM) / 2})">'
               f"{escape(y_title)}</text>")
    for i, (name, values) in enumerate(series.items()):
        colour = COLOURS[i % len(COLOURS)]
        known = sorted(p for p in values if p[1] is not None)
        if lines and len(known) > 1:
            path_text = " ".join(f"{x_at(x):.1f},{y_at(y):.1f}" for x, y, _ in known)
            out.append(f'<polyline points="{path_text}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for x, y, spread in known:
            if spread:
                out.append(f'<line x1="{x_at(x):.1f}" x2="{x_at(x):.1f}" y1="{y_at(y - spread):.1f}" y2="{y_at(y + spread):.1f}" stroke="{colour}"/>')
            out.append(f'<circle cx="{x_at(x):.1f}" cy="{y_at(y):.1f}" r="4" fill="{colour}"><title>{escape(name)}: {x:g}, {y:.4f}</title></circle>')
        out.append(f'<circle cx="{WIDTH - RIGHT + 16}" cy="{TOP + 14 + 20 * i}" r="4" fill="{colour}"/>'
                   f'<text x="{WIDTH - RIGHT + 26}" y="{TOP + 18 + 20 * i}">{escape(name)}</text>')
    out.append("</svg>")
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(out) + "\n")
