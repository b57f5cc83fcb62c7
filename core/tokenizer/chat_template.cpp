#include <cstdlib>

#include <nlohmann/json.hpp>

#include "core/io/python_json.h"
#include "core/io/utf8.h"
#include "core/tokenizer/ffi_handle.h"
#include "core/tokenizer/tokenizer.h"

namespace automodel::tokenizer {

struct ChatTemplate::Impl {
  ffi::TemplateHandle handle;
  std::string source;
};

ChatTemplate::ChatTemplate(std::string_view source) : impl_(std::make_unique<Impl>()) {
  ffi::CallError error;
  impl_->handle.reset(am_template_compile(ffi::view(source), error));
  error.check(ErrorCode::kFormat, "chat template");
  impl_->source = source;
}

ChatTemplate::~ChatTemplate() = default;
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;

Rendered ChatTemplate::render(const nlohmann::ordered_json& variables) const {
  const std::string json = io::write_python_json(variables, /*ensure_ascii=*/false);
  const auto invalid = io::find_invalid_utf8(json);
  check(!invalid,
        ErrorCode::kData,
        "chat template: the variables are not UTF-8 text at byte ",
        invalid.value_or(0),
        " of their JSON");
  const char* now = std::getenv("AUTOMODEL_NOW");
  ffi::CallError error;
  const ffi::RenderingHandle rendering(
      am_template_render(impl_->handle.get(), ffi::view(json), ffi::view(now != nullptr ? now : ""), error));
  error.check(ErrorCode::kData, "chat template");

  Rendered rendered;
  rendered.text = ffi::text(am_rendering_text(rendering.get()));
  const uint64_t* spans = am_rendering_spans(rendering.get());
  const int64_t* messages = am_rendering_span_messages(rendering.get());
  for (size_t i = 0; i < am_rendering_num_spans(rendering.get()); ++i) {
    rendered.assistant_spans.emplace_back(spans[2 * i], spans[2 * i + 1]);
    rendered.span_messages.push_back(messages[i]);
  }
  return rendered;
}

bool ChatTemplate::names(std::string_view word) const {
  return impl_->source.find(word) != std::string::npos;
}

bool ChatTemplate::has_generation_block() const {
  return am_template_has_generation(impl_->handle.get());
}

}  // namespace automodel::tokenizer
