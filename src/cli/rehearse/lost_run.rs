//! The last act: the push's run is lost, and the next run with watermarks makes up for it.

use super::casting::{Casting, on_embedded_github};
use super::{Rehearsal, arrival};
use crate::cli::dispatch::{Request, carry_out};
use crate::cli::{Failure, Output};
use crate::git::range::{Flags, Trigger};
use crate::git::refs::Update;
use crate::report::{Report, human};
use crate::watermark::Marks;

impl Rehearsal<'_> {
    /// Plays the act, and returns what arrived otherwise than planned.
    pub(super) fn lost_run(
        &self,
        planned: &Report,
        casting: &Casting,
        output: &Output,
    ) -> Result<Vec<String>, Failure> {
        let Some(before) = self.author.before.clone().filter(|_| !planned.dispatches.is_empty())
        else {
            return Ok(Vec::new());
        };
        let paint = output.paint();
        // The last run that went well was for the commit before: everybody has received that.
        let enabled = planned.before.enabled.iter().flatten();
        let marks: Vec<Update> = enabled.map(|repo| Marks::create(repo, &before)).collect();
        self.stage.write(&self.git, &marks)?;
        let (report, received, _) = on_embedded_github(planned, casting, |url| {
            let online = self.environment.with("GITHUB_API_URL", url);
            let request = self.request(&self.checkout, &online, false);
            let flags = Flags { watermarks: true, ..Flags::default() };
            let trigger = Trigger::Other("schedule".to_owned());
            Ok(carry_out(&Request { trigger, flags, ..request }, output)?.0)
        })?;
        let wrong = arrival::compare(planned, &report, &received, casting);
        let watermarks = report.watermarks.as_deref().unwrap_or_default();
        let said = if wrong.is_empty() {
            paint.green("each cousin has received what the lost run was to send")
        } else {
            wrong.iter().map(|it| format!("{} {it}\n", paint.red("wrong:"))).collect()
        };
        output.result(&format!(
            "\n{}\n{}    the same push, and its run is cancelled: nobody is told\n{}  the next night, \
             `ecosystem dispatch --watermarks` compares with what each cousin has received\n\
             watermarks: {}\n{}\n",
            paint.bold("A run is lost, and the next one makes up for it"),
            paint.dim("push"),
            paint.dim("runner"),
            human::states(watermarks),
            said.trim_end(),
        ))?;
        Ok(wrong)
    }
}
