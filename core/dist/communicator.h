#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/tensor/torch.h"

namespace automodel::dist {

/// Exchanges tensors among the ranks of one group. All ranks of the group make the same collective calls in
/// the same order; `name` says what for, stands in errors, and is compared where ranks can see each other's
/// calls. Tensors are contiguous, of one type and device per call.
///
/// Sums are formed in the order of ranks, bfloat16 in float32, so that the result depends on neither timing
/// nor transport. Nothing is averaged. Errors of any call: Error(kComm) naming the ranks and both calls when
/// calls differ, or the rank that left. Used by one thread.
class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual int64_t rank() const = 0;
  virtual int64_t size() const = 0;

  /// values [n] becomes the sum over ranks.
  virtual void all_reduce(const std::string& name, at::Tensor values) = 0;

  /// part [n] of each rank to whole [n * size], in the order of ranks.
  virtual void all_gather(const std::string& name, const at::Tensor& part, at::Tensor whole) = 0;

  /// part [n] becomes this rank's place of the sum over ranks of whole [n * size].
  virtual void reduce_scatter(const std::string& name, const at::Tensor& whole, at::Tensor part) = 0;

  /// Rows of `rows` go out in the order of ranks, send_counts[r] to rank r; `received` holds those that came
  /// in, receive_counts[r] from rank r. Counts may be 0. rows [sum of send_counts, width], received [sum of
  /// receive_counts, width].
  virtual void all_to_all(const std::string& name,
                          const at::Tensor& rows,
                          const std::vector<int64_t>& send_counts,
                          at::Tensor received,
                          const std::vector<int64_t>& receive_counts) = 0;

  /// To one rank, which receives in the order of sends. send() does not wait for the receiver.
  virtual void send(const std::string& name, const at::Tensor& values, int64_t to) = 0;
  virtual void receive(const std::string& name, at::Tensor values, int64_t from) = 0;

  /// Returns when all ranks have called it.
  virtual void barrier(const std::string& name) = 0;

  /// This rank leaves: calls of the others that wait or come later throw with `reason`.
  virtual void abort(const std::string& reason) = 0;
};

}  // namespace automodel::dist
