//! Times calls against each other: a batch of each in turn, so that whatever else the machine does falls on all of them.

use std::hint::black_box;
use std::time::{Duration, Instant};

/// A batch is short, so that few are interrupted, and long next to reading the clock.
const BATCH: Duration = Duration::from_micros(200);
/// How many batches of each a comparison has at least, however long one takes.
const FEWEST: usize = 5;

/// True if the program was started by `cargo bench`. Otherwise everything is called once, to see that it can be.
#[must_use]
pub fn is_measuring() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

/// Makes so many calls, and says how long they took.
type Batch<'a> = Box<dyn FnMut(u32) -> Duration + 'a>;

/// Calls that are timed in turn.
#[must_use]
pub struct Comparison<'a> {
    rows: Vec<(String, Batch<'a>)>,
    time: Duration,
}

/// What a comparison has measured: of each row as many batches, those of one round one after the other.
#[derive(Clone, Debug)]
pub struct Times {
    names: Vec<String>,
    /// Nanoseconds a call, by row and round.
    batches: Vec<Vec<f64>>,
}

impl<'a> Comparison<'a> {
    /// Measures for two seconds.
    pub fn new() -> Self {
        Self { rows: Vec::new(), time: Duration::from_secs(2) }
    }

    /// Measures for so long.
    pub fn lasting(self, time: Duration) -> Self {
        Self { time, ..self }
    }

    /// Adds a call. What it returns is dropped within the time, because whoever asks has to drop the answer.
    pub fn row<T>(mut self, name: &str, mut call: impl FnMut() -> T + 'a) -> Self {
        let batch = move |calls: u32| {
            let start = Instant::now();
            for _ in 0..calls {
                drop(black_box(call()));
            }
            start.elapsed()
        };
        self.rows.push((name.to_owned(), Box::new(batch)));
        self
    }

    /// Measures. Every second round is in reverse order.
    #[must_use]
    pub fn run(mut self) -> Times {
        let calls: Vec<u32> = self.rows.iter_mut().map(|(_, batch)| calls_per_batch(batch)).collect();
        let mut batches = vec![Vec::new(); self.rows.len()];
        let (start, fewest) = (Instant::now(), if is_measuring() { FEWEST } else { 1 });
        for round in 0.. {
            if round >= fewest && (start.elapsed() >= self.time || !is_measuring()) {
                break;
            }
            for place in 0..self.rows.len() {
                let row = if round % 2 == 0 { place } else { self.rows.len() - 1 - place };
                let time = (self.rows[row].1)(calls[row]);
                batches[row].push(time.as_secs_f64() * 1e9 / f64::from(calls[row]));
            }
        }
        Times { names: self.rows.into_iter().map(|(name, _)| name).collect(), batches }
    }
}

impl Default for Comparison<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Comparison<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.rows.iter().map(|(name, _)| name)).finish()
    }
}

impl Times {
    /// Nanoseconds a call: the median of its batches.
    ///
    /// # Panics
    /// If no row has this name.
    #[must_use]
    pub fn of(&self, row: &str) -> f64 {
        median(self.batches[self.place(row)].clone())
    }

    /// How many times as long one call takes as another: the median of what each round says.
    ///
    /// # Panics
    /// If no row has this name.
    #[must_use]
    pub fn ratio(&self, row: &str, other: &str) -> f64 {
        let (row, other) = (&self.batches[self.place(row)], &self.batches[self.place(other)]);
        median(row.iter().zip(other).map(|(row, other)| row / other).collect())
    }

    /// How many nanoseconds longer one call takes than another: the median of what each round says.
    ///
    /// # Panics
    /// If no row has this name.
    #[must_use]
    pub fn beyond(&self, row: &str, other: &str) -> f64 {
        let (row, other) = (&self.batches[self.place(row)], &self.batches[self.place(other)]);
        median(row.iter().zip(other).map(|(row, other)| row - other).collect())
    }

    fn place(&self, row: &str) -> usize {
        self.names.iter().position(|name| name == row).unwrap_or_else(|| panic!("no row `{row}`"))
    }
}

/// As many calls as a batch takes, after as many to warm up.
fn calls_per_batch(batch: &mut dyn FnMut(u32) -> Duration) -> u32 {
    let mut calls = 1;
    while is_measuring() && batch(calls) < BATCH && calls < 1 << 20 {
        calls *= 2;
    }
    calls
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}
