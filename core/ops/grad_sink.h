#pragma once

#include <functional>
#include <vector>

#include "core/tensor/flat_parameter.h"

namespace automodel::ops {

struct Groups;

/// Receives weight gradients from the backward of ops and adds them into their units' flat gradient buffers:
/// at once, or when the engine says so (a schedule that fills pipeline bubbles with weight GEMMs). Frozen
/// units: never. The first gradient of a step overwrites, later ones add. Owned by the engine; one thread.
class GradSink {
 public:
  enum class When { kNow, kLater };

  explicit GradSink(When when = When::kNow) : when_(when) {}

  /// Whether operands are kept until run_deferred: they must not be overwritten before.
  bool defers() const { return when_ == When::kLater; }

  /// d(weight) += dy^T x. x [rows, in], dy [rows, out], weight [out, in] (one matrix: a piece).
  /// f32, and bf16 operands on a GPU: accumulated in f32 inside the GEMM. bf16 on a CPU: the product is
  /// formed in bf16, then added in the gradients' type.
  void linear(const tensor::Weight& weight, const at::Tensor& x, const at::Tensor& dy);

  /// d(weight) += grad, of the parameter's shape and any floating type.
  void add(const tensor::Weight& weight, const at::Tensor& grad);

  /// Row ids[r] of d(table) += dy[r]. ids [rows] int64, dy [rows, width].
  void embedding(const tensor::Weight& table, const at::Tensor& ids, const at::Tensor& dy);

  /// d(stacked[e]) += dy_e^T x_e over the slots of each expert; zero where an expert has none. stacked [E,
  /// out, in], x [S, in], dy [S, out]. Types as in linear(), but bf16 on a GPU: each expert's product is
  /// rounded to bf16 before it is added.
  void experts(const tensor::Weight& stacked,
               const at::Tensor& x,
               const at::Tensor& dy,
               const Groups& groups);

  /// d(bias[e]) += sum of weight * dy over the slots of each expert. bias [E, out], dy [S, out], weights [S]
  /// or undefined: ones.
  void expert_biases(const tensor::Weight& bias,
                     const at::Tensor& dy,
                     const at::Tensor& weights,
                     const Groups& groups);

  /// Runs what was put off, in the order it came.
  void run_deferred();

  size_t num_deferred() const { return deferred_.size(); }

 private:
  void submit(std::function<void()> work);

  When when_;
  std::vector<std::function<void()>> deferred_;
};

}  // namespace automodel::ops
