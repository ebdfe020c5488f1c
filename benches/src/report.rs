//! What is printed: one table of each program, in Markdown, so that it can stand in the README as it is.

/// What a target asks of a figure.
#[derive(Clone, Copy, Debug)]
pub enum Bound {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
}

/// The table of one program.
#[derive(Debug)]
pub struct Report(());

impl Report {
    /// Prints the question and the head of the table.
    #[must_use]
    pub fn new(question: &str) -> Self {
        println!("\n{question}\n\n| Target | What | Measured | Asked | Met |\n|--:|---|--:|--:|---|");
        Self(())
    }

    /// A time that nothing is asked of.
    pub fn time(&self, what: &str, nanoseconds: f64) {
        println!("| | {what} | {} | | |", nanoseconds_for_people(nanoseconds));
    }

    /// Any figure that nothing is asked of.
    pub fn figure(&self, what: &str, figure: &str) {
        println!("| | {what} | {figure} | | |");
    }

    /// A ratio that a target bounds.
    pub fn ratio(&self, target: u8, what: &str, measured: f64, bound: Bound) {
        bounded(target, what, measured, bound, &|value| format!("{} ×", three_digits(value)));
    }

    /// A time that a target bounds.
    pub fn bounded_time(&self, target: u8, what: &str, nanoseconds: f64, bound: Bound) {
        bounded(target, what, nanoseconds, bound, &nanoseconds_for_people);
    }
}

fn bounded(target: u8, what: &str, measured: f64, bound: Bound, show: &dyn Fn(f64) -> String) {
    let (sign, asked, met) = match bound {
        Bound::AtMost(most) => ("≤", most, measured <= most),
        Bound::AtLeast(least) => ("≥", least, measured >= least),
    };
    let met = if met { "yes" } else { "**no**" };
    println!("| {target} | {what} | {} | {sign} {} | {met} |", show(measured), show(asked));
}

/// A time in the unit that people would choose.
fn nanoseconds_for_people(nanoseconds: f64) -> String {
    let (unit, scale) = match nanoseconds.abs() {
        below if below < 1e3 => ("ns", 1.0),
        below if below < 1e6 => ("µs", 1e3),
        below if below < 1e9 => ("ms", 1e6),
        _ => ("s", 1e9),
    };
    format!("{} {unit}", three_digits(nanoseconds / scale))
}

fn three_digits(value: f64) -> String {
    match value.abs() {
        below if below < 10.0 => {
            let text = format!("{value:.3}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        below if below < 100.0 => format!("{value:.1}").trim_end_matches(".0").to_owned(),
        _ => format!("{value:.0}"),
    }
}
