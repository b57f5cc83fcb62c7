#pragma once

// For core/kernels/*_cpu.cpp only: run_units of core/kernels/unit_walk.h.

#include <cmath>

#include "core/kernels/unit_walk.h"
#include "core/kernels/vector_math.h"
#include "core/kernels/vectorised.h"
#include "core/kernels/vectorised_sum.h"

namespace automodel::kernels {

/// The walk of one CPU thread.
struct SerialWalk {
  /// f(i) for i in [0, n).
  template <class F>
  void each(int64_t n, F f) const {
#pragma GCC ivdep
    for (int64_t i = 0; i < n; ++i) f(i);
  }

  /// The sum of f(i) over [0, n).
  template <class C, class F>
  C sum(int64_t n, F f) const {
    return vectorised_sum<C>(n, f);
  }

  /// f() by the lane that visits index i.
  template <class F>
  void at(int64_t /*i*/, F f) const {
    f();
  }

  template <class C>
  C exp(C x) const {
    return vector_exp(x);
  }

  template <class C>
  C reciprocal_root(C x) const {
    return 1 / std::sqrt(x);
  }

  template <class T>
  Compute<T> get(const T& x) const {
    return load(x);
  }

  template <class T>
  void put(T& to, Compute<T> x) const {
    store(to, x);
  }
};

template <class Body>
AUTOMODEL_VECTORISED void run_units(const Body& body, int64_t begin, int64_t end) {
  for (int64_t unit = begin; unit < end; ++unit) body(unit, SerialWalk());
}

}  // namespace automodel::kernels
