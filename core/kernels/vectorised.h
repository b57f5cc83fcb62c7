#pragma once

/// For loops of core/kernels/*_cpu.cpp: compiled once for each level of x86-64 vector instructions,
/// everything they call inlined, the best of them chosen when the library is loaded. Results are equal to the
/// bit: no operation is contracted or reordered.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define AUTOMODEL_VECTORISED \
  __attribute__((flatten, target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define AUTOMODEL_VECTORISED
#endif
