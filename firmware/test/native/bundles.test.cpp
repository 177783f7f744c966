// Packets for members of other hubs that wait for each other.
#include <vector>

#include "check.hpp"
#include "wattmesh/bundles.hpp"

using namespace wattmesh;

namespace {

constexpr uint64_t s = usPerS;
constexpr uint16_t hub = 0x8001;
constexpr uint8_t packet[84] = {0x14, 0x01};

// Short ids of those for whom there is a packet in the bundle.
std::vector<uint16_t> targets(const Bundle& bundle) {
  std::vector<uint16_t> found;
  Reader reader(bundle.sections, bundle.length);
  while (reader.remaining() > 0) {
    RoutedSection section{};
    PacketForSection each{};
    if (nextRoutedSection(reader, section) != Error::none || decodePacketFor(section, each) != Error::none) return {};
    CHECK_EQUAL(each.packetLength, sizeof packet);
    found.push_back(each.target);
  }
  return found;
}

}  // namespace

TEST(packetsForOneHubShareAFrame) {
  Bundles bundles;
  CHECK(bundles.oldest() == nullptr);
  CHECK_EQUAL(bundles.nextUs(), never);
  CHECK(bundles.add(hub, 3, 5, packet, sizeof packet, 10 * s));
  CHECK(bundles.add(hub, 3, 6, packet, sizeof packet, 10 * s + 500000));
  const Bundle* bundle = bundles.oldest();
  CHECK(bundle != nullptr);
  CHECK_EQUAL(bundle->hub, hub);
  CHECK_EQUAL(bundle->hops, 3);
  // The first has waited long enough then.
  CHECK_EQUAL(bundles.nextUs(), 10 * s + Bundles::waitUs);
  CHECK(targets(*bundle) == (std::vector<uint16_t>{5, 6}));
}

TEST(whatDoesNotFitBesideTheRouteIsRefusedAndNothingIsLost) {
  Bundles bundles;
  // 236 B of body, 2 + 2 x 20 B of route, and 88 B for each.
  CHECK(bundles.add(hub, 20, 5, packet, sizeof packet, 1 * s));
  CHECK(bundles.add(hub, 20, 6, packet, sizeof packet, 1 * s));
  CHECK(!bundles.add(hub, 20, 7, packet, sizeof packet, 1 * s));
  CHECK(targets(*bundles.oldest()) == (std::vector<uint16_t>{5, 6}));
  // The way to the hub has become so long that there is no room beside what waits already.
  CHECK(bundles.add(0x8002, 1, 5, packet, sizeof packet, 1 * s));
  CHECK(bundles.add(0x8002, 1, 6, packet, sizeof packet, 1 * s));
  CHECK(!bundles.add(0x8002, 20, 7, packet, sizeof packet, 1 * s));
  CHECK(targets(*bundles.oldest()) == (std::vector<uint16_t>{5, 6}));
}

TEST(eachHubHasABundleOfItsOwnAsLongAsThereIsRoom) {
  Bundles bundles;
  for (uint16_t i = 0; i < Bundles::bundlesMax; i++) {
    CHECK(bundles.add(static_cast<uint16_t>(hub + i), 2, 5, packet, sizeof packet, (10 - i) * s));
  }
  CHECK(!bundles.add(0x9000, 2, 5, packet, sizeof packet, 11 * s));
  // The oldest gives way first, and its place is free when it has gone.
  CHECK_EQUAL(bundles.oldest()->hub, hub + Bundles::bundlesMax - 1);
  *bundles.oldest() = Bundle{};
  CHECK(bundles.add(0x9000, 2, 5, packet, sizeof packet, 11 * s));
  CHECK_EQUAL(bundles.oldest()->hub, hub + Bundles::bundlesMax - 2);
}
