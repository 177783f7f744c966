// What a hub keeps for its custodian in non-volatile memory: packets that RAM has no room for, or that nobody can be given to. A ring of slots
// that are written once each, oldest first out.
//
// Slot of 256 bytes: sequence u32, length u8, RSSI i8, reserved 2, CRC u32 over these and the item, the item as in a DATA frame, alone; the last
// 4 bytes are cleared once somebody else has custody of it. Slot n holds the sequences n, n + slots, ...: the sequence alone says where a packet
// lies. A sector is erased right before its first slot is written, and has nothing left by then, because there is one sector more than packets
// need. What a power cut has torn is left out: its custody was not confirmed.
#pragma once
#include <cstddef>
#include <cstdint>

#include "wattmesh/errors.hpp"
#include "wattmesh/limits.hpp"
#include "wattmesh/port.hpp"

namespace wattmesh {

constexpr size_t spoolSlotBytes = 256;
constexpr size_t spoolHeadBytes = 12;

// A slot as it lies in flash.
struct SpooledItem {
  uint8_t slot[spoolSlotBytes];
  size_t length() const { return slot[4]; }
  int8_t rssi() const { return static_cast<int8_t>(slot[5]); }
  const uint8_t* item() const { return slot + spoolHeadBytes; }
};

class Spool {
 public:
  // Finds what an earlier life has left in `bytes`, spoolSectors sectors or more, at `address`. badField: the size is not possible. nvRead: the
  // chip failed.
  [[nodiscard]] Error open(const Port& port, uint32_t address, uint32_t bytes);

  // Packets that are here, those included that are out.
  size_t count() const { return next_ - first_; }
  bool full() const { return count() >= spoolPacketsMax; }
  // Durable when it returns Error::none. queueFull: there is no room. nvWrite, nvRead: the chip failed, and the packet is not here.
  [[nodiscard]] Error append(const uint8_t* item, size_t length, int8_t rssi);

  // A copy of so many was taken out, to be sent.
  size_t out() const { return out_ - first_; }
  bool waits() const { return out_ != next_; }
  // Takes out the oldest of those that are not. False: it cannot be read; nothing more is known of it.
  bool take(SpooledItem& item);
  // Number of the packet that was taken out last, and of the oldest that is out.
  uint16_t taken() const { return static_cast<uint16_t>(out_ - 1); }
  uint16_t oldest() const { return static_cast<uint16_t>(first_); }
  // Somebody else has custody of the oldest that is out.
  void gone();

 private:
  enum class Slot : uint8_t { blank, torn, gone, held };

  uint32_t addressOf(uint32_t sequence) const;
  [[nodiscard]] Error read(uint32_t sequence, SpooledItem& item, Slot& state) const;

  const Port* port_ = nullptr;
  uint32_t address_ = 0;
  // Sequences: flash is worn out long before they end.
  uint32_t first_ = 0;  // of the oldest packet that is here
  uint32_t out_ = 0;    // of the oldest that is not out
  uint32_t next_ = 0;   // of the next one to come
};

}  // namespace wattmesh
