// What an operating system would do for the tests on a bare, simulated lx106: standard output, start and end.
#include <cstdint>
#include <cstdio>

extern "C" {
// Carried out by the emulator (start.S).
int simcall(int number, int a, int b, int c);
[[noreturn]] void machineStart();
[[noreturn]] void machineFailed(unsigned cause, unsigned at, unsigned address);
using Constructor = void (*)();
extern Constructor constructors_start[];
extern Constructor constructors_end[];
extern uint32_t bss_start[];
extern uint32_t bss_end[];
}

int main(int count, char** arguments);

namespace {

constexpr int callExit = 1;
constexpr int callWrite = 4;
constexpr int standardOutput = 1;
// Of a program that ended with an exception; tests end with 0 or 1.
constexpr int failedCode = 99;

[[noreturn]] void end(int code) {
  fflush(stdout);
  for (;;) simcall(callExit, code, 0, 0);
}

int putCharacter(char character, FILE*) {
  static char line[256];
  static int length = 0;
  line[length++] = character;
  if (character == '\n' || length == static_cast<int>(sizeof line)) {
    simcall(callWrite, standardOutput, static_cast<int>(reinterpret_cast<intptr_t>(line)), length);
    length = 0;
  }
  return static_cast<unsigned char>(character);
}

FILE console = FDEV_SETUP_STREAM(putCharacter, nullptr, nullptr, _FDEV_SETUP_WRITE);

}  // namespace

FILE* const stdin = &console;
FILE* const stdout = &console;
FILE* const stderr = &console;

extern "C" {
void machineStart() {
  for (uint32_t* at = bss_start; at < bss_end; at++) *at = 0;
  for (Constructor* at = constructors_start; at < constructors_end; at++) (*at)();
  char name[] = "tests";
  char* arguments[] = {name, nullptr};
  end(main(1, arguments));
}

void machineFailed(unsigned cause, unsigned at, unsigned address) {
  printf("\nexception %u at 0x%08x, address 0x%08x\n", cause, at, address);
  end(failedCode);
}

void _exit(int code) { end(code); }
}
