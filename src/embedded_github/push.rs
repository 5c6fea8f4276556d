//! A push as it travels: the commands that a client sends before the pack, and the report that it
//! gets back. Pure: bytes in, commands out; what became of each in, bytes out.
//!
//! Source: git's documentation, "gitprotocol-pack" (Reference Update Request, Report Status) and
//! "gitprotocol-common" (pkt-line). Decided here: signed pushes and push options are not offered,
//! and who sends them anyway is not understood.

use git2::Oid;

/// The longest payload of a pkt-line of the side band.
const BAND_BYTES: usize = 65_515;
/// The most commands of one push that are read.
const MOST_COMMANDS: usize = 10_000;

/// What a client wants of one ref; no old id creates it, no new id deletes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Command {
    pub(super) old: Option<Oid>,
    pub(super) new: Option<Oid>,
    pub(super) reference: String,
}

/// What stands before the pack.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Commands {
    pub(super) commands: Vec<Command>,
    pub(super) atomic: bool,
    /// The client's history ends somewhere.
    pub(super) shallow: bool,
    reports: bool,
    side_band: bool,
    /// Where the pack begins.
    pub(super) pack_at: u64,
}

/// What became of each ref: nothing to say, or why it stays.
pub(super) type Outcome = (String, Result<(), String>);

/// Which of the refs may be moved, in the order of the commands, or why not.
pub(super) type Judged = Vec<Result<(), String>>;

impl Commands {
    /// Returns the commands at the beginning of a request; none when they are no commands.
    pub(super) fn parse(mut from: impl std::io::Read) -> Option<Self> {
        let mut parsed = Self::default();
        loop {
            let mut head = [0; 4];
            from.read_exact(&mut head).ok()?;
            parsed.pack_at += 4;
            let length = usize::from_str_radix(std::str::from_utf8(&head).ok()?, 16).ok()?;
            if length == 0 {
                return Some(parsed);
            }
            let mut line = vec![0; length.checked_sub(4)?];
            from.read_exact(&mut line).ok()?;
            parsed.pack_at += line.len() as u64;
            parsed.take(std::str::from_utf8(&line).ok()?)?;
            if parsed.commands.len() > MOST_COMMANDS {
                return None;
            }
        }
    }

    fn take(&mut self, line: &str) -> Option<()> {
        let line = line.strip_suffix('\n').unwrap_or(line);
        if line.starts_with("shallow ") {
            self.shallow = true;
            return Some(());
        }
        let (line, capabilities) = line.split_once('\0').unwrap_or((line, ""));
        for capability in capabilities.split(' ') {
            match capability {
                "report-status" | "report-status-v2" => self.reports = true,
                "side-band-64k" => self.side_band = true,
                "atomic" => self.atomic = true,
                _ => {}
            }
        }
        let mut parts = line.splitn(3, ' ');
        let old = id(parts.next()?)?;
        let new = id(parts.next()?)?;
        self.commands.push(Command { old, new, reference: parts.next()?.to_owned() });
        Some(())
    }

    /// Returns whether a pack follows.
    pub(super) fn has_pack(&self) -> bool {
        self.commands.iter().any(|it| it.new.is_some())
    }

    /// Returns the report: how the pack was taken in, what the server says to the person who
    /// pushes, and what became of each ref.
    pub(super) fn report(
        &self,
        unpacked: Result<(), &str>,
        said: &[String],
        outcomes: &[Outcome],
    ) -> Vec<u8> {
        let mut report = Vec::new();
        let unpacked = unpacked.err().unwrap_or("ok");
        line(&mut report, format!("unpack {unpacked}\n").as_bytes());
        for (reference, outcome) in outcomes {
            let told = match outcome {
                Ok(()) => format!("ok {reference}\n"),
                Err(why) => format!("ng {reference} {why}\n"),
            };
            line(&mut report, told.as_bytes());
        }
        report.extend_from_slice(b"0000");
        if !self.side_band {
            return if self.reports { report } else { Vec::new() };
        }
        let mut banded = Vec::new();
        for text in said {
            line(&mut banded, &[b"\x02", text.as_bytes(), b"\n"].concat());
        }
        for part in report.chunks(BAND_BYTES).filter(|_| self.reports) {
            line(&mut banded, &[b"\x01", part].concat());
        }
        banded.extend_from_slice(b"0000");
        banded
    }
}

