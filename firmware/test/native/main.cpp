// Runs every registered test, or those whose names hold the first argument. Exit code 1: a check failed, or there was nothing to run.
#include <cstring>

#include "check.hpp"

namespace check {

namespace {

constexpr unsigned reportedMax = 20;

Test* tests = nullptr;
unsigned failures = 0;
const char* contextText = "";
unsigned long long contextNumber = 0;

// True when this failure is still worth a line.
bool counted() { return ++failures <= reportedMax; }

}  // namespace

Test::Test(const char* testName, Body testBody) : name(testName), body(testBody), next(tests) { tests = this; }

void context(const char* what, unsigned long long number) {
  contextText = what;
  contextNumber = number;
}

void fail(const char* file, int line, const char* what) {
  if (counted()) printf("%s:%d: %s (%s %llu)\n", file, line, what, contextText, contextNumber);
}

void failEqual(const char* file, int line, const char* what, long long actual, long long expected) {
  if (counted()) printf("%s:%d: %s is %lld, not %lld (%s %llu)\n", file, line, what, actual, expected, contextText, contextNumber);
}

}  // namespace check

int main(int count, char** arguments) {
  const char* wanted = count > 1 ? arguments[1] : "";
  unsigned run = 0;
  for (const check::Test* test = check::tests; test != nullptr; test = test->next) {
    if (strstr(test->name, wanted) == nullptr) continue;
    const unsigned before = check::failures;
    check::context("", 0);
    test->body();
    run++;
    printf("%s %s\n", check::failures == before ? "ok  " : "FAIL", test->name);
  }
  printf("%u tests, %u failed checks\n", run, check::failures);
  return run > 0 && check::failures == 0 ? 0 : 1;
}
