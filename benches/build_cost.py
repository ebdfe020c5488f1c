#!/usr/bin/env python3
"""What does a user pay to build? `cargo build` of an empty crate with rustls alone, with certmap, and with what certmap depends on but
not certmap itself, each from nothing.

    benches/build_cost.py [ROUNDS]      2 rounds without further words; several minutes each on two cores

Offline, with the versions of our Cargo.lock, so that nothing is downloaded in between (`cargo fetch` before). What is compared
is the time of processors, user and system, because a busy machine does not change it much; the least of all rounds counts. Not
incremental, as cargo builds what comes from a registry.
"""
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROVIDERS = {"aws-lc-rs": 1.7, "ring": 2.2}


def dependency(crate, provider):
    """The lines of the empty crate's dependencies."""
    if crate == "certmap":
        return f'certmap = {{ path = "{ROOT}", default-features = false, features = ["{provider}"] }}'
    manifest = tomllib.loads((ROOT / "Cargo.toml").read_text())
    lines = []
    for name, wanted in manifest["dependencies"].items():
        wanted = wanted if isinstance(wanted, dict) else {"version": wanted}
        if wanted.get("optional") or (crate == "rustls" and name != "rustls"):
            continue
        ours = [feature.split("/")[1] for feature in manifest["features"][provider] if feature.startswith(name + "/")]
        features = json.dumps(wanted.get("features", []) + ours)
        defaults = json.dumps(wanted.get("default-features", True))
        lines.append(f'{name} = {{ version = "{wanted["version"]}", default-features = {defaults}, features = {features} }}')
    return "\n".join(lines)


def build(folder, crate, provider):
    """Seconds of processors, seconds of the clock, and seconds of each crate."""
    shutil.rmtree(folder / "target", ignore_errors=True)
    (folder / "src").mkdir(exist_ok=True)
    (folder / "src/main.rs").write_text("fn main() {}\n")
    manifest = f'[package]\nname = "empty"\nversion = "0.0.0"\nedition = "2024"\n[workspace]\n[dependencies]\n'
    (folder / "Cargo.toml").write_text(manifest + dependency(crate, provider) + "\n")
    shutil.copy(ROOT / "Cargo.lock", folder / "Cargo.lock")
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = ["cargo", "build", "--offline", "--quiet", "--timings", "--target-dir", str(folder / "target")]
    environment = os.environ | {"CARGO_INCREMENTAL": "0"}
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL, env=environment)
    wall, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    page = (folder / "target/cargo-timings/cargo-timing.html").read_text()
    units = json.loads(re.search(r"const UNIT_DATA = (\[.*?\]);\n", page, re.DOTALL).group(1))
    crates = {}
    for unit in units:
        crates[unit["name"]] = crates.get(unit["name"], 0.0) + unit["duration"]
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime, wall, crates


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 2
    print("| Provider | rustls alone | what certmap depends on | with certmap | processors | clock | Asked | Met |")
    print("|---|--:|--:|--:|--:|--:|--:|---|")
    added = {}
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        for provider, most in PROVIDERS.items():
            least = {}
            for _ in range(rounds):
                for crate in ("rustls", "dependencies", "certmap"):
                    built = build(folder, crate, provider)
                    least[crate] = min(least.get(crate, built), built, key=lambda one: one[0])
            (alone, wall_alone, crates_alone), (ours, wall, crates) = least["rustls"], least["certmap"]
            without = least["dependencies"][0]
            ratio = ours / alone
            met = "yes" if ratio <= most else "**no**"
            print(f"| {provider} | {alone:.1f} s | {without:.1f} s, {without / alone:.2f} × | {ours:.1f} s | {ratio:.2f} × | {wall / wall_alone:.2f} × | ≤ {most} × | {met} |", flush=True)
            added[provider] = sorted(((t, c) for c, t in crates.items() if c not in crates_alone), reverse=True)[:12]
    for provider, crates in added.items():
        print(f"\nWhat certmap adds with {provider}, seconds by the clock of each crate: ", end="")
        print(", ".join(f"{crate} {seconds:.1f}" for seconds, crate in crates))


if __name__ == "__main__":
    main()
