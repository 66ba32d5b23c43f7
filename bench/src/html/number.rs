//! Numbers as people read them.

/// Three figures, two if it is below 1.
pub fn short(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let magnitude = value.abs().log10().floor() as i32;
    let figures = if magnitude < 0 { 1 } else { 2 };
    let text = format!("{value:.*}", (figures - magnitude).clamp(0, 9) as usize);
    grouped(&text)
}

/// With commas between thousands.
fn grouped(text: &str) -> String {
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut out = String::new();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out + rest
}

/// A mark on an axis: no more figures than it has, thousands as `5k`.
pub fn tick(value: f64) -> String {
    match value {
        v if v >= 1e6 => format!("{}M", v / 1e6),
        v if v >= 1e3 => format!("{}k", v / 1e3),
        v => v.to_string(),
    }
}

/// `("ns", "call")` of `ns/call`.
fn unit(unit: &str) -> (&str, &str) {
    unit.split_once('/').unwrap_or((unit, ""))
}

/// `ns per call` of `ns/call`.
pub fn per(name: &str) -> String {
    name.replacen('/', " per ", 1)
}

/// `8.84 ns`.
pub fn measure(value: f64, name: &str) -> String {
    match unit(name).0 {
        "|t|" => short(value),
        unit => format!("{} {unit}", short(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_figures() {
        let shown = [
            0.0, 0.0452, 0.284, 0.997, 8.838, 77.38, 217.36, 2248.99, 1234567.0,
        ];
        let expected = [
            "0",
            "0.045",
            "0.28",
            "1.00",
            "8.84",
            "77.4",
            "217",
            "2,249",
            "1,234,567",
        ];
        assert_eq!(shown.map(short), expected);
    }

    #[test]
    fn marks_are_short() {
        let marks = [0.1, 0.5, 1.0, 20.0, 1e3, 5e4, 2e6].map(tick);
        assert_eq!(marks, ["0.1", "0.5", "1", "20", "1k", "50k", "2M"]);
    }

    #[test]
    fn units_are_shown() {
        assert_eq!(measure(14.11, "us/instantiate"), "14.1 us");
        assert_eq!(measure(1.69, "|t|"), "1.69");
    }
}
