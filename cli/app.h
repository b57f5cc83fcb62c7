#pragma once

namespace automodel::cli {

/// The whole program: reads the command line, runs one command, maps what it throws to an exit status
/// (docs/exit-codes.md). Results go to standard output; errors, one "error: ..." each, to standard error.
int run(int argc, const char* const* argv);

}  // namespace automodel::cli
