// The append-only log of readings in non-volatile memory, circular over sectors.
//
// Sector: header of 16 bytes (logId 4, sector sequence u32, seq of its first row u32, CRC u32 over magic and the rest), then 102
// slots of 40 bytes (a row as writeRow writes it, CRC u32). Rows are written in order, so the n-th slot holds seq first + n unless a
// power cut tore a slot: then that slot is skipped and its seq is used again, because the row was not committed.
// A full log gives up its oldest sector: the header is overwritten with zeros first, so that a sector whose erasure was cut
// off can never be taken for a sector of rows of another log.
//
// Damage costs the rows that it hit and no others. Each row carries its seq: a sector whose header is damaged still belongs to the log when its
// rows go on where the sector before ended. Should no header be left, the records know the log's id.
#pragma once
#include <cstddef>
#include <cstdint>

#include "wattmesh/errors.hpp"
#include "wattmesh/limits.hpp"
#include "wattmesh/packet.hpp"
#include "wattmesh/port.hpp"
#include "wattmesh/records.hpp"
#include "wattmesh/row.hpp"

namespace wattmesh {

constexpr size_t logSlotBytes = rowBytes + 4;
constexpr size_t logHeaderBytes = 16;
constexpr size_t logSlotsPerSector = (sectorBytes - logHeaderBytes) / logSlotBytes;  // 102
constexpr size_t logSectorsMin = 2;
// The log ends here: the seq behind the last row must be a number too.
constexpr uint32_t seqMax = UINT32_MAX - 1;

class Log {
 public:
  // Mounts the log in `bytes` (logSectorsMin..logSectorsMax sectors) at `address`. When there are no rows the log starts empty:
  // a logId is drawn, XORed with the boot count so that it never comes twice, and made durable. Traces the last row again, because power
  // may have gone between commit and trace. badField: the size is not possible; nvRead, nvWrite: the chip failed.
  [[nodiscard]] Error open(const Port& port, uint32_t address, uint32_t bytes, Records* records = nullptr, uint16_t bootCount = 0);

  const uint8_t* logId() const { return logId_; }
  // Rows held are oldest()..next() - 1; none when both are equal. A row in between may be unreadable (nvCorrupt).
  uint32_t oldest() const { return firstSeq_[tail_]; }
  uint32_t next() const { return next_; }

  // Commits the row under seq next(), which is set in it. badField: a value outside its range. counterSpent: there is no seq left. nvWrite:
  // the chip failed; then every further append fails until the log is opened again, because nobody knows whether the row was committed.
  [[nodiscard]] Error append(Row& row);
  // badField: not held. nvCorrupt: its slot does not verify. Neighbouring seqs in turn cost one read of a slot each.
  [[nodiscard]] Error read(uint32_t seq, Row& row);
  // The row with the lowest seq from `seq` on that can be read. nvCorrupt: none is left.
  [[nodiscard]] Error readFrom(uint32_t seq, Row& row);
  // Goes on at `seq`, if that is above next(): those in between are never used.
  [[nodiscard]] Error skipTo(uint32_t seq);

 private:
  struct Header {
    uint8_t logId[logIdBytes];
    uint32_t sequence;
    uint32_t first;
  };
  enum class Slot : uint8_t { blank, torn, row };

  uint32_t sectorAddress(uint16_t sector) const;
  uint32_t slotAddress(uint16_t sector, uint16_t slot) const;
  uint16_t before(uint16_t sector) const;
  uint16_t after(uint16_t sector) const;
  uint16_t sectorOf(uint32_t seq) const;

  [[nodiscard]] Error readHeader(uint16_t sector, Header& header, bool& isValid) const;
  [[nodiscard]] Error readSlot(uint16_t sector, uint16_t slot, Slot& state, Row& row) const;
  [[nodiscard]] Error writeSlot(const Row& row);
  [[nodiscard]] Error wipeTornSlot(uint16_t slot);
  [[nodiscard]] Error findHead(bool& found);
  [[nodiscard]] Error findLostHead(const Records* records, bool& found);
  [[nodiscard]] Error followHead();
  [[nodiscard]] Error findTail();
  [[nodiscard]] Error isFull(uint16_t sector, bool& full) const;
  [[nodiscard]] Error scanHead();
  [[nodiscard]] Error span(uint16_t sector, uint32_t least, uint32_t most, uint32_t& first, uint32_t& last) const;
  [[nodiscard]] Error startEmpty(Records* records, uint16_t bootCount);
  [[nodiscard]] Error startSector(uint16_t sector, uint32_t sequence);
  [[nodiscard]] Error advance();
  void traceRow(const Row& row) const;

  const Port* port_ = nullptr;
  uint32_t address_ = 0;
  uint16_t sectors_ = 0;
  uint16_t head_ = 0;       // sector written to
  uint16_t tail_ = 0;       // sector of the oldest row
  uint16_t slot_ = 0;       // next free slot of the head
  uint32_t sequence_ = 0;   // of the head
  uint32_t next_ = 1;
  uint8_t logId_[logIdBytes] = {};
  bool broken_ = false;
  uint32_t hintSeq_ = 0;    // last row read, and where it was
  uint16_t hintSlot_ = 0;
  uint32_t firstSeq_[logSectorsMax] = {};
};

}  // namespace wattmesh
