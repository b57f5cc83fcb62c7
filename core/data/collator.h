#pragma once

#include <cstdint>
#include <vector>

#include "core/data/batch.h"

namespace automodel::data {

struct CollatorOptions {
  int64_t pad_token_id = 0;
  int64_t pad_seq_len_divisible = 1;    ///< the common length is a multiple of this
  int64_t ignore_index = kIgnoreIndex;  ///< written for labels that are not learnt
};

/// Pads samples on the right to the longest of them and counts what the reference counts:
/// num_label_tokens  labels that are learnt
/// num_tokens        positions up to each row's last learnt label: the reference takes every unlearnt tail
/// for padding
Batch collate(const std::vector<Sample>& samples, const CollatorOptions& options);

}  // namespace automodel::data
