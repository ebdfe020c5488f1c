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

    /// Who may ask for a path, or the status and code of the problem with it.
    ///
    /// Every user may ask for everything while there are no routes, and for `/whoami`. Else a path that no route fits is
    /// refused, because `/SEND` may be `/send` to an upstream. So is one that is not plain: `/a/../b`, `/a//b`, `/a;x/b` and
    /// `/a%2fb` mean one thing here and another there, and `*` or nothing is no path.
    pub(crate) fn access(&self, path: &str) -> Result<Access, (u16, &'static str)> {
        let odd = ["/.", "//", "%", "\\", ";"];
        if !path.starts_with('/') || odd.iter().any(|odd| path.contains(odd)) {
            return Err((400, "path"));
        }
        let fits = |route: &&Route| {
            let rest = path.strip_prefix(route.path.trim_end_matches('/'));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        match self.0.iter().filter(fits).max_by_key(|route| route.path.len()) {
            Some(route) => Ok(route.access.clone()),
            None if self.0.is_empty() || path == "/whoami" => Ok(Access::Users),
            None => Err((404, "no-route")),
        }
    }
}
