//! The embedded GitHub on a thread of its own, so that it answers while a bench waits for another
//! runtime or another process.

use std::sync::{Arc, mpsc};

use ecosystem_dispatcher::embedded_github::{EmbeddedGitHub, Model};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

/// A GitHub that ends with this value.
pub(crate) struct Served {
    pub(crate) github: Arc<EmbeddedGitHub>,
    _stop: oneshot::Sender<()>,
}

impl Served {
    pub(crate) fn start(model: Model) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let (lend, lent) = mpsc::channel();
        std::thread::spawn(move || {
            runtime().block_on(async {
                lend.send(Arc::new(EmbeddedGitHub::start(model).await.unwrap())).unwrap();
                // An error: nobody needs it any more.
                let _ = stopped.await;
            });
        });
        Self { github: lent.recv().unwrap(), _stop: stop }
    }
}

/// Returns a runtime of one thread, as the program has.
pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}
