//! `release-crate`: a crate is published once, however often its job is run.

use super::repository::Repository;
use crate::support::case;
use crate::support::ecosystem::Done;

/// A cargo with a registry: `INDEX` is the checksum that it has of the version, if any. What it is
/// asked, with which token and what manifest, is in `RECORD`.
const CARGO: &str = r#"echo "$* ${CARGO_REGISTRY_TOKEN-none}" >>"$RECORD"
case $1 in
publish) [[ ${PUBLISH-0} == 0 ]] || echo 'error: crate already exists' >&2; exit "${PUBLISH-0}" ;;
package) mkdir -p target/package; printf packed >target/package/ecosystem-dispatcher-1.2.3.crate ;;
generate-lockfile)
  cp Cargo.toml "$RECORD.manifest"
  [[ -f src/lib.rs && -n ${INDEX-} ]] || { echo 'error: failed to select a version' >&2; exit 101; }
  printf '[[package]]\nname = "asks"\nversion = "0.0.0"\ndependencies = [\n "ecosystem-dispatcher",\n]\n\n' >Cargo.lock
  for name in bytes ecosystem-dispatcher zeroize; do
    checksum=$OTHER; if [[ $name == eco* ]]; then checksum=$INDEX; fi
    printf '[[package]]\nname = "%s"\nversion = "1.2.3"\nsource = "registry"\nchecksum = "%s"\n\n' $name $checksum >>Cargo.lock
  done ;;
*) exit 99 ;;
esac"#;

/// The SHA-256 of `packed`, and that of something else.
const PACKED: &str = "88cb8a087b6e8cebfc9ae5602f5a2159a6bcf923e7f2c56809bcda6cad1727a7";
const OTHER: &str = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";

struct Asked {
    done: Done,
    record: String,
    manifest: String,
}

fn publish(env: &[(&str, &str)]) -> Asked {
    let repository = Repository::new();
    repository.program("fakes/cargo", CARGO);
    let record = repository.sandbox.path().join("cargo").display().to_string();
    let mut all = vec![("RECORD", record.as_str()), ("CARGO_REGISTRY_TOKEN", "secret")];
    all.push(("OTHER", OTHER));
    all.extend_from_slice(env);
    let done = repository.step("crate", "Publish the crate", &all);
    let left = std::fs::read_dir(repository.sandbox.temporary()).unwrap().count();
    assert_eq!(left, 0, "nothing is left behind");
    let read = |name: &str| std::fs::read_to_string(format!("{record}{name}")).unwrap_or_default();
    Asked { done, record: read(""), manifest: read(".manifest") }
}

#[test]
fn a_new_version_is_published_and_nothing_of_others_is_run_beside_the_token() {
    let asked = publish(&[]);
    asked.done.expect_code(0);
    assert_eq!(asked.record, "publish --locked --no-verify secret\n");
}

#[test]
fn a_version_that_the_registry_has_with_the_same_bytes_is_published() {
    let asked = publish(&[("PUBLISH", "101"), ("INDEX", PACKED)]);
    let done = asked.done.expect_code(0);
    assert_eq!(
        done.stdout,
        "::notice title=ecosystem-dispatcher 1.2.3::The registry has it already, with the same bytes.\n"
    );
    assert_eq!(
        asked.record,
        "publish --locked --no-verify secret\n\
         generate-lockfile --quiet none\n\
         package --locked --no-verify --quiet none\n"
    );
    assert!(asked.manifest.ends_with("[dependencies]\necosystem-dispatcher = \"=1.2.3\"\n"));
}

#[test]
fn a_version_that_the_registry_has_with_other_bytes_or_not_at_all_ends_the_release() {
    for (index, code, said) in [
        (
            OTHER,
            1,
            format!("its SHA-256 is {OTHER}, that of this commit {PACKED}\nhelp: a version"),
        ),
        (
            "",
            101,
            "was not published, and the registry does not have it\nhelp: cargo says".to_owned(),
        ),
    ] {
        case(&said);
        let asked = publish(&[("PUBLISH", "101"), ("INDEX", index)]);
        let done = asked.done.expect_code(code);
        assert!(done.stderr.contains(&said), "{}", done.stderr);
        assert_eq!(done.stdout, "");
    }
}
