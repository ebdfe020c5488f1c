//! Where the choices come from that make a policy: every one in turn, random numbers, or the octets of a fuzzer.

/// What the next choice is.
#[derive(Debug)]
pub enum Pick<'a> {
    /// From these octets, and always the first beyond their end.
    Octets(&'a [u8]),
    /// By chance.
    Random(fastrand::Rng),
    /// Each choice in turn: what was chosen so far, and of how many.
    Turn {
        /// What was chosen, and of how many.
        chosen: Vec<(usize, usize)>,
        /// How many choices of this round are made.
        made: usize,
    },
}

impl Pick<'_> {
    /// Begins with the first of everything; see [`Pick::next_round`].
    #[must_use]
    pub fn turn() -> Self {
        Self::Turn { chosen: Vec::new(), made: 0 }
    }

    /// One of so many.
    ///
    /// # Panics
    /// If the same choices lead to another question.
    pub fn of(&mut self, many: usize) -> usize {
        match self {
            Self::Octets(octets) => match octets.split_first() {
                Some((first, rest)) => {
                    *octets = rest;
                    usize::from(*first) % many
                }
                None => 0,
            },
            Self::Random(random) => random.usize(..many),
            Self::Turn { chosen, made } => {
                if *made == chosen.len() {
                    chosen.push((0, many));
                }
                let (choice, of) = chosen[*made];
                assert_eq!(of, many, "the same choices lead to the same question");
                *made += 1;
                choice
            }
        }
    }

    /// One of these.
    pub fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.of(of.len())].clone()
    }

    /// Yes or no.
    pub fn yes(&mut self) -> bool {
        self.of(2) == 1
    }

    /// Some of these: each is in it or not.
    pub fn some<T: Clone>(&mut self, of: &[T]) -> Vec<T> {
        of.iter().filter(|_| self.yes()).cloned().collect()
    }

    /// Goes to the next round of choices; false if all were made.
    pub fn next_round(&mut self) -> bool {
        let Self::Turn { chosen, made } = self else { return true };
        *made = 0;
        while let Some((choice, of)) = chosen.pop() {
            if choice + 1 < of {
                chosen.push((choice + 1, of));
                return true;
            }
        }
        false
    }
}
