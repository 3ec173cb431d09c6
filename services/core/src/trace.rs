//! Which trace a piece of work belongs to, as the W3C's Trace Context names it. Carried
//! along and compared; nothing is ever decided by it.

use std::fmt;
use std::num::{NonZeroU64, NonZeroU128};

/// A span of a trace, under which more may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceContext {
    /// The trace.
    pub trace: NonZeroU128,
    /// The span.
    pub span: NonZeroU64,
    /// Whether whoever began the trace has it recorded.
    pub sampled: bool,
}

impl TraceContext {
    /// From its numbers; none may be 0.
    pub fn new(trace: u128, span: u64, sampled: bool) -> Option<Self> {
        Some(Self { trace: NonZeroU128::new(trace)?, span: NonZeroU64::new(span)?, sampled })
    }

    /// From a `traceparent`. Later versions may go on behind what is known.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.trim().splitn(5, '-');
        let mut next = |digits: usize| {
            let part = parts.next()?;
            let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
            (part.len() == digits && part.bytes().all(is_hex)).then_some(part)
        };
        let (version, trace, span, flags) = (next(2)?, next(32)?, next(16)?, next(2)?);
        if version == "ff" || (version == "00" && parts.next().is_some()) {
            return None;
        }
        let flags = u8::from_str_radix(flags, 16).ok()?;
        let trace = u128::from_str_radix(trace, 16).ok()?;
        Self::new(trace, u64::from_str_radix(span, 16).ok()?, flags & 1 == 1)
    }

    /// The two halves of the trace's number, the higher one first.
    pub fn halves(&self) -> (u64, u64) {
        let trace = self.trace.get();
        ((trace >> 64) as u64, trace as u64)
    }

    /// From the halves of the trace's number.
    pub fn from_halves(high: u64, low: u64, span: u64, sampled: bool) -> Option<Self> {
        Self::new(u128::from(high) << 64 | u128::from(low), span, sampled)
    }
}

/// As a `traceparent`.
impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace, self.span, u8::from(self.sampled))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_traceparent_is_read_and_written() {
        let context = TraceContext::parse(TEXT).unwrap();
        assert!(context.sampled);
        assert_eq!(context.to_string(), TEXT);
        let (high, low) = context.halves();
        let again = TraceContext::from_halves(high, low, context.span.get(), true);
        assert_eq!(again, Some(context));
        assert!(!TraceContext::parse(&TEXT.replace("-01", "-00")).unwrap().sampled);
        let later = TEXT.replacen("00", "cc", 1) + "-what-ever";
        assert_eq!(TraceContext::parse(&later), Some(context));
    }

    #[test]
    fn what_is_none_is_refused() {
        let zero_trace = format!("00-{}-b7ad6b7169203331-01", "0".repeat(32));
        let zero_span = format!("00-0af7651916cd43dd8448eb211c80319c-{}-01", "0".repeat(16));
        let upper = TEXT.to_ascii_uppercase();
        let more = format!("{TEXT}-x");
        let forbidden = TEXT.replacen("00", "ff", 1);
        for wrong in ["", "00", &TEXT[..54], &zero_trace, &zero_span, &upper, &more, &forbidden] {
            assert_eq!(TraceContext::parse(wrong), None, "{wrong}");
        }
    }
}
