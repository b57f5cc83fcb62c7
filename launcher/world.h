#pragma once

#include <string>

namespace automodel::launcher {

/// Throws Error(kUnsupported) when more than one process is asked for: by `--nproc-per-node` (its text; ""
/// when it is not given) or by the environment of an outer torchrun, srun or mpirun (WORLD_SIZE,
/// SLURM_STEP_NUM_TASKS, OMPI_COMM_WORLD_SIZE). Throws Error(kUsage) when the text is no number.
void require_one_process(const std::string& nproc_per_node);

}  // namespace automodel::launcher
