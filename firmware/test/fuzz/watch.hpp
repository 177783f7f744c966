// What a device may never do, whatever it is sent: repeat a link counter or a sealed counter, send what is not well formed, offer a
// row that it did not commit, lose or change a row, call a row lost that it has, or keep itself busy for nothing.
#pragma once
#include <array>
#include <map>
#include <set>
#include <vector>

#include "input.hpp"
#include "wattmesh/control.hpp"
#include "wattmesh/meter.hpp"
#include "wattmesh/packet.hpp"
#include "wattmesh/session.hpp"

namespace fuzz {

class Watch {
 public:
  explicit Watch(wattmesh::Role role) : role_(role) {}

  void rebooted();
  // The device did something that others see.
  void effect() { quietTicks_ = 0; }
  void ticked(uint64_t nowUs);
  void traced(wattmesh::Trace event, const uint8_t* body, size_t length);
  // A frame on its way to the radio.
  void judgeFrame(const uint8_t* frame, size_t length, const wattmesh::Session& session, wattmesh::Meter* meter);
  // After a call.
  void judge(wattmesh::Meter& meter);
  // `mounted` has just been opened on the flash that `log` lives in.
  void judgeRows(wattmesh::Log& mounted, const wattmesh::Log& log) const;

  using Nonce = std::array<uint8_t, wattmesh::nonceBytes>;
  // What the device has drawn for the last PREPARE whose result it told.
  const Nonce& prepared() const { return prepared_; }
  // The head-end commits a nonce. For each of them the switch may move once.
  void commits(const Nonce& nonce) { committed_.insert(nonce); }
  // The switch moved.
  void relayMoved();
  // The last seq up to which, from `first` on, each was offered or told to be lost; first - 1: none.
  uint32_t toldUpTo(uint32_t first) const;

  uint32_t handshake() const { return handshake_; }
  // Id of the network key of the last frame.
  uint8_t keyId() const { return keyId_; }
  // Counter of the session's packet that went out last.
  uint32_t sealedLast() const { return sealed_.empty() ? 0 : sealed_.rbegin()->first; }
  // What the device has said about itself since the caller last cleared it: rows in packets of its own, answers to polls.
  std::map<uint32_t, uint32_t> offered;  // seq -> CRC of the row
  std::map<uint32_t, uint32_t> lost;     // first seq -> last, of rows that NV has lost, or that never were
  std::vector<uint16_t> answered;

 private:
  void judgeData(const uint8_t* body, size_t length, const wattmesh::Session& session, wattmesh::Meter* meter);
  void judgeFlood(const wattmesh::Flood& flood, const wattmesh::Session& session, wattmesh::Meter* meter);
  void judgeOwn(const uint8_t* packet, size_t length, const wattmesh::PacketHeader& header, const wattmesh::Session& session,
                wattmesh::Meter* meter);
  void judgeJoin(const wattmesh::Join& join, const wattmesh::Session& session);
  void judgeM1(const wattmesh::PacketHeader& header, const wattmesh::Session& session);
  void judgeReadings(const wattmesh::Section& section, wattmesh::Meter* meter);
  void judgeResult(const wattmesh::Section& section);
  void judgeLost(const wattmesh::Section& section, wattmesh::Meter* meter);
  void rowCommitted(const wattmesh::Row& row);
  bool isCopy(const wattmesh::Row& row) const;

  wattmesh::Role role_;
  uint32_t handshake_ = 0;
  uint32_t linkCounter_ = 0;
  uint8_t keyId_ = 1;
  Nonce prepared_ = {};
  std::set<Nonce> committed_;
  size_t relayMoves_ = 0;
  std::map<uint32_t, uint32_t> sealed_;  // counter -> CRC of the packet, of this session
  std::map<uint32_t, wattmesh::Row> measured_;
  uint32_t oldest_ = 0;
  uint32_t next_ = 0;
  unsigned quietTicks_ = 0;
  uint64_t quietUs_ = 0;
};

}  // namespace fuzz
