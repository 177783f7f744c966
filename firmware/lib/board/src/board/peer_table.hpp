// Which neighbours ESP-NOW knows: it sends to nobody else, and remembers twenty. The one that was not sent to for longest makes room.
#pragma once
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "wattmesh/port.hpp"

namespace board {

constexpr size_t espNowPeersMax = 20;

class PeerTable {
 public:
  enum class Change : uint8_t { none, add, replace };

  // `mac` is about to be sent to. add: tell ESP-NOW of it. replace: take `leaves` from ESP-NOW first.
  Change use(const uint8_t mac[wattmesh::macBytes], uint8_t leaves[wattmesh::macBytes]) {
    Peer* oldest = peers_;
    for (Peer& peer : peers_) {
      if (peer.used != 0 && memcmp(peer.mac, mac, wattmesh::macBytes) == 0) {
        peer.used = ++clock_;
        return Change::none;
      }
      if (peer.used < oldest->used) oldest = &peer;
    }
    const Change change = oldest->used == 0 ? Change::add : Change::replace;
    memcpy(leaves, oldest->mac, wattmesh::macBytes);
    memcpy(oldest->mac, mac, wattmesh::macBytes);
    oldest->used = ++clock_;
    return change;
  }

  // ESP-NOW did not take it.
  void forget(const uint8_t mac[wattmesh::macBytes]) {
    for (Peer& peer : peers_) {
      if (memcmp(peer.mac, mac, wattmesh::macBytes) == 0) peer.used = 0;
    }
  }

  // ESP-NOW was started anew and knows nobody.
  void clear() { *this = PeerTable{}; }

 private:
  struct Peer {
    uint64_t used = 0;  // when it was used last, counted in uses; 0: free
    uint8_t mac[wattmesh::macBytes] = {};
  };
  Peer peers_[espNowPeersMax];
  uint64_t clock_ = 0;
};

}  // namespace board