/// Returns the id, or nothing for the id of all zeros; fails on what is no id.
fn id(text: &str) -> Option<Option<Oid>> {
    let id = Oid::from_str(text).ok().filter(|_| text.len() == 40)?;
    Some((!id.is_zero()).then_some(id))
}

fn line(out: &mut Vec<u8>, payload: &[u8]) {
    out.extend_from_slice(format!("{:04x}", payload.len() + 4).as_bytes());
    out.extend_from_slice(payload);
}

#[cfg(test)]
mod tests {
    use pretty_assertions::assert_eq;

    use super::*;

    const A: &str = "1111111111111111111111111111111111111111";
    const ZERO: &str = "0000000000000000000000000000000000000000";

    fn request(lines: &[&str]) -> Vec<u8> {
        let mut out = Vec::new();
        for text in lines {
            line(&mut out, text.as_bytes());
        }
        out.extend_from_slice(b"0000PACK");
        out
    }

    #[test]
    fn commands_are_read_up_to_the_pack() {
        let bytes = request(&[
            &format!("shallow {A}"),
            &format!("{ZERO} {A} refs/heads/new\0 report-status-v2 side-band-64k atomic agent=x"),
            &format!("{A} {ZERO} refs/heads/a b\n"),
        ]);
        let commands = Commands::parse(bytes.as_slice()).unwrap();
        let id = Oid::from_str(A).unwrap();
        let of = |old, new, reference: &str| Command { old, new, reference: reference.to_owned() };
        let expected = [of(None, Some(id), "refs/heads/new"), of(Some(id), None, "refs/heads/a b")];
        assert_eq!(commands.commands, expected);
        assert!(commands.shallow && commands.atomic && commands.has_pack());
        assert!(bytes[usize::try_from(commands.pack_at).unwrap()..].starts_with(b"PACK"));
        let deletes = request(&[&format!("{A} {ZERO} refs/heads/a\0")]);
        assert!(!Commands::parse(deletes.as_slice()).unwrap().has_pack());
    }

    #[test]
    fn what_is_no_command_is_not_understood() {
        let long = format!("{A} {A}");
        for lines in [
            &["push-cert x"][..],
            &["", &long],
            &[&long],
            &["x"],
            &[&format!("{A} 1 refs/heads/a")],
            &[&format!("{A} {} refs/heads/a", "z".repeat(40))],
        ] {
            assert_eq!(Commands::parse(request(lines).as_slice()), None, "{lines:?}");
        }
        for bytes in [&b""[..], b"00", b"zzzz", b"0001", b"0003", b"0004", b"ffff", b"0008ab"] {
            assert_eq!(Commands::parse(bytes), None, "{bytes:?}");
        }
        assert_eq!(Commands::parse(&b"0000"[..]).unwrap().commands, []);
    }

    #[test]
    fn the_report_is_in_the_form_that_was_asked_for() {
        let outcomes = [
            ("refs/heads/a".to_owned(), Ok(())),
            ("refs/heads/b".to_owned(), Err("no".to_owned())),
        ];
        let report = |capabilities: &str| {
            let bytes = request(&[&format!("{ZERO} {A} refs/heads/a\0{capabilities}")]);
            let commands = Commands::parse(bytes.as_slice()).unwrap();
            let report = commands.report(Ok(()), &["error: said".to_owned()], &outcomes);
            String::from_utf8(report).unwrap()
        };
        let plain = "000eunpack ok\n0014ok refs/heads/a\n0017ng refs/heads/b no\n0000";
        assert_eq!(report("report-status"), plain);
        assert_eq!(
            report("report-status side-band-64k"),
            format!("0011\u{2}error: said\n{:04x}\u{1}{plain}0000", plain.len() + 5)
        );
        assert_eq!(report("side-band-64k"), "0011\u{2}error: said\n0000");
        assert_eq!(report(""), "");
    }
}
