// One whole device on a fake chip: NOR flash that knows its rules, a radio and a host that note what they get, a SHA-256 that gives
// zeros, so that every MAC is eight zeros and nobody has to guess one, and an AEAD that hides nothing and takes every tag. After each
// call the board checks what must hold.
#pragma once
#include <array>
#include <deque>
#include <memory>

#include "../native/device.hpp"
#include "input.hpp"
#include "watch.hpp"
#include "wire.hpp"
#include "wattmesh/node.hpp"

namespace fuzz {

using Mac = std::array<uint8_t, wattmesh::macBytes>;

// The MAC address of a neighbour that is no board.
Mac neighbourMac(uint8_t number);

// What all boards of a world are told before they start.
struct Setup {
  uint8_t suite = wattmesh::suiteNone;
  bool hasKey = true;       // the network key; without it they join through a proxy
  bool serialHost = false;  // of gateways
};

class Board : private Device {
 public:
  // A meter has rows of an earlier life in its log, which is almost full, and a switch.
  Board(wattmesh::Role role, const Setup& setup);
  ~Board();

  // Power comes, or comes again: flash stays, RAM is new.
  void boot(uint64_t nowUs);
  void receive(const Mac& from, bool isBroadcast, const Bytes& frame, uint64_t nowUs);
  void hostBytes(const Bytes& bytes, uint64_t nowUs);
  void tick(uint64_t nowUs);
  // The radio is done with the frame that is on the air.
  void sent(bool ok, uint64_t nowUs);

  // When tick() or, with a frame on the air, sent() is to be called next.
  uint64_t nextUs() const { return isSending_ && sentUs_ < nextUs_ ? sentUs_ : nextUs_; }
  bool isSending() const { return isSending_; }
  bool isSendingDone(uint64_t nowUs) const { return isSending_ && nowUs >= sentUs_; }
  const Bytes& onAir() const { return onAir_; }
  const Mac& onAirTo() const { return onAirTo_; }

  wattmesh::Role role() const { return config_.role; }
  Mac mac() const;
  const uint8_t* nodeId() const { return node_->session().nodeId(); }
  uint8_t suite() const { return config_.suite; }
  Sealing sealing() const { return Sealing{nodeId(), suite(), session().id()}; }
  // Id of the network key that the device uses.
  uint8_t keyId() const { return watch_.keyId(); }
  const wattmesh::Session& session() const { return node_->session(); }
  const wattmesh::Node& node() const { return *node_; }
  // Handshake number of the last M1 that went out, 0 none.
  uint32_t handshake() const { return watch_.handshake(); }
  Watch& watch() { return watch_; }
  // nullptr: no meter.
  wattmesh::Meter* meter() { return meter_ == nullptr ? nullptr : &meter_->meter; }
  // Every row in the log can be read and is what was committed.
  void checkLog();

  // The world around: what the radio, the host and the registers do when asked.
  bool radioIsBusy = false;
  int8_t rssiDbm = -50;  // of what it receives
  uint64_t airUs = 2000;  // from the hand-over of a frame to the callback
  bool hostIsFull = false;
  bool hasRegisters = true;
  wattmesh::Registers registers{};
  // What the host got and has not looked at yet.
  std::deque<Bytes> toHost;

 private:
  static constexpr size_t toHostMax = 256;

  static Board* boardOf(void* device);
  wattmesh::Port port();
  static void addCrypto(wattmesh::Port& port);
  static void addOutputs(wattmesh::Port& port);
  void settled(uint64_t nextUs, uint64_t nowUs);
  bool radioSend(const uint8_t to[wattmesh::macBytes], const uint8_t* frame, size_t length);
  bool hostSend(const uint8_t* data, size_t length);

  wattmesh::Config config_{};
  wattmesh::Port port_{};
  std::unique_ptr<wattmesh::MeterDevice> meter_;
  std::unique_ptr<wattmesh::HubDevice> hub_;
  std::unique_ptr<wattmesh::GatewayDevice> gateway_;
  wattmesh::Node* node_ = nullptr;
  bool rebootsNext_ = false;
  bool relayIsOn_ = false;
  Watch watch_;
  uint64_t nowUs_ = 0;
  uint64_t nextUs_ = 0;
  bool isSending_ = false;
  uint64_t sentUs_ = 0;
  Bytes onAir_;
  Mac onAirTo_{};
};

}  // namespace fuzz
