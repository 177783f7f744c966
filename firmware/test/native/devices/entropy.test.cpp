#include <cstring>
#include <set>
#include <vector>

#include "../check.hpp"
#include "../device.hpp"
#include "board/entropy.hpp"
#include "wattmesh/random_health.hpp"

using board::Entropy;
using namespace wattmesh;

namespace {

check::Random source(0);
uint64_t calls = 0;

uint32_t good() { return static_cast<uint32_t>(source.next()); }
uint32_t stuck() { return 0x12345678; }
uint32_t stuckLater() { return ++calls > 3000 ? 7 : good(); }
// Three of four samples are the same: far less than a bit each.
uint32_t biased() { return source.below(4) == 0 ? good() : 0; }

}  // namespace

TEST(entropyOfAGoodSourceNeverRepeats) {
  Device device(1);
  const Port port = device.port();
  source = check::Random(1);
  Entropy entropy;
  entropy.begin(port, good);
  CHECK(entropy.startUp());
  std::set<std::vector<uint8_t>> blocks;
  for (unsigned i = 0; i < 300; i++) {
    std::vector<uint8_t> block(1 + i % 70);
    CHECK(entropy.fill(block.data(), block.size()));
    if (block.size() >= 8) CHECK(blocks.insert(std::vector<uint8_t>(block.begin(), block.begin() + 8)).second);
  }
}

TEST(entropyOfAStuckSourceIsRefused) {
  Device device(1);
  const Port port = device.port();
  for (uint32_t (*noise)() : {stuck, biased}) {
    Entropy entropy;
    entropy.begin(port, noise);
    CHECK(!entropy.startUp());
    uint8_t out[4];
    CHECK(!entropy.fill(out, sizeof out));
  }
}

TEST(entropyThatStopsIsNoticed) {
  Device device(1);
  const Port port = device.port();
  calls = 0;
  Entropy entropy;
  entropy.begin(port, stuckLater);
  CHECK(entropy.startUp());
  uint8_t out[32];
  unsigned filled = 0;
  while (filled < 100 && entropy.fill(out, sizeof out)) filled++;
  CHECK(filled > 0 && filled < 20);
  // For good.
  calls = 0;
  CHECK(!entropy.fill(out, sizeof out));
}

TEST(entropyPassesTheTestsOfTheCore) {
  static Entropy entropy;
  static Device device(1);
  static Port port = device.port();
  source = check::Random(4);
  entropy = Entropy();
  entropy.begin(port, good);
  CHECK(entropy.startUp());
  Port drawing = port;
  drawing.random = [](void*, uint8_t* out, size_t length) { CHECK(entropy.fill(out, length)); };
  CHECK(!randomIsStuck(drawing));
}
