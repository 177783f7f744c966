#include "deep_sleep.hpp"

#include <cstring>

#include "ports/chip.hpp"
#include "wattmesh/bytes.hpp"
#include "wattmesh/crypto.hpp"
#include "wattmesh/flash.hpp"

using namespace wattmesh;

namespace {

constexpr uint64_t usPerSecond = 1000000;
// From the timer's end until the program counts time: ROM and boot loader. It is wrong by some milliseconds, which the core takes for its
// oscillator's error.
constexpr uint64_t startUs = 60000;
// Less is over before a start pays.
constexpr uint64_t sleepMinUs = usPerSecond;

// CRC-32 of the rest, counter u32 (Wh), its base u64 (0.1 Wh), wake u64 (us, of the core's time), age of the counter's reading u16 (s), channel u8,
// flags u8.
constexpr size_t headBytes = 28;
constexpr size_t headCrcBytes = 4;
constexpr uint8_t flagListens = 1;
constexpr uint8_t flagCounter = 2;
static_assert(headBytes + sleepBytesMax <= ports::retainedBytes, "an ESP8266 keeps no more");

uint32_t headCrc(const uint8_t* head) { return crc32(head + headCrcBytes, headBytes - headCrcBytes); }

}  // namespace

void DeepSleep::begin() {
  uint8_t head[headBytes];
  if (!ports::woke() || !ports::readRetained(head, sizeof head)) return;
  Reader reader(head, sizeof head);
  if (reader.u32() != headCrc(head)) return;
  energy_.counterWh = reader.u32();
  energy_.baseDwh = reader.u64();
  baseUs_ = reader.u64();
  ageUs_ = reader.u16() * usPerSecond;
  channel_ = reader.u8();
  const uint8_t flags = reader.u8();
  listens_ = (flags & flagListens) != 0;
  energy_.isValid = (flags & flagCounter) != 0;
  woke_ = true;
}

Error DeepSleep::start(Node& node, uint64_t nowUs) {
  uint8_t kept[ports::retainedBytes] = {};
  if (woke_ && ports::readRetained(kept, sizeof kept)) {
    const uint8_t none[ports::retainedBytes] = {};
    uint8_t head[headBytes];
    const bool isDestroyed = ports::writeRetained(none, sizeof none) && ports::readRetained(head, sizeof head) && allBytes(head, sizeof head, 0);
    if (!isDestroyed) memset(kept, 0, sizeof kept);
  }
  const Error error = woke_ ? node.wake(kept + headBytes, sleepBytesMax, coreUs(nowUs)) : node.boot(coreUs(nowUs));
  wipe(kept, sizeof kept);
  return error;
}

void DeepSleep::sleep(Node& node, const inputs::EnergyRegister& energy, uint8_t channel, uint64_t nowUs, uint64_t untilUs) {
  if (untilUs < coreUs(nowUs) + sleepMinUs) return;
  const uint64_t sleepUs = untilUs - coreUs(nowUs) - startUs;
  uint8_t kept[ports::retainedBytes] = {};
  if (node.saveSleep(kept + headBytes) == 0) return;
  const inputs::EnergyRegister::State state = energy.state();
  const uint64_t ageS = (nowUs - energy.readUs() + sleepUs) / usPerSecond;
  const bool listens = node.listensNext();
  Writer writer(kept + headCrcBytes, headBytes - headCrcBytes);
  writer.u32(state.counterWh);
  writer.u64(state.baseDwh);
  writer.u64(untilUs);
  writer.u16(ageS < UINT16_MAX ? static_cast<uint16_t>(ageS) : uint16_t{UINT16_MAX});
  writer.u8(channel);
  writer.u8(static_cast<uint8_t>((listens ? flagListens : 0) | (state.isValid ? flagCounter : 0)));
  Writer(kept, headCrcBytes).u32(headCrc(kept));
  const bool isKept = ports::writeRetained(kept, sizeof kept);
  wipe(kept, sizeof kept);
  if (isKept) ports::deepSleep(sleepUs, listens);
}
