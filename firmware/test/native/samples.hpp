// One valid example of everything the judge knows, in canonical form.
#pragma once
#include <cstdint>
#include <vector>

#include "judge.hpp"

using Bytes = std::vector<uint8_t>;

struct Sample {
  const char* name;
  JudgeKind kind;
  Bytes bytes;
  bool isOpen;  // the last field is the rest, or may come again
};

const std::vector<Sample>& samples();
Bytes sampleNamed(const char* name);
