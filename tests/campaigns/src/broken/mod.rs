//! Whatever is read from files and from peers, cut at every place and with every bit turned: an answer each time, never
//! somebody else, within bounded memory.
//!
//! A law that is broken is a finding; it is counted and told, so that one does not hide the others.

pub mod chains;
mod damage;
mod der;
pub mod files;
pub mod growth;
pub mod hostile;

pub use damage::{Damage, damages};

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// Calls it, and says how many bytes it had from the heap at the most.
pub type Peak = fn(&mut dyn FnMut()) -> u64;

/// For tests, which have no allocator that counts.
pub fn uncounted(call: &mut dyn FnMut()) -> u64 {
    call();
    0
}

/// Each family, and how much of it is tried: of all damages each so manieth.
pub type Family = fn(usize, Peak) -> Tally;

/// What a single input may take from the heap at most: this much, and so many times its own size.
pub const MEMORY: (u64, u64) = (256 * 1024, 64);
/// What takes longer is told; what takes a tenth of it is tried again before it counts.
pub const SLOW: Duration = Duration::from_millis(10);

/// What became of the inputs of one family.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// The family.
    pub family: &'static str,
    /// How many were tried.
    pub tried: usize,
    /// Of each answer, how many gave it.
    pub answers: BTreeMap<String, usize>,
    /// Laws that were broken, and by what.
    pub findings: Vec<String>,
    /// Which took the most memory: bytes, of an input of how many, and which.
    pub largest: (u64, usize, String),
    /// Which took longest.
    pub slowest: (Duration, String),
    /// How many took longer than [`SLOW`].
    pub slow: usize,
}

impl Tally {
    /// Nothing tried yet.
    #[must_use]
    pub fn of(family: &'static str) -> Self {
        Self { family, ..Self::default() }
    }

    /// Tries one input of so many bytes. What it returns is the answer, or the law that it breaks.
    pub fn take(
        &mut self,
        name: &dyn fmt::Display,
        bytes: usize,
        peak: Peak,
        call: &dyn Fn() -> Result<String, String>,
    ) {
        self.tried += 1;
        let mut time = Duration::ZERO;
        let mut said = Ok(String::new());
        let most = peak(&mut || {
            let start = Instant::now();
            said = catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| Err("it panicked".to_owned()));
            time = start.elapsed();
        });
        // Others use the machine too: the fastest of some counts. Without optimization nothing is said of times.
        for _ in 0..5 {
            if time > SLOW / 10 && !cfg!(debug_assertions) {
                let start = Instant::now();
                let _ = catch_unwind(AssertUnwindSafe(call));
                time = time.min(start.elapsed());
            }
        }
        self.slow += usize::from(time > SLOW);
        if time > self.slowest.0 {
            self.slowest = (time, name.to_string());
        }
        if most > self.largest.0 {
            self.largest = (most, bytes, name.to_string());
        }
        let (base, times) = MEMORY;
        if most > base + times * bytes as u64 {
            self.findings.push(format!("{name}: {most} bytes of memory for {bytes}"));
        }
        match said {
            Ok(answer) => *self.answers.entry(answer).or_default() += 1,
            Err(broken) => self.findings.push(format!("{name}: {broken}")),
        }
    }

    /// How many gave an answer that begins so.
    #[must_use]
    pub fn count(&self, answer: &str) -> usize {
        self.answers.iter().filter(|(known, _)| known.starts_with(answer)).map(|(_, count)| count).sum()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { family, tried, answers, findings, largest, slowest, slow } = self;
        let (most, bytes, greedy) = largest;
        writeln!(f, "{family}: {tried} inputs, {} findings", findings.len())?;
        writeln!(f, "    at most {most} bytes of memory, for {bytes} ({greedy})")?;
        writeln!(f, "    at most {:?} ({}); {slow} over {SLOW:?}", slowest.0, slowest.1)?;
        for (answer, count) in answers {
            writeln!(f, "    {count:>9} {answer}")?;
        }
        findings.iter().take(20).try_for_each(|finding| writeln!(f, "    FINDING {finding}"))
    }
}

/// The name of the variant of an error.
#[must_use]
pub fn variant(error: &dyn fmt::Debug) -> String {
    let shown = format!("{error:?}");
    shown.chars().take_while(char::is_ascii_alphanumeric).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_damaged_is_refused_or_is_who_it_was() {
        let tally = chains::decided(307, uncounted);
        println!("{tally}");
        assert!(tally.findings.is_empty(), "{tally}");
        assert!(tally.count("refused") > 300 && tally.count("itself") > 10, "{tally}");
        let read = chains::read(307, uncounted);
        assert!(read.findings.is_empty() && read.tried > 300, "{read}");
    }

    #[test]
    fn damaged_files_and_documents_are_told() {
        for family in [files::pkcs12, files::pse, files::documents] {
            let tally = family(499, uncounted);
            println!("{tally}");
            assert!(tally.findings.is_empty() && tally.tried > 30, "{tally}");
        }
    }

    #[test]
    fn hostile_chains_cost_no_more_than_sixteen_signatures() {
        for row in hostile::rows() {
            println!("{row}");
            assert!(row.holds(), "{row}");
        }
    }
}
