//! Counters, as `OpenMetrics` text.

use core::fmt::Write as _;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use certmap::{HostId, RefusalCode};

/// What was decided, by host and outcome.
#[derive(Debug, Default)]
pub(crate) struct Metrics(Mutex<BTreeMap<(String, &'static str), u64>>);

impl Metrics {
    pub(crate) fn count(&self, host: &HostId, outcome: &'static str) {
        let mut counters = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *counters.entry((host.to_string(), outcome)).or_default() += 1;
    }

    /// Every refusal code of every host that had any, from zero on.
    pub(crate) fn text(&self) -> String {
        let counters = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let mut text =
            "# TYPE certmap_decisions counter\n# HELP certmap_decisions Requests and handshakes by host and outcome.\n"
                .to_owned();
        let hosts: std::collections::BTreeSet<_> = counters.keys().map(|(host, _)| host).collect();
        let outcomes = ["admitted", "anonymous", "no-route", "path", "role-missing"]
            .into_iter()
            .chain(RefusalCode::ALL.iter().map(|code| code.as_str()));
        let outcomes: Vec<_> = outcomes.collect();
        for host in hosts {
            for outcome in &outcomes {
                let count = counters.get(&(host.clone(), *outcome)).copied().unwrap_or_default();
                let _ = writeln!(text, "certmap_decisions_total{{host=\"{host}\",outcome=\"{outcome}\"}} {count}");
            }
        }
        text + "# EOF\n"
    }
}
