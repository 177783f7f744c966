// What must hold whatever comes in. A demand that is not met ends the process, which the fuzzer records as a finding.
#pragma once
#include <cstdio>
#include <cstdlib>

namespace fuzz {

[[noreturn]] inline void refuse(const char* file, int line, const char* what) {
  fprintf(stderr, "%s:%d: not met: %s\n", file, line, what);
  abort();
}

}  // namespace fuzz

#define DEMAND(condition) ((condition) ? static_cast<void>(0) : fuzz::refuse(__FILE__, __LINE__, #condition))
