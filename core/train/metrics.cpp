#include "core/train/metrics.h"

#include <array>
#include <cstdio>

#include <nlohmann/json.hpp>
#include <sys/resource.h>

#include "core/base/clock.h"
#include "core/base/log.h"

namespace automodel::train {
namespace {

template <class... Values>
std::string format(const char* pattern, Values... values) {
  std::array<char, 512> text{};
  std::snprintf(text.data(), text.size(), pattern, values...);
  return text.data();
}

nlohmann::ordered_json or_null(const std::optional<double>& value) {
  return value ? nlohmann::ordered_json(*value) : nullptr;
}

/// "1.2345"; "none" where no token had a label.
std::string loss_text(const std::optional<double>& loss) {
  return loss ? format("%.4f", *loss) : "none";
}

}  // namespace

Metrics::Metrics(std::filesystem::path folder, store::RunRecorder& run)
    : folder_(std::move(folder)), run_(run) {}

void Metrics::write(const TrainRecord& record) {
  nlohmann::ordered_json line;
  line["step"] = record.step;
  line["epoch"] = record.epoch;
  line["timestamp"] = utc_timestamp();
  line["loss"] = or_null(record.loss);
  line["grad_norm"] = record.grad_norm;
  line["lr"] = record.lr;
  line["mem"] = record.mem_gib;
  line["tps"] = record.tps;
  line["tps_per_gpu"] = record.tps;
  line["mfu"] = or_null(record.mfu_percent);
  line["num_tokens_per_step"] = record.num_tokens_per_step;
  line["num_label_tokens"] = record.num_label_tokens;
  for (const auto& [name, value] : record.extra_metrics) line[name] = value;
  if (!training_) training_ = std::make_unique<store::JsonLines>(folder_ / "training.jsonl");
  training_->append(line);
  run_.metric("", line);
  log::info(format(
      "step %lld | epoch %lld | loss %s | grad_norm %.4f | lr %.2e | mem %.2f GiB | tps %.2f(%.2f/gpu) | num_label_tokens %lld%s%s",
      static_cast<long long>(record.step),
      static_cast<long long>(record.epoch),
      loss_text(record.loss).c_str(),
      record.grad_norm,
      record.lr,
      record.mem_gib,
      record.tps,
      record.tps,
      static_cast<long long>(record.num_label_tokens),
      record.progress.empty() ? "" : " | ",
      record.progress.c_str()));
}

void Metrics::write(const ValidationRecord& record) {
  auto& file = validation_[record.name];
  if (!file) {
    const std::string name =
        record.name == "default" ? "validation.jsonl" : "validation_" + record.name + ".jsonl";
    file = std::make_unique<store::JsonLines>(folder_ / name);
  }
  nlohmann::ordered_json line;
  line["step"] = record.step;
  line["epoch"] = record.epoch;
  line["timestamp"] = utc_timestamp();
  line["val_loss"] = or_null(record.val_loss);
  line["lr"] = record.lr;
  line["num_label_tokens"] = record.num_label_tokens;
  line["mem"] = record.mem_gib;
  file->append(line);
  run_.metric(record.name, line);
  log::info("[val] name \"",
            record.name,
            "\" | ",
            format("step %lld | epoch %lld | loss %s | lr %.2e | num_label_tokens %lld",
                   static_cast<long long>(record.step),
                   static_cast<long long>(record.epoch),
                   loss_text(record.val_loss).c_str(),
                   record.lr,
                   static_cast<long long>(record.num_label_tokens)));
}

double peak_process_memory_gib() {
  struct rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / (1 << 20);
}

}  // namespace automodel::train
