//! A chart as SVG: cost against the number of partners, both logarithmic.

use std::fmt::Write as _;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 480.0;
/// Room for what is written: left, right, above, below the lines.
const MARGIN: [f64; 4] = [70.0, 270.0, 50.0, 60.0];
/// Can be told apart by those who see no red or no green, too (Okabe and Ito).
const COLOURS: [&str; 6] = ["#0072b2", "#56b4e9", "#d55e00", "#e69f00", "#009e73", "#555555"];

/// One line: its name, and points of number and nanoseconds.
#[derive(Clone, Debug)]
pub struct Line {
    /// What stands at its end.
    pub name: String,
    /// Number of partners, nanoseconds.
    pub points: Vec<(f64, f64)>,
}

/// Draws the lines. Each has its name at its end, so that no legend has to be searched.
#[must_use]
pub fn svg(title: &str, lines: &[Line]) -> String {
    let points = || lines.iter().flat_map(|line| &line.points);
    let right = points().fold(1.0_f64, |most, point| most.max(point.0)).log10().ceil();
    let (low, high) = points().fold((f64::MAX, 0.0_f64), |(low, high), point| (low.min(point.1), high.max(point.1)));
    let (low, high) = (low.log10().floor(), high.log10().ceil());
    let x = |number: f64| MARGIN[0] + number.log10() / right * (WIDTH - MARGIN[0] - MARGIN[1]);
    let bottom = HEIGHT - MARGIN[3];
    let y = |time: f64| bottom - (time.log10() - low) / (high - low) * (bottom - MARGIN[2]);

    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" \
         font-size=\"13\" fill=\"#222\">\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n\
         <text x=\"{}\" y=\"28\" font-size=\"16\" font-weight=\"bold\">{title}</text>\n",
        MARGIN[0]
    );
    for power in decades(0.0, right) {
        let (at, number) = (x(10_f64.powf(power)), short(10_f64.powf(power)));
        write_line(&mut svg, (at, MARGIN[2]), (at, bottom));
        write_text(&mut svg, (at, bottom + 20.0), "middle", "#222", &number);
    }
    for power in decades(low, high) {
        let (at, time) = (y(10_f64.powf(power)), time(10_f64.powf(power)));
        write_line(&mut svg, (MARGIN[0], at), (WIDTH - MARGIN[1], at));
        write_text(&mut svg, (MARGIN[0] - 8.0, at + 4.0), "end", "#222", &time);
    }
    write_text(&mut svg, ((MARGIN[0] + WIDTH - MARGIN[1]) / 2.0, HEIGHT - 16.0), "middle", "#222", "partners");

    let mut ends = Vec::new();
    for (line, colour) in lines.iter().zip(COLOURS.iter().cycle()) {
        let path: Vec<_> = line.points.iter().map(|point| format!("{:.1},{:.1}", x(point.0), y(point.1))).collect();
        let _ = writeln!(
            svg,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2.5\"/>",
            path.join(" ")
        );
        for point in &line.points {
            let _ = writeln!(
                svg,
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3.5\" fill=\"{colour}\"/>",
                x(point.0),
                y(point.1)
            );
        }
        if let Some(last) = line.points.last() {
            ends.push((y(last.1), x(last.0), colour, format!("{}, {}", line.name, time(last.1))));
        }
    }
    // From above; a name that would stand upon the one before moves down.
    ends.sort_by(|one, other| one.0.total_cmp(&other.0));
    let mut free = 0.0_f64;
    for (wanted, end, colour, name) in ends {
        let at = wanted.max(free);
        free = at + 17.0;
        write_text(&mut svg, (end + 10.0, at + 4.0), "start", colour, &name);
    }
    svg.push_str("</svg>\n");
    svg
}

fn decades(first: f64, last: f64) -> impl Iterator<Item = f64> {
    std::iter::successors(Some(first), |power| Some(power + 1.0)).take_while(move |power| *power <= last)
}

fn write_line(svg: &mut String, from: (f64, f64), to: (f64, f64)) {
    let _ = writeln!(
        svg,
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"#ddd\"/>",
        from.0, from.1, to.0, to.1
    );
}

fn write_text(svg: &mut String, at: (f64, f64), anchor: &str, colour: &str, text: &str) {
    let (x, y) = at;
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{colour}\">{text}</text>");
}

fn time(nanoseconds: f64) -> String {
    match nanoseconds {
        below if below < 1e3 => format!("{nanoseconds:.0} ns"),
        below if below < 9.95e3 => format!("{:.1} µs", nanoseconds / 1e3).replace(".0 ", " "),
        below if below < 1e6 => format!("{:.0} µs", nanoseconds / 1e3),
        below if below < 9.95e6 => format!("{:.1} ms", nanoseconds / 1e6).replace(".0 ", " "),
        _ => format!("{:.0} ms", nanoseconds / 1e6),
    }
}

fn short(number: f64) -> String {
    match number {
        below if below < 1e3 => format!("{number:.0}"),
        below if below < 1e6 => format!("{:.0},000", number / 1e3),
        _ => format!("{:.0},000,000", number / 1e6),
    }
}
