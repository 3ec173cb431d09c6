//! How connections end, and whether to come back.

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Ended {
    /// The server said so, with a code of the bands of `chat.proto` (or of
    /// WebSocket itself).
    #[error("closed by the server: {reason} ({code})")]
    Closed {
        /// The close code.
        code: u32,
        /// The server's words.
        reason: String,
    },
    /// It broke, or ended without a word.
    #[error("cut: {0}")]
    Cut(String),
    /// What came was not the protocol.
    #[error("not the protocol: {0}")]
    Malformed(String),
}

/// Whether and when to come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Advice {
    /// Within about a second.
    Soon,
    /// After at least five seconds, and growing.
    Later,
    /// Not with the same token and program.
    Never,
}

impl Ended {
    /// What the protocol says about coming back.
    pub fn advice(&self) -> Advice {
        match self {
            Self::Closed { code: 4100..=4199, .. } => Advice::Later,
            Self::Closed { code: 4200..=4299, .. } | Self::Malformed(_) => Advice::Never,
            Self::Closed { .. } | Self::Cut(_) => Advice::Soon,
        }
    }
}
