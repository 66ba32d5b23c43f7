//! Numbers of bytes on the command line.

/// Reads `65536`, `64K`, `64M` or `1G`, in powers of 1024.
pub fn parse(text: &str) -> Result<usize, String> {
    let upper = text.to_ascii_uppercase();
    let number = upper.trim_end_matches('B').trim_end_matches('I');
    let (number, shift) = match number.chars().last() {
        Some('K') => (&number[..number.len() - 1], 10),
        Some('M') => (&number[..number.len() - 1], 20),
        Some('G') => (&number[..number.len() - 1], 30),
        _ => (number, 0),
    };
    let count: usize = number
        .trim()
        .parse()
        .map_err(|_| "expected a number of bytes such as 65536, 64K, 64M or 1G".to_owned())?;
    count
        .checked_mul(1 << shift)
        .ok_or_else(|| "more bytes than this machine can address".to_owned())
}
