//! The embedded Hub: a loopback server with the Hub's own HTTP surface.
