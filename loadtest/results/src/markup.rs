//! HTML, SVG and XML text. What comes from a result can only get in through
//! methods that escape it: plain markup must be a literal.

use std::fmt::{self, Display, Write as _};

/// Markup so far.
#[derive(Debug, Default)]
pub(crate) struct Markup(String);

/// Attributes of a tag: names are literals, values are escaped.
pub(crate) type Attributes<'a> = &'a [(&'static str, &'a dyn Display)];

impl Markup {
    /// Markup that is known to be well formed.
    pub(crate) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.0.push_str(markup);
        self
    }

    /// Text, escaped.
    pub(crate) fn text(&mut self, text: impl Display) -> &mut Self {
        // Writing to a string does not fail, and a `Display` that fails is cut.
        let _ = write!(Escape(&mut self.0), "{text}");
        self
    }

    /// An opening tag.
    pub(crate) fn open(&mut self, tag: &'static str, attributes: Attributes<'_>) -> &mut Self {
        self.begin(tag, attributes);
        self.raw(">")
    }

    /// A tag that closes itself (SVG and XML).
    pub(crate) fn leaf(&mut self, tag: &'static str, attributes: Attributes<'_>) -> &mut Self {
        self.begin(tag, attributes);
        self.raw("/>")
    }

    /// A closing tag.
    pub(crate) fn close(&mut self, tag: &'static str) -> &mut Self {
        self.raw("</").raw(tag).raw(">")
    }

    /// An element with text in it.
    pub(crate) fn element(
        &mut self,
        tag: &'static str,
        attributes: Attributes<'_>,
        text: impl Display,
    ) -> &mut Self {
        self.open(tag, attributes).text(text).close(tag)
    }

    /// Markup that was made elsewhere.
    pub(crate) fn append(&mut self, other: Self) -> &mut Self {
        self.0.push_str(&other.0);
        self
    }

    /// All of it.
    pub(crate) fn into_string(self) -> String {
        self.0
    }

    fn begin(&mut self, tag: &'static str, attributes: Attributes<'_>) {
        self.raw("<").raw(tag);
        for (name, value) in attributes {
            self.raw(" ").raw(name).raw("=\"").text(value).raw("\"");
        }
    }
}

/// Escapes for text and attributes alike.
struct Escape<'a>(&'a mut String);

impl fmt::Write for Escape<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                '\t' | '\n' | '\r' => self.0.push(character),
                // XML 1.0 has no way to write these.
                '\u{fffe}' | '\u{ffff}' => self.0.push('\u{fffd}'),
                control if control.is_control() => self.0.push('\u{fffd}'),
                character => self.0.push(character),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_literals_are_markup() {
        let mut markup = Markup::default();
        let hostile = "<script>\"'&\u{1b}\n";
        markup.element("p", &[("title", &hostile), ("data-n", &1.5)], hostile);
        let escaped = "&lt;script&gt;&quot;&#39;&amp;\u{fffd}\n";
        assert_eq!(
            markup.into_string(),
            format!("<p title=\"{escaped}\" data-n=\"1.5\">{escaped}</p>")
        );
    }
}
