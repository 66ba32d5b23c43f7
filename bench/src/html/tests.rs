use super::{number, page, sample, write_charts};
use crate::report::Report;
use roxmltree::{Document, Node};

/// What readers see of a page, and what loads something. `meta` in the head is not
/// closed, as HTML has it; the rest is XML, too.
fn body(page: &str) -> &str {
    let (start, end) = (page.find("<body>"), page.find("</body>"));
    &page[start.expect("a body")..end.expect("it ends") + "</body>".len()]
}

fn text(node: Node<'_, '_>) -> String {
    let texts = node.descendants().filter(|node| node.is_text());
    texts
        .filter_map(|node| node.text())
        .map(str::trim)
        .collect::<Vec<_>>()
        .join("|")
}

fn tables(document: &Document<'_>) -> Vec<Vec<String>> {
    let rows = document
        .descendants()
        .filter(|node| node.has_tag_name("tr"));
    rows.map(|row| {
        row.children()
            .map(|cell| cell.text().unwrap_or("").to_owned())
            .collect()
    })
    .collect()
}

#[test]
fn tables_have_all_figures() {
    let report = sample::report();
    let page = page(&report, "bench");
    let document = Document::parse(body(&page)).expect("well-formed");
    let tables = tables(&document);
    for row in &report.rows {
        let figures = [row.median, row.min, row.p90].map(number::short);
        let found = tables.iter().any(|cells| {
            cells.len() == 7
                && cells[..2] == [row.case, row.subject]
                && cells[2..5] == figures
                && cells[5] == row.unit
        });
        assert!(found, "{} of {}", row.subject, row.case);
    }
    for ratio in &report.ratios {
        let name = format!("{} / {}", ratio.of, ratio.to);
        let figures = [ratio.median, ratio.min, ratio.max].map(number::short);
        let found = tables.iter().any(|cells| {
            cells.len() == 7
                && cells[..2] == [ratio.case, &name]
                && cells[2..5] == figures
                && cells[6] == ratio.verdict()
        });
        assert!(found, "{name} of {}", ratio.case);
    }
    for fit in &report.fits {
        let found = tables
            .iter()
            .any(|cells| cells[..3] == [fit.series, fit.subject, &fit.cost()]);
        assert!(found, "{} of {}", fit.subject, fit.series);
    }
}

/// A value label for every dot.
#[test]
fn charts_have_all_medians() {
    let report = sample::report();
    let page = page(&report, "bench");
    let document = Document::parse(body(&page)).expect("well-formed");
    let drawings = document
        .descendants()
        .filter(|node| node.tag_name().name() == "svg");
    let drawn = drawings.map(text).collect::<Vec<_>>().join("|");
    for row in report
        .rows
        .iter()
        .filter(|row| !row.case.starts_with("growth/"))
    {
        let label = number::measure(row.median, row.unit);
        assert!(drawn.contains(&format!("|{label}")), "{label} in {drawn}");
    }
    assert!(drawn.contains("|1.23 miss"), "{drawn}");
}

#[test]
fn nothing_is_loaded() {
    let page = page(&sample::report(), "bench");
    let document = Document::parse(body(&page)).expect("well-formed");
    for node in document.descendants().filter(Node::is_element) {
        let name = node.tag_name().name();
        assert!(
            !["script", "link", "img", "image", "iframe", "use"].contains(&name),
            "{name}"
        );
        for attribute in node.attributes() {
            assert!(
                !["src", "href", "xlink:href"].contains(&attribute.name()),
                "{attribute:?}"
            );
        }
    }
    let namespace = "xmlns=\"http://www.w3.org/2000/svg\"";
    let rest = page.replace(namespace, "");
    for loading in ["http", "//", "url(", "@import", "<script", "<link"] {
        assert!(!rest.contains(loading), "{loading}");
    }
}

#[test]
fn names_are_escaped() {
    let page = page(&sample::report(), "bench <suite>");
    assert!(!page.contains("<b>&\"new") && !page.contains("<engine>") && !page.contains("<suite>"));
    let document = Document::parse(body(&page)).expect("well-formed");
    let read = text(document.root());
    for name in ["<b>&\"new\"", "no <engine> & \"no\" luck", "bench <suite>"] {
        assert!(read.contains(name), "{name} in {read}");
    }
}

/// Charts are for everybody: what they show is said, and their figures can be read.
#[test]
fn charts_have_names() {
    let page = page(&sample::report(), "bench");
    let document = Document::parse(body(&page)).expect("well-formed");
    for drawing in document
        .descendants()
        .filter(|node| node.tag_name().name() == "svg")
    {
        let image = drawing.parent().expect("inside of something");
        assert_eq!(image.attribute("role"), Some("img"));
        assert!(
            image
                .attribute("aria-label")
                .is_some_and(|label| label.len() > 10)
        );
        assert!(image.ancestors().any(|node| node.has_tag_name("figure")));
    }
}

#[test]
fn only_what_was_run_is_asked() {
    let mut report = sample::report();
    let all = questions(&report);
    assert_eq!(all.len(), 5, "{all:?}");
    report.rows.retain(|row| row.case.starts_with("link/"));
    report.fits.clear();
    report.ratios.clear();
    assert_eq!(
        questions(&report),
        ["What do others take for the same work?"]
    );
    report.rows.clear();
    assert!(questions(&report).is_empty());
}

fn questions(report: &Report) -> Vec<String> {
    let page = page(report, "bench");
    let document = Document::parse(body(&page)).expect("well-formed");
    let headings = document
        .descendants()
        .filter(|node| node.has_tag_name("h2"));
    headings.map(text).collect()
}

/// Colours that stay as they were drawn would be those for light ground.
#[test]
fn no_color_is_fixed() {
    let page = page(&sample::report(), "bench");
    let body = body(&page);
    assert!(
        !body.contains("\"#"),
        "{:?}",
        body.split("\"#").nth(1).map(|rest| &rest[..6])
    );
}

#[test]
fn charts_are_files() {
    let folder = std::env::temp_dir().join(format!("hostcall-bench-{}", std::process::id()));
    write_charts(&sample::report(), &folder).expect("written");
    let files = ["light", "dark"].map(|name| {
        let file = std::fs::read_to_string(folder.join(format!("crossing-{name}.svg")));
        file.expect("a file")
    });
    std::fs::remove_dir_all(&folder).expect("removed");
    let texts = files
        .each_ref()
        .map(|file| text(Document::parse(file).expect("well-formed").root()));
    assert_eq!(texts[0], texts[1]);
    assert!(texts[0].contains("0.29 ns"), "{}", texts[0]);
    assert_ne!(files[0], files[1]);
}
