//! The socket: accepts connections on loopback, hands them to axum, and can do to a connection
//! what HTTP has no words for: reset it, break off in the middle of a body, close it when the
//! server stops. All of that is done by wrapping the stream that axum reads and writes.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Time to wait after a failed accept, which mostly means that file descriptors ran out.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What is to become of the answer that a connection writes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    /// It is written.
    Write,
    /// It is not, and the connection is reset.
    Reset,
    /// Its head is written and so many bytes of its body.
    CutBody(usize),
    /// So many bytes more are written.
    Cut(usize),
}

/// A handle to a connection for whoever answers its requests.
#[derive(Clone)]
pub(super) struct Wire {
    order: Arc<Mutex<Order>>,
    stop: watch::Receiver<bool>,
}

impl Wire {
    /// Resets the connection as soon as anything is answered.
    pub(super) fn reset(&self) {
        *self.order() = Order::Reset;
    }

    /// Writes the next answer's head and only so many bytes of its body, then closes.
    pub(super) fn truncate(&self, body_bytes: usize) {
        *self.order() = Order::CutBody(body_bytes);
    }

    /// Waits until the server stops.
    pub(super) async fn stopped(&self) {
        stopped(self.stop.clone()).await;
    }

    fn order(&self) -> MutexGuard<'_, Order> {
        self.order.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connected<IncomingStream<'_, Loopback>> for Wire {
    fn connect_info(stream: IncomingStream<'_, Loopback>) -> Self {
        stream.io().wire.clone()
    }
}

/// Waits until `true` is sent or the sender is gone.
pub(super) async fn stopped(mut stop: watch::Receiver<bool>) {
    // The error says that the sender is gone, which is as good a reason to stop.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// The listening socket.
pub(super) struct Loopback {
    listener: TcpListener,
    stop: watch::Receiver<bool>,
}

impl Loopback {
    /// Binds a free port of 127.0.0.1.
    pub(super) async fn bind(stop: watch::Receiver<bool>) -> io::Result<Self> {
        Ok(Self { listener: TcpListener::bind(("127.0.0.1", 0)).await?, stop })
    }
}

impl Listener for Loopback {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            match self.listener.accept().await {
                Ok((stream, address)) => {
                    // Without it, the second half of an answer waits for the first one's ACK.
                    let _ = stream.set_nodelay(true);
                    return (Connection::new(stream, self.stop.clone()), address);
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A stream that obeys orders and breaks off when the server stops.
pub(super) struct Connection {
    stream: TcpStream,
    wire: Wire,
    stop: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Connection {
    fn new(stream: TcpStream, stop: watch::Receiver<bool>) -> Self {
        let wire = Wire { order: Arc::new(Mutex::new(Order::Write)), stop: stop.clone() };
        Self { stream, wire, stop: Some(Box::pin(stopped(stop))) }
    }

    /// Fails once the server stops, and wakes the task when it does.
    fn check_stop(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if let Some(stop) = &mut self.stop
            && stop.as_mut().poll(cx).is_pending()
        {
            return Ok(());
        }
        self.stop = None;
        Err(io::ErrorKind::ConnectionAborted.into())
    }

    /// Returns how many of the bytes may be written under the present order.
    fn allowed(&self, bytes: &[u8]) -> io::Result<usize> {
        let mut order = self.wire.order();
        if let Order::CutBody(body_bytes) = *order {
            // axum hands over the head whole, with what there is of the body behind it.
            let head = bytes.windows(4).position(|window| window == b"\r\n\r\n");
            match head {
                Some(at) => *order = Order::Cut(at + 4 + body_bytes),
                None => return Ok(bytes.len()),
            }
        }
        match *order {
            Order::Reset => {
                // A zero linger time turns the close that follows into a reset.
                self.stream.set_zero_linger()?;
                Err(io::ErrorKind::ConnectionReset.into())
            }
            Order::Cut(0) => Err(io::ErrorKind::BrokenPipe.into()),
            Order::Cut(left) => Ok(left.min(bytes.len())),
            Order::Write | Order::CutBody(_) => Ok(bytes.len()),
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check_stop(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check_stop(cx)?;
        let allowed = self.allowed(bytes)?;
        let bytes = bytes.get(..allowed).unwrap_or(bytes);
        let written = std::task::ready!(Pin::new(&mut self.stream).poll_write(cx, bytes))?;
        if let Order::Cut(left) = &mut *self.wire.order() {
            *left = left.saturating_sub(written);
        }
        Poll::Ready(Ok(written))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
