//! The plot of a measurement: a bar for each row's ratio to the echo, and behind it one for the
//! ratio to what HTTP and the library allow. It must not know how the numbers came about.

use std::fmt::{self, Write as _};

use crate::rows::Row;

/// Pixels.
const LABELS: f64 = 250.0;
const WIDTH: f64 = 560.0;
const MARGIN: f64 = 90.0;
const LINE: f64 = 22.0;
const BAR: f64 = 14.0;
const HEAD: f64 = 64.0;

/// A drawing that stands by itself: no script, no font of its own, readable on dark pages too.
pub(crate) fn svg<'a>(rows: impl Iterator<Item = &'a Row>) -> String {
    let bars: Vec<Bar> = rows.map(Bar::of).collect();
    let mut out = String::new();
    // Writing to a string doesn't fail.
    let _ = draw(&mut out, &bars);
    out
}

struct Bar {
    name: String,
    of_echo: f64,
    of_both: Option<f64>,
}

impl Bar {
    fn of(row: &Row) -> Self {
        let of_both = row.of_both().filter(|_| row.of_library().is_some());
        Self { name: row.name.clone(), of_echo: row.of_echo(), of_both }
    }
}

fn draw(out: &mut String, bars: &[Bar]) -> fmt::Result {
    let (width, mut top) = (LABELS + WIDTH + MARGIN, HEAD);
    let mut lines = String::new();
    for bar in bars {
        write_bar(&mut lines, bar, top)?;
        top += LINE;
    }
    let height = top + LINE;
    writeln!(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#ffffff\"/>\n\
         <text x=\"10\" y=\"20\" font-size=\"14\">Requests a second on one core</text>"
    )?;
    write_legend(out, 10.0, "#2b5c8a", "of a bare hyper echo of the same requests")?;
    write_legend(out, 300.0, "#c9d6e3", "signatures: of what the echo and the library allow")?;
    for step in 0..=4 {
        let share = f64::from(step) / 4.0;
        let (x, start, end) = (x(share), HEAD - 8.0, height - LINE);
        writeln!(
            out,
            "<line x1=\"{x:.1}\" y1=\"{start}\" x2=\"{x:.1}\" y2=\"{end}\" stroke=\"#dddddd\"/>\n\
             <text x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\" fill=\"#666666\">{share}</text>",
            end + 14.0
        )?;
    }
    writeln!(out, "{lines}</svg>")
}

fn write_legend(out: &mut String, x: f64, colour: &str, words: &str) -> fmt::Result {
    writeln!(
        out,
        "<rect x=\"{x}\" y=\"30\" width=\"12\" height=\"12\" fill=\"{colour}\"/>\n\
         <text x=\"{}\" y=\"40\">{}</text>",
        x + 18.0,
        escaped(words)
    )
}

fn write_bar(out: &mut String, bar: &Bar, top: f64) -> fmt::Result {
    let label = escaped(&bar.name);
    let baseline = top + BAR - 3.0;
    writeln!(
        out,
        "<text x=\"{}\" y=\"{baseline}\" text-anchor=\"end\">{label}</text>",
        LABELS - 8.0
    )?;
    let mut end = x(bar.of_echo);
    let mut words = format!("{:.2}", bar.of_echo);
    if let Some(share) = bar.of_both {
        write_rect(out, top, share, "#c9d6e3")?;
        end = end.max(x(share));
        write!(words, " / {share:.2}")?;
    }
    write_rect(out, top, bar.of_echo, "#2b5c8a")?;
    writeln!(out, "<text x=\"{:.1}\" y=\"{baseline}\">{words}</text>", end + 5.0)
}

fn write_rect(out: &mut String, top: f64, share: f64, colour: &str) -> fmt::Result {
    let width = x(share) - LABELS;
    writeln!(
        out,
        "<rect x=\"{LABELS}\" y=\"{top}\" width=\"{width:.1}\" height=\"{BAR}\" fill=\"{colour}\"/>"
    )
}

/// Where a ratio ends. What isn't a number, or too long for the drawing, stays within it.
fn x(share: f64) -> f64 {
    let share = if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) };
    LABELS + WIDTH * share
}

fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::tests::row;

    #[test]
    fn names_cannot_end_their_element() {
        assert_eq!(escaped("a<b>&\"c\""), "a&lt;b&gt;&amp;&quot;c&quot;");
        let drawn = svg([row("</text><script>")].iter());
        assert!(drawn.contains("&lt;/text&gt;&lt;script&gt;"));
        assert!(!drawn.contains("<script>"));
    }

    #[test]
    fn bars_end_where_their_ratio_is() {
        let drawn = svg([row("Sign")].iter());
        assert!(drawn.contains("width=\"56.0\" height=\"14\" fill=\"#2b5c8a\""), "{drawn}");
        assert!(drawn.contains("width=\"560.0\" height=\"14\" fill=\"#c9d6e3\""), "{drawn}");
        assert!(drawn.contains(">0.10 / 1.00</text>"), "{drawn}");
        assert!((x(f64::NAN) - LABELS).abs() < 1e-9);
        assert!((x(3.0) - LABELS - WIDTH).abs() < 1e-9);
    }
}
