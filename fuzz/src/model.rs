//! The decision against the plain model of the campaigns.

use std::sync::OnceLock;

use certmap_campaigns::agree::families::{FAMILIES, mixed};
use certmap_campaigns::agree::pick::Pick;
use certmap_campaigns::agree::world::World;
use certmap_campaigns::agree::{ask, built};

/// Questions to one policy.
const QUESTIONS: usize = 64;

/// The first byte says how many make a policy, of the family that the second says; the others are questions to it: a host, some
/// certificates, and a second. The crate says what the model says: whether the policy can be built and what is wrong with it, and
/// who each peer is, whatever was asked before; and the same again.
pub(crate) fn law(input: &[u8]) {
    static WORLD: OnceLock<World> = OnceLock::new();
    let world = WORLD.get_or_init(World::new);
    let [many, family, rest @ ..] = input else { return };
    let Some((choices, questions)) = rest.split_at_checked(usize::from(*many)) else { return };
    let family = FAMILIES.get(usize::from(*family) % (4 * FAMILIES.len())).map_or(mixed as _, |(_, family)| *family);
    let plan = family(&mut Pick::Octets(choices));
    let Some(Ok(policy)) = built(world, &plan) else { return };
    let mut pick = Pick::Octets(questions);
    for _ in 0..QUESTIONS.min(questions.len() / 4) {
        ask(world, &plan, &policy, &mut pick);
    }
}
