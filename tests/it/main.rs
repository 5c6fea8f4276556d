//! End to end: the built binary, real git repositories, the embedded GitHub on a real socket.
