//! The decision against the plain model of the campaigns.

use std::sync::OnceLock;

use certmap::Evidence;
use certmap_campaigns::{Answer, HOSTS, MODES, PRESENTED, Small, World};

/// Questions to one policy.
const QUESTIONS: usize = 64;

/// Four bytes are a policy, and each four after them a question to it: a host, what is presented there and what is sent
/// beside it, and a second. The crate says what the model says, whatever was asked before and whatever is beside; and the
/// same again.
pub(crate) fn law(input: &[u8]) {
    static WORLD: OnceLock<World> = OnceLock::new();
    let world = WORLD.get_or_init(World::new);
    let [set, more, users, mode, questions @ ..] = input else { return };
    let small = Small {
        trusted: u32::from(users >> 4),
        rules: u32::from(*set) | u32::from(more & 15) << 8,
        disabled: u32::from(users & 3),
        mode: MODES[usize::from(*mode) % MODES.len()],
    };
    let Ok(policy) = world.policy(small) else {
        assert!(world.policy(small).is_err());
        return;
    };
    for [who, beside, high, low] in questions.as_chunks::<4>().0.iter().take(QUESTIONS) {
        let host = HOSTS[usize::from(who & 1)];
        let presented = PRESENTED[usize::from(who >> 1) % PRESENTED.len()];
        let second = i64::from(i16::from_be_bytes([*high, *low]));
        let plain = world.evidence(host, presented);
        let evidence = match beside {
            0..=0x7f => plain,
            _ if presented == "none" => plain,
            // One or two certificates that are no part of the path.
            beside => {
                let mut chain = plain.chain().to_vec();
                for which in [beside & 7, beside >> 3 & 7] {
                    if let Some(other) = PRESENTED.get(usize::from(which)) {
                        chain.extend(world.evidence(host, other).chain().iter().cloned());
                    }
                }
                Evidence::after_handshake(plain.host().clone(), chain)
            }
        };
        let decided = World::decided(&policy, &evidence, second);
        let question = || format!("{small:?}, {presented} and {beside} to {host} at {second}");
        let expected = World::expected(small, host, presented, second);
        // What is neither trusted nor valid is refused for the one or the other, as what is beside it leads to an anchor or not.
        let either = *beside > 0x7f
            && expected == Answer::Untrusted
            && (decided == Answer::NotYetValid && second < 0 || decided == Answer::Expired && second > 0);
        assert!(decided == expected || either, "{decided:?}, the model says {expected:?}: {}", question());
        assert_eq!(World::decided(&policy, &evidence, second), decided, "{}, again", question());
    }
}
