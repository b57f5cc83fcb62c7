#include <cstdlib>

#include <nlohmann/json.hpp>

#include "core/tokenizer/ffi_handle.h"
#include "core/tokenizer/tokenizer.h"

namespace automodel::tokenizer {

struct ChatTemplate::Impl {
  ffi::TemplateHandle handle;
};

ChatTemplate::ChatTemplate(std::string_view source) : impl_(std::make_unique<Impl>()) {
  ffi::CallError error;
  impl_->handle.reset(am_template_compile(ffi::view(source), error));
  error.check(ErrorCode::kFormat, "chat template");
}

ChatTemplate::~ChatTemplate() = default;
ChatTemplate::ChatTemplate(ChatTemplate&&) noexcept = default;
ChatTemplate& ChatTemplate::operator=(ChatTemplate&&) noexcept = default;

Rendered ChatTemplate::render(const nlohmann::ordered_json& variables) const {
  std::string json;
  try {
    json = variables.dump();
  } catch (const nlohmann::ordered_json::exception& error) {
    fail(ErrorCode::kData, "chat template: the variables are not UTF-8 text: ", error.what());
  }
  const char* now = std::getenv("AUTOMODEL_NOW");
  ffi::CallError error;
  const ffi::RenderingHandle rendering(
      am_template_render(impl_->handle.get(), ffi::view(json), ffi::view(now != nullptr ? now : ""), error));
  error.check(ErrorCode::kData, "chat template");

  Rendered rendered;
  rendered.text = ffi::text(am_rendering_text(rendering.get()));
  const uint64_t* spans = am_rendering_spans(rendering.get());
  for (size_t i = 0; i < am_rendering_num_spans(rendering.get()); ++i) {
    rendered.assistant_spans.emplace_back(spans[2 * i], spans[2 * i + 1]);
  }
  return rendered;
}

bool ChatTemplate::has_generation_block() const {
  return am_template_has_generation(impl_->handle.get());
}

}  // namespace automodel::tokenizer
