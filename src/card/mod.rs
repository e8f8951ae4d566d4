//! The model card: front matter, sections, template. Nothing is invented: numbers come from
//! evidence files, statements from people.
