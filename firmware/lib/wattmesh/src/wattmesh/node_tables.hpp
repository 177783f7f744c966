// What a node counts, and the tables that only some roles need.
#pragma once
#include "wattmesh/bundles.hpp"
#include "wattmesh/hub.hpp"
#include "wattmesh/queue.hpp"
#include "wattmesh/routes.hpp"
#include "wattmesh/spool.hpp"
#include "wattmesh/time_sync.hpp"

namespace wattmesh {

struct Counters {
  uint32_t framesReceived = 0;
  uint32_t framesSent = 0;
  uint32_t sendsFailed = 0;
  uint32_t badMac = 0;
  uint32_t replays = 0;
  uint32_t malformed = 0;
  uint32_t queueFull = 0;
};

// The tables that only hubs and gateways need.
struct HubTables {
  HubTables(Member* members, size_t memberCapacity, Room held, RoutePointer* pointers, size_t pointerCapacity)
      : hub(members, memberCapacity, held), routes(pointers, pointerCapacity) {}
  Hub hub;
  Routes routes;
  DuplicateCache seen;
  Spool spool;
};

// And only gateways.
struct GatewayTables {
  Directory directory;
  Bundles bundles;
  EarliestTime hostTime;
};

}  // namespace wattmesh
