//! Colours, or what stands for them where nobody wants colours.

use ratatui::style::{Color, Modifier, Style};

/// Styles by what they say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Palette {
    coloured: bool,
}

impl Palette {
    /// With or without colours.
    pub(crate) fn new(coloured: bool) -> Self {
        Self { coloured }
    }

    /// As the environment wants it: <https://no-color.org>.
    pub(crate) fn from_environment() -> Self {
        Self::new(std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()))
    }

    fn colour(self, colour: Color) -> Style {
        if self.coloured { Style::new().fg(colour) } else { Style::new() }
    }

    /// Names and headings.
    pub(crate) fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// What is not the matter itself.
    pub(crate) fn quiet(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// All is well.
    pub(crate) fn good(self) -> Style {
        self.colour(Color::Green)
    }

    /// To be looked at.
    pub(crate) fn doubtful(self) -> Style {
        self.colour(Color::Yellow).add_modifier(Modifier::BOLD)
    }

    /// Wrong. Without colours it is reversed, so that nobody can miss it.
    pub(crate) fn bad(self) -> Style {
        let style = self.colour(Color::Red).add_modifier(Modifier::BOLD);
        if self.coloured { style } else { style.add_modifier(Modifier::REVERSED) }
    }

    /// The curve that a chart is about.
    pub(crate) fn first_curve(self) -> Style {
        self.colour(Color::Cyan)
    }

    /// The curve beside it.
    pub(crate) fn second_curve(self) -> Style {
        self.colour(Color::Magenta)
    }

    /// Where a fault was made.
    pub(crate) fn fault(self) -> Style {
        self.colour(Color::Red)
    }
}
