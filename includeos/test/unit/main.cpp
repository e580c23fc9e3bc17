// Runs every test whose name contains the first argument; all of them without one.
#include "check.h"

int main(int argc, char** argv) {
  const std::string wanted = argc > 1 ? argv[1] : "";
  int run = 0;
  int failed = 0;
  for (const UnitTest& test : unit_tests()) {
    if (test.name.find(wanted) == std::string::npos) continue;
    const int failed_before = failed_checks();
    test.run();
    run++;
    if (failed_checks() == failed_before) continue;
    failed++;
    std::cerr << "FAILED: " << test.name << "\n";
  }
  std::cout << run << " unit tests, " << failed << " failed\n";
  return failed == 0 && run > 0 ? 0 : 1;
}
