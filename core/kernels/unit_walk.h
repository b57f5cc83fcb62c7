#pragma once

#include <cstdint>

#include "core/kernels/element.h"

/// Loops written once for the CPU and the device. A *body* is a struct of pointers to const and mutable
/// memory with
///   template <class Walk> void operator()(int64_t unit, const Walk& walk) const;
/// Units are independent of each other. Inside one the body asks the walk to visit elements: on the CPU one
/// after the other in vector code, on the device by the lanes of a warp. An element is visited by the same
/// lane whenever its index is the same, so that what a body wrote at index i it may read again at index i.
namespace automodel::kernels {

#ifdef __CUDACC__
#define AUTOMODEL_ANYWHERE __device__
#else
#define AUTOMODEL_ANYWHERE
#endif

/// Runs units [begin, end) on the calling thread. Instantiated for the bodies of core/kernels/*_cpu.cpp.
template <class Body>
void run_units(const Body& body, int64_t begin, int64_t end);

}  // namespace automodel::kernels
