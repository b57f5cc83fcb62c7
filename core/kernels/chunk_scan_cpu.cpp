// The chunked scans' element-wise steps for the CPU.
#include "core/kernels/chunk_decay.h"
#include "core/kernels/delta_rule.h"
#include "core/kernels/scan_tile.h"
#include "core/kernels/serial_walk.h"
#include "core/kernels/ssd.h"

namespace automodel::kernels {

#define AUTOMODEL_INSTANTIATE(Body) template void run_units<Body>(const Body&, int64_t, int64_t);

#define AUTOMODEL_INSTANTIATE_COMPUTE(F)          \
  AUTOMODEL_INSTANTIATE(ChunkDecays<F>)           \
  AUTOMODEL_INSTANTIATE(ChunkDecaysBackward<F>)   \
  AUTOMODEL_INSTANTIATE(DecayScores<F>)           \
  AUTOMODEL_INSTANTIATE(DecayScoresBackward<F>)   \
  AUTOMODEL_INSTANTIATE(CarryStates<F>)           \
  AUTOMODEL_INSTANTIATE(CarryStatesBackward<F>)   \
  AUTOMODEL_INSTANTIATE(InvertUnitTriangular<F>)  \
  AUTOMODEL_INSTANTIATE(DeltaResidual<F>)         \
  AUTOMODEL_INSTANTIATE(DecayedUpdate<F>)         \
  AUTOMODEL_INSTANTIATE(DecayState<F>)            \
  AUTOMODEL_INSTANTIATE(DecayedUpdateBackward<F>) \
  AUTOMODEL_INSTANTIATE(DeltaResidualBackward<F>) \
  AUTOMODEL_INSTANTIATE(AddQueryGradient<F>)      \
  AUTOMODEL_INSTANTIATE(WholeGradient<F>)
AUTOMODEL_INSTANTIATE_COMPUTE(float)
AUTOMODEL_INSTANTIATE_COMPUTE(double)

#define AUTOMODEL_INSTANTIATE_ELEMENT(T)        \
  AUTOMODEL_INSTANTIATE(SsdInputs<T>)           \
  AUTOMODEL_INSTANTIATE(SsdInputsBackward<T>)   \
  AUTOMODEL_INSTANTIATE(JoinOutputs<T>)         \
  AUTOMODEL_INSTANTIATE(JoinOutputsBackward<T>) \
  AUTOMODEL_INSTANTIATE(DeltaKeys<T>)           \
  AUTOMODEL_INSTANTIATE(DeltaKeysBackward<T>)   \
  AUTOMODEL_INSTANTIATE(ReadTile<T>)            \
  AUTOMODEL_INSTANTIATE(WriteTile<T>)
AUTOMODEL_INSTANTIATE_ELEMENT(float)
AUTOMODEL_INSTANTIATE_ELEMENT(BF16)
AUTOMODEL_INSTANTIATE_ELEMENT(double)

#undef AUTOMODEL_INSTANTIATE
#undef AUTOMODEL_INSTANTIATE_COMPUTE
#undef AUTOMODEL_INSTANTIATE_ELEMENT

}  // namespace automodel::kernels
