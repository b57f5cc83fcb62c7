//! C functions for chat templates.

use jinja2::{Clock, Error, Kind, Span, Template};

use crate::border::{free, guarded_new, Code, Failure, View};

/// A finished text; spans flattened to begin, end, begin, end, ..., and the message of each, or -1.
pub struct Rendering {
    text: String,
    spans: Vec<u64>,
    span_messages: Vec<i64>,
}

impl From<Box<Error>> for Failure {
    fn from(error: Box<Error>) -> Failure {
        let code = match error.kind {
            Kind::Syntax => Code::Syntax,
            Kind::Raised => Code::Raised,
            Kind::Unsupported => Code::Unsupported,
            Kind::Undefined | Kind::Type | Kind::Security | Kind::Limit => Code::Failed,
        };
        Failure { code, line: error.line.unwrap_or(0), message: error.message }
    }
}

#[no_mangle]
pub unsafe extern "C" fn am_template_compile(source: View, error: *mut *mut Failure) -> *mut Template {
    guarded_new(error, || Ok(Template::compile(source.text()?)?))
}

#[no_mangle]
pub unsafe extern "C" fn am_template_free(template: *mut Template) {
    free(template);
}

#[no_mangle]
pub unsafe extern "C" fn am_template_has_generation(template: *const Template) -> bool {
    (*template).has_generation()
}

#[no_mangle]
pub unsafe extern "C" fn am_template_render(
    template: *const Template,
    variables: View,
    now: View,
    error: *mut *mut Failure,
) -> *mut Rendering {
    guarded_new(error, || {
        let now = now.text()?;
        let clock = match now {
            "" => Clock::now(),
            fixed => Clock::fixed(fixed).ok_or_else(|| {
                Failure::new(format!(
                    "AUTOMODEL_NOW is \"{fixed}\"; expected a time like 2024-07-26T12:00:00"
                ))
            })?,
        };
        let rendered = (*template).render(variables.text()?, &clock)?;
        let spans = rendered.spans.iter().flat_map(|span| [span.begin as u64, span.end as u64]).collect();
        let message = |span: &Span| span.message.map_or(-1, |index| index as i64);
        let span_messages = rendered.spans.iter().map(message).collect();
        Ok(Rendering { text: rendered.text, spans, span_messages })
    })
}

#[no_mangle]
pub unsafe extern "C" fn am_rendering_text(rendering: *const Rendering) -> View {
    View::of(&(*rendering).text)
}

#[no_mangle]
pub unsafe extern "C" fn am_rendering_num_spans(rendering: *const Rendering) -> usize {
    (*rendering).spans.len() / 2
}

#[no_mangle]
pub unsafe extern "C" fn am_rendering_spans(rendering: *const Rendering) -> *const u64 {
    (*rendering).spans.as_ptr()
}

#[no_mangle]
pub unsafe extern "C" fn am_rendering_span_messages(rendering: *const Rendering) -> *const i64 {
    (*rendering).span_messages.as_ptr()
}

#[no_mangle]
pub unsafe extern "C" fn am_rendering_free(rendering: *mut Rendering) {
    free(rendering);
}
