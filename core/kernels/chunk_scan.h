#pragma once

#include <variant>

#include "core/kernels/chunk_decay.h"
#include "core/kernels/delta_rule.h"
#include "core/kernels/ssd.h"

namespace automodel::kernels {

/// The bodies of the chunked scans that the device runs.
using DeviceBody = std::variant<ChunkDecays<float>,
                                ChunkDecaysBackward<float>,
                                DecayScores<float>,
                                DecayScoresBackward<float>,
                                CarryStates<float>,
                                CarryStatesBackward<float>,
                                InvertUnitTriangular<float>,
                                DeltaResidual<float>,
                                DecayedUpdate<float>,
                                DecayState<float>,
                                DecayedUpdateBackward<float>,
                                DeltaResidualBackward<float>,
                                SsdInputs<float>,
                                SsdInputsBackward<float>,
                                JoinOutputs<float>,
                                JoinOutputsBackward<float>,
                                DeltaKeys<float>,
                                DeltaKeysBackward<float>,
                                SsdInputs<BF16>,
                                SsdInputsBackward<BF16>,
                                JoinOutputs<BF16>,
                                JoinOutputsBackward<BF16>,
                                DeltaKeys<BF16>,
                                DeltaKeysBackward<BF16>>;

/// Every unit of [0, units), a warp each; asynchronous on `stream` (a cudaStream_t).
void chunk_scan_cuda(const DeviceBody& body, int64_t units, void* stream);

}  // namespace automodel::kernels
