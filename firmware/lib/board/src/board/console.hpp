// The serial console: lines of text in, answers out, the last line of each beginning with "ok" or "error: ". firmware/README.md lists the
// commands.
#pragma once
#include "board/settings.hpp"

namespace board {

// What the console asks of the board.
struct ConsolePort {
  void* context;
  // One line of an answer, without its end.
  void (*print)(void* context, const char* line);
  // This device's public key; false: flash failed.
  bool (*publicKey)(void* context, uint8_t key[wattmesh::keyBytes]);
  // Saves; on success the board restarts a moment later.
  wattmesh::Error (*save)(void* context, const Settings& settings);
  void (*restart)(void* context);
  // Prints how the device is doing.
  void (*status)(void* context);
};

class Console {
 public:
  // Both ports must outlive the console.
  Console(const ConsolePort& console, const wattmesh::Port& port, wattmesh::Role role) : console_(console), port_(port), role_(role) {}

  // `settings` are those in use; what is set stays here until `save`.
  void begin(const Settings& settings) { settings_ = settings; }
  // A character from the line; a line ends with CR, LF or both.
  void push(char character);
  void printLabel();

 private:
  // "set modulus " and 512 digits.
  static constexpr size_t lineBytesMax = 544;

  void execute(char* line);
  void set(char* words);
  void show();
  void help();
  void save();
  const char* missing() const { return whatIsMissing(settings_, role_, port_.rsaOaepEncrypt != nullptr); }
  void print(const char* line) { console_.print(console_.context, line); }

  const ConsolePort& console_;
  const wattmesh::Port& port_;
  wattmesh::Role role_;
  Settings settings_;
  char line_[lineBytesMax + 1] = {};
  size_t length_ = 0;
  bool tooLong_ = false;
};

// Takes a setting's text over. nullptr: done; otherwise what is wrong and what would be right.
const char* applySetting(Settings& settings, const char* name, const char* value);

}  // namespace board
