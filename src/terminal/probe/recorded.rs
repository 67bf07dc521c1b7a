//! What real terminals answered, recorded under X, Wayland and in a browser.

use super::answers::parties;
use super::{Found, Traits};
use crate::terminal::multiplexer::{Multiplexer, Tmux};

/// A terminal, perhaps with tmux in it.
pub struct Recorded {
    pub title: &'static str,
    pub answers: &'static str,
    pub environment: &'static [(&'static str, &'static str)],
    /// What tmux said of itself.
    pub tmux: Option<&'static str>,
}

const fn direct(
    title: &'static str,
    answers: &'static str,
    environment: &'static [(&'static str, &'static str)],
) -> Recorded {
    Recorded {
        title,
        answers,
        environment,
        tmux: None,
    }
}

const fn in_tmux(title: &'static str, tmux: &'static str, answers: &'static str) -> Recorded {
    Recorded {
        title,
        answers,
        environment: &[("TERM", "tmux-256color"), ("TMUX", "/run/tmux/default,1,0")],
        tmux: Some(tmux),
    }
}

const XTERM: (&str, &str) = ("TERM", "xterm-256color");

const TMUX_33: &str = "\x1bP>|tmux 3.3a\x1b\\\x1b[?1;2c";

#[rustfmt::skip]
pub const RECORDED: [Recorded; 24] = [
    direct("kitty 0.41", "\x1bP>|kitty(0.41.1)\x1b\\\x1b]11;rgb:0000/0000/0000\x1b\\\x1b[6;17;8t\x1b_Gi=31;OK\x1b\\\x1b[?62;c",
        &[("TERM", "xterm-kitty"), ("KITTY_WINDOW_ID", "1")]),
    direct("kitty 0.26", "\x1bP>|kitty(0.26.5)\x1b\\\x1b]11;rgb:0000/0000/0000\x1b\\\x1b[6;19;8t\x1b_Gi=31;OK\x1b\\\x1b[?62;c",
        &[("TERM", "xterm-kitty"), ("KITTY_WINDOW_ID", "1")]),
    direct("kitty by ssh", "\x1bP>|kitty(0.41.1)\x1b\\\x1b_Gi=31;OK\x1b\\\x1b[?62;c", &[XTERM]),
    direct("xterm", "\x1bP>|XTerm(379)\x1b\\\x1b]11;rgb:ffff/ffff/ffff\x1b\\\x1b[?1;3S\x1b[?2;3S\
        \x1b[?64;1;2;6;9;15;16;17;18;21;22;28c", &[("TERM", "xterm")]),
    direct("xterm -ti vt340", "\x1bP>|XTerm(398)\x1b\\\x1b]11;rgb:0000/0000/0000\x1b\\\x1b[?1;0;256S\x1b[?2;0;1200;850S\
        \x1b[?63;1;2;4;6;9;15;16;22;28c", &[("TERM", "xterm")]),
    direct("mlterm", "\x1b]11;rgb:0000/0000/0000\x1b\\\x1b[6;16;8t\x1b[?1;0;1024S\x1b[?1;3;0S\x1b[?63;1;2;3;4;6;7;15;18;22;29c",
        &[("TERM", "mlterm"), ("MLTERM", "3.9.2")]),
    direct("foot", "\x1bP>|foot(1.13.1)\x1b\\\x1b]11;rgb:1111/1111/1111\x1b\\\x1b[6;16;7t\x1b[?1;0;1024S\x1b[?2;0;693;464S\
        \x1b[?62;4;22c", &[("TERM", "foot")]),
    direct("Konsole", "\x1bP>|Konsole 22.12.3\x1b\\\x1b]11;rgb:2323/2626/2727\x1b\\\x1b[6;18;8t\x1b[?1;0;256S\
        \x1b[?2;0;16384;16384S\x1b]1337;ReportCellSize=18.0;8.0;1.0\x07\x1b_Gi=31;OK\x1b\\\x1b[?62;1;4c",
        &[XTERM, ("KONSOLE_VERSION", "221203")]),
    direct("Alacritty", "\x1b]11;rgb:1d1d/1f1f/2121\x1b\\\x1b[?6c", &[("TERM", "alacritty")]),
    direct("VTE", "\x1b]11;rgb:0000/0000/0000\x1b\\\x1b[?1;1S\x1b[?2;1S\x1b[?65;1;9c", &[XTERM, ("VTE_VERSION", "7006")]),
    direct("urxvt", "\x1b[?1;2c", &[("TERM", "rxvt-unicode-256color")]),
    direct("st", "\x1b]11;rgb:0000/0000/0000\x07\x1b[?6c", &[("TERM", "st-256color")]),
    direct("QTerminal", "\x1b[?1;2c", &[XTERM]),
    direct("Terminology", "\x1bP>|terminology 1.13.0\x1b\\\x1b]11;rgb:2020/2020/2020\x1b\\\x1b[?64;1;9;15;18;21;22c",
        &[XTERM, ("TERM_PROGRAM", "terminology")]),
    direct("xterm.js 6.1", "\x1bP>|xterm.js(6.1.0-beta.337)\x1b\\\x1b]11;rgb:0000/0000/0000\x1b\\\x1b[6;15;8t\x1b[?1;0;4096S\
        \x1b[?2;0;1174;720S\x1b]1337;ReportCellSize=15.000;7.827;1.000\x1b\\\x1b_Gi=31;OK\x1b\\\x1b[?62;4;9;22c", &[XTERM]),
    direct("VS Code with images", "\x1b]11;rgb:0000/0000/0000\x1b\\\x1b[6;15;8t\x1b[?1;0;256S\x1b[?2;0;1174;720S\x1b[?62;4;9;22c",
        &[XTERM, ("TERM_PROGRAM", "vscode")]),
    direct("screen", "\x1b[?1;2c", &[("TERM", "screen"), ("STY", "19521.pts-0.vm")]),
    in_tmux("tmux 3.3 in kitty 0.41", "3.3a|1|title|1|1|1|xterm-kitty|kitty(0.41.1)",
        "\x1bP>|tmux 3.3a\x1b\\\x1b[?1;2c\x1bP>|kitty(0.41.1)\x1b\\\x1b]11;rgb:0000/0000/0000\x1b\\\x1b[6;17;8t\
         \x1b_Gi=31;OK\x1b\\\x1b[?62;c"),
    in_tmux("tmux 3.5 in kitty 0.41", "3.5a|on|title|1|1|1|xterm-kitty|kitty(0.41.1)",
        "\x1bP>|tmux 3.5a\x1b\\\x1b]11;rgb:0000/0000/0000\x1b\\\x1b[6;17;8t\x1b[?1;0;1024S\x1b[?2;3;0S\x1b[?1;2;4c\
         \x1bP>|kitty(0.41.1)\x1b\\\x1b[6;17;8t\x1b_Gi=31;OK\x1b\\\x1b[?62;c"),
    in_tmux("tmux 3.3 in kitty 0.26", "3.3a|1|title|1|1|1|xterm-kitty|kitty(0.26.5)",
        "\x1bP>|tmux 3.3a\x1b\\\x1b[?1;2c\x1bP>|kitty(0.26.5)\x1b\\\x1b[6;19;8t\x1b_Gi=31;OK\x1b\\\x1b[?62;c"),
    in_tmux("tmux 3.3 in kitty 0.41, closed", "3.3a|0|title|1|1|1|xterm-kitty|kitty(0.41.1)", TMUX_33),
    in_tmux("tmux 3.3 in xterm -ti vt340", "3.3a|1|RGB,title|1|1|1|xterm|XTerm(379)",
        "\x1bP>|tmux 3.3a\x1b\\\x1b[?1;2c\x1bP>|XTerm(379)\x1b\\\x1b[?63;1;2;4;6;9;15;16;22;28c"),
    in_tmux("tmux 3.5 in xterm -ti vt340", "3.5a|on|RGB,sixel,title|1|1|1|xterm|XTerm(379)",
        "\x1bP>|tmux 3.5a\x1b\\\x1b]11;rgb:0000/0000/0000\x1b\\\x1b[6;17;8t\x1b[?1;0;1024S\x1b[?2;3;0S\x1b[?1;2;4c\
         \x1bP>|XTerm(379)\x1b\\\x1b[?63;1;2;4;6;9;15;16;22;28c"),
    in_tmux("tmux 3.5 in mlterm", "3.5a|off|focus,sixel,title|1|1|1|mlterm|",
        "\x1bP>|tmux 3.5a\x1b\\\x1b]11;rgb:0000/0000/0000\x1b\\\x1b[6;16;8t\x1b[?1;0;1024S\x1b[?2;3;0S\x1b[?1;2;4c"),
];

impl Recorded {
    /// What is known of it.
    pub fn traits(&self) -> Traits {
        let variable = |name: &str| {
            let found = self.environment.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        let multiplexer = match self.tmux {
            Some(answer) => Tmux::from_answer(answer).map(Multiplexer::Tmux),
            None => Multiplexer::from_variables(variable),
        };
        let found = Found {
            parties: parties(self.answers.as_bytes()),
            took: Some(std::time::Duration::from_millis(3)),
        };
        Traits::from_answers(found, multiplexer, &variable)
    }
}
