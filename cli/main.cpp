#include "cli/app.h"

int main(int argc, char** argv) {
  return automodel::cli::run(argc, argv);
}
