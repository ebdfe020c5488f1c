//! Who may ask for which paths.

use certmap::Role;
use serde::Deserialize;

use crate::config::Failure;

/// Who may ask for which paths; the longest prefix counts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Routes(Vec<Route>);

/// One route.
#[derive(Clone, Debug)]
struct Route {
    /// The beginning of the path, up to a `/` or the end.
    path: String,
    access: Access,
}

/// Who may ask for a path.
#[derive(Clone, Debug)]
pub(crate) enum Access {
    Everybody,
    Role(Role),
    Users,
}

/// A route as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    path: String,
    /// The role that is needed; without it every user may.
    role: Option<String>,
    /// True if the anonymous may, too.
    #[serde(default)]
    anonymous: bool,
}

impl Routes {
    /// Takes the routes of a file to those of the files before it.
    pub(crate) fn add(&mut self, written: toml::Value) -> Result<(), Failure> {
        for Written { path, role, anonymous } in Vec::<Written>::deserialize(written)? {
            let access = match (role, anonymous) {
                (None, true) => Access::Everybody,
                (None, false) => Access::Users,
                (Some(role), false) => Access::Role(role.parse()?),
                (Some(_), true) => return Err(format!("`{path}` needs a role, which the anonymous do not have").into()),
            };
            if self.0.iter().any(|route| route.path == path) {
                return Err(format!("`{path}` stands there twice").into());
            }
            self.0.push(Route { path, access });
        }
        Ok(())
    }

    /// The roles that they need.
    pub(crate) fn roles(&self) -> impl Iterator<Item = Role> + '_ {
        self.0.iter().filter_map(|route| match &route.access {
            Access::Role(role) => Some(role.clone()),
            Access::Everybody | Access::Users => None,
        })
    }

    /// Who may ask for a path; where no route fits, every user. `None` for a path that is not plain: `/a/../b`, `/a//b` and
    /// `/a%2fb` mean one thing here and another to an upstream, and `*` or nothing is no path.
    pub(crate) fn access(&self, path: &str) -> Option<Access> {
        if !path.starts_with('/')
            || path.contains("/.")
            || path.contains('%')
            || path.contains("//")
            || path.contains('\\')
        {
            return None;
        }
        let fits = |route: &&Route| {
            let rest = path.strip_prefix(route.path.trim_end_matches('/'));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let route = self.0.iter().filter(fits).max_by_key(|route| route.path.len());
        Some(route.map_or(Access::Users, |route| route.access.clone()))
    }
}
