// Packets that a gateway sends to members of other hubs: those for one hub wait a moment for each other and share a frame.
#pragma once
#include "wattmesh/bytes.hpp"
#include "wattmesh/clock.hpp"
#include "wattmesh/limits.hpp"
#include "wattmesh/routed.hpp"

namespace wattmesh {

struct Bundle {
  uint16_t hub = 0;  // short id, 0: free
  size_t hops = 0;       // to the hub
  size_t length = 0;
  uint64_t dueUs = 0;
  uint64_t untilUs = 0;  // a bundle that nobody takes is dropped: what it holds comes again
  uint8_t sections[bodyBytesMax] = {};
};

class Bundles {
 public:
  static constexpr size_t bundlesMax = 4;
  static constexpr uint64_t waitUs = 9 * usPerS;
  static constexpr uint64_t retryUs = 200 * usPerMs;
  static constexpr uint64_t lifeUs = 15 * usPerS;

  // False: there is no room, and what is there must go first.
  bool add(uint16_t hub, size_t hops, uint16_t target, const uint8_t* packet, size_t length, uint64_t nowUs) {
    Bundle* place = nullptr;
    for (Bundle& bundle : bundles_) {
      if (bundle.hub == hub) place = &bundle;
      if (place == nullptr && bundle.hub == 0) place = &bundle;
    }
    if (place == nullptr) return false;
    const size_t start = place->hub == hub ? place->length : 0;
    if (start >= routedRoom(hops)) return false;
    Writer writer(place->sections, routedRoom(hops));
    writer.rewind(start);
    if (!writePacketFor(writer, target, packet, length)) return false;
    if (place->hub != hub) {
      place->hub = hub;
      place->dueUs = nowUs + waitUs;
      place->untilUs = nowUs + lifeUs;
    }
    place->hops = hops;
    place->length = writer.length();
    return true;
  }

  // The bundle that has waited longest; nullptr: there is none.
  Bundle* oldest() {
    Bundle* oldest = nullptr;
    for (Bundle& bundle : bundles_) {
      if (bundle.hub != 0 && (oldest == nullptr || bundle.dueUs < oldest->dueUs)) oldest = &bundle;
    }
    return oldest;
  }

  uint64_t nextUs() {
    const Bundle* first = oldest();
    return first == nullptr ? never : first->dueUs;
  }

 private:
  Bundle bundles_[bundlesMax];
};

}  // namespace wattmesh
