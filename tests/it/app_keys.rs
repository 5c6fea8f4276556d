//! What may stand in the variables of an App, and what is refused before anything is sent.

use ecosystem_dispatcher::embedded_github::App;
use pretty_assertions::assert_eq;

use crate::app::KEY;
use crate::support::github::{github_with, run_test_with};

const PKCS8: &str = include_str!("support/keys/test-only-app-key.pkcs8.pem");
const ENCRYPTED: &str = include_str!("support/keys/test-only-encrypted.pem");
const PUBLIC: &str = include_str!("support/keys/test-only-public.pem");
const SHORT: &str = include_str!("support/keys/test-only-short.pem");
const EC: &str = include_str!("support/keys/test-only-ec.pem");

#[test]
fn a_key_is_taken_in_each_form_that_it_is_kept_in() {
    let app =
        App::new(12345, "Iv23liTest", KEY).installed("acme", |it| it.may("contents", "write"));
    let model = github_with(["acme/web"]).app(app);
    run_test_with(model, |t| {
        let file = t.sandbox.path().join("key.pem");
        std::fs::write(&file, KEY.replace('\n', "\r\n")).unwrap();
        let file = file.to_str().unwrap().to_owned();
        for (id, variable, value) in [
            ("12345", "ECOSYSTEM_APP_PRIVATE_KEY", KEY.to_owned()),
            ("Iv23liTest", "ECOSYSTEM_APP_PRIVATE_KEY", PKCS8.to_owned()),
            (" 12345\n", "ECOSYSTEM_APP_PRIVATE_KEY", KEY.trim().replace('\n', "\\n")),
            ("12345", "ECOSYSTEM_APP_PRIVATE_KEY_FILE", file),
        ] {
            t.push()
                .env("ECOSYSTEM_APP_ID", id)
                .env(variable, value)
                .arg("--ecosystem")
                .arg(t.cousins(["acme/web"]))
                .run()
                .expect_code(0);
        }
        assert_eq!(t.events("acme/web").len(), 4);
        t.asked_as_app();
    });
}

#[test]
fn a_broken_setting_ends_the_run_before_anything_is_sent_and_shows_no_value() {
    const ID: &str = "ECOSYSTEM_APP_ID";
    const PEM: &str = "ECOSYSTEM_APP_PRIVATE_KEY";
    const FILE: &str = "ECOSYSTEM_APP_PRIVATE_KEY_FILE";
    let twice = format!("{KEY}{KEY}");
    let changed = KEY.replacen("MII", "MIX", 1);
    let cases: [(&[(&str, &str)], &str); 17] = [
        (&[(ID, "1")], "neither ECOSYSTEM_APP_PRIVATE_KEY nor"),
        (&[(PEM, KEY)], "ECOSYSTEM_APP_ID is not"),
        (&[(FILE, "/nowhere")], "ECOSYSTEM_APP_ID is not"),
        (&[(ID, "1"), (PEM, KEY), (FILE, "/nowhere")], "both set"),
        (&[(ID, ""), (PEM, KEY)], "neither an App's id nor its client id"),
        (&[(ID, KEY), (PEM, KEY)], "neither an App's id nor its client id"),
        (&[(ID, "1"), (PEM, "")], "is empty"),
        (&[(ID, "1"), (FILE, "")], "is empty"),
        (&[(ID, "1"), (PEM, "hunter22")], "is no PEM text"),
        (&[(ID, "1"), (PEM, ENCRYPTED)], "encrypted with a pass phrase"),
        (&[(ID, "1"), (PEM, PUBLIC)], "is a public key"),
        (&[(ID, "1"), (PEM, SHORT)], "fewer than 2048 bits"),
        (&[(ID, "1"), (PEM, EC)], "no RSA private key"),
        (&[(ID, "1"), (PEM, &twice)], "more than one key"),
        (&[(ID, "1"), (PEM, &KEY[..900])], "cut off or changed"),
        (&[(ID, "1"), (PEM, &changed)], "cut off or changed"),
        (&[(ID, "1"), (FILE, "/nowhere/key.pem")], "cannot read the file"),
    ];
    run_test_with(github_with(["acme/web"]), |t| {
        let list = t.cousins(["acme/web"]);
        for (variables, expected) in cases {
            for command in [&["dispatch"][..], &["validate", "--online"]] {
                let mut run = crate::support::ecosystem::Run::new(&t.sandbox)
                    .dir(&t.checkout)
                    .event("push", "push.json")
                    .env("GITHUB_ACTIONS", "false")
                    .env("GITHUB_API_URL", t.url())
                    .args(command);
                for (name, value) in variables {
                    run = run.env(name, value);
                }
                let done = run.args(["-vvv", "--ecosystem"]).arg(&list).run().expect_code(2);
                assert!(done.stderr.contains(expected), "{expected}\n{}", done.stderr);
                assert!(done.stderr.contains("help:"), "{}", done.stderr);
                done.expect_without(&["hunter22", &KEY[40..80], &KEY[800..860]]);
            }
        }
        t.expect_no_request();
    });
}
