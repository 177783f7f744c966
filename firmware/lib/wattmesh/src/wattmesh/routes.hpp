// The way down: parent pointers learned from recorded routes (non-storing RPL, RFC 6550 section 9.7), and who is where.
#pragma once
#include "wattmesh/clock.hpp"
#include "wattmesh/crypto.hpp"
#include "wattmesh/item.hpp"
#include "wattmesh/limits.hpp"
#include "wattmesh/port.hpp"

namespace wattmesh {

struct RoutePointer {
  uint16_t node = 0;
  uint16_t parent = 0;
  uint32_t used = 0;
};

class Routes {
 public:
  // `pointers` must outlive the table; a full one forgets the pointer used least recently.
  Routes(RoutePointer* pointers, size_t capacity) : pointers_(pointers), capacity_(capacity) {}

  // Notes who sent through whom; `self` received the item.
  void learn(const Item& item, uint16_t self);
  // A node below tells who its parent is now.
  void moved(uint16_t node, uint16_t parent);
  // `parent` cannot reach `node`: no route leads there until the node is heard again. Nothing happens when it has another parent by now.
  void forget(uint16_t node, uint16_t parent);
  // Through whom a node sends, as far as is known; 0: unknown.
  uint16_t parentOf(uint16_t node) const;
  // Short ids from the first hop below `self` to `target`; returns their number, 0: no route known.
  size_t path(uint16_t self, uint16_t target, uint16_t out[hopsMax]) const;

 private:
  const RoutePointer* find(uint16_t node) const;
  void set(uint16_t node, uint16_t parent);

  RoutePointer* pointers_;
  size_t capacity_;
  uint32_t uses_ = 0;
};

// Gateways: which short id a node id has at present, and through which proxy a node is joining.
class Directory {
 public:
  // `hub`: whose member the node is, 0 the gateway's. Returns whose it was when it was heard last.
  uint16_t set(const uint8_t nodeId[nodeIdBytes], uint16_t shortId, uint16_t hub);
  uint16_t find(const uint8_t nodeId[nodeIdBytes]) const { return entry(nodeId).shortId; }  // 0: unknown
  uint16_t hubOf(const uint8_t nodeId[nodeIdBytes]) const { return entry(nodeId).hub; }

  // An M1 came through the proxy with this short id; 0: the joiner is in reach of the gateway.
  void joining(const uint8_t nodeId[nodeIdBytes], uint16_t proxy, uint64_t nowUs);
  // An M1 came from the node itself: its M2 goes as any other packet.
  void renewing(const uint8_t nodeId[nodeIdBytes]);
  // False: no M1 of this node came through a proxy within the last minute.
  bool findProxy(const uint8_t nodeId[nodeIdBytes], uint64_t nowUs, uint16_t& proxy) const;

 private:
  struct Entry {
    uint8_t nodeId[nodeIdBytes] = {};
    uint16_t shortId = 0;
    uint16_t hub = 0;
    uint32_t used = 0;
  };
  struct JoinEntry {
    uint8_t nodeId[nodeIdBytes] = {};
    uint16_t proxy = 0;
    uint64_t heardUs = 0;  // 0: free
  };
  const Entry& entry(const uint8_t nodeId[nodeIdBytes]) const;

  uint32_t uses_ = 0;
  JoinEntry joins_[gatewayJoinersMax];
  Entry entries_[gatewayRoutePointersMax];
};

}  // namespace wattmesh
