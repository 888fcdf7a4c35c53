use super::super::{Config, Layers, keys, reference};

#[test]
fn the_reference_loads_as_the_default_configuration() {
    let mut layers = Layers::default();
    layers.file("reference", &reference());
    assert_eq!(layers.build().unwrap(), Config::default());
}

#[test]
fn every_key_is_in_the_reference_with_its_variable() {
    let page = reference();
    let unwrapped = page.replace("\n# ", " ");
    for key in keys::keys() {
        assert!(page.contains(&format!("\n{} = ", key.name)), "{}", key.path());
        assert!(unwrapped.contains(&format!("Environment {}.", key.variable())), "{}", key.path());
    }
    assert!(page.lines().all(|line| line.chars().count() <= 112), "a line is too wide to read");
}

#[test]
fn the_reference_tells_the_least_interval() {
    let page = reference().replace("\n# ", " ");
    assert!(page.contains("fractions allowed, 0 or at least 0.1, at most 315360000. Default 30."));
    assert!(page.contains("fractions allowed, at least 0.1, at most 315360000. Default 27."));
}

#[test]
fn the_reference_has_no_links_that_only_rustdoc_understands() {
    assert!(!reference().contains("[`"), "a field's text has a rustdoc link");
}
