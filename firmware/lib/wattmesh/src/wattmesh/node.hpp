// A whole device: the parts that every role shares, and the roles composed onto them. The caller owns the memory and the time:
// it calls receive, sent and hostBytes when something happens, and tick when the returned moment has come.
#pragma once
#include "wattmesh/children.hpp"
#include "wattmesh/commands.hpp"
#include "wattmesh/control.hpp"
#include "wattmesh/events.hpp"
#include "wattmesh/flood.hpp"
#include "wattmesh/gateway.hpp"
#include "wattmesh/join_proxy.hpp"
#include "wattmesh/key_ring.hpp"
#include "wattmesh/leaf.hpp"
#include "wattmesh/link.hpp"
#include "wattmesh/meter.hpp"
#include "wattmesh/neighbours.hpp"
#include "wattmesh/node_tables.hpp"
#include "wattmesh/poll_tree.hpp"
#include "wattmesh/polls_seen.hpp"
#include "wattmesh/proxy_search.hpp"
#include "wattmesh/queue.hpp"
#include "wattmesh/routed.hpp"
#include "wattmesh/routing.hpp"
#include "wattmesh/session.hpp"
#include "wattmesh/time_sync.hpp"
#include "wattmesh/transmitter.hpp"
#include "wattmesh/trickle.hpp"

namespace wattmesh {

class Node : private Downward, private HostSide {
 public:
  // `port`, the parts and the memory of the queues must outlive the node; parts of other roles are nullptr.
  [[gnu::externally_visible]] Node(const Port& port, const Config& config, Neighbours& neighbours, Meter* meter, HubTables* hub, Gateway* gateway, GatewayTables* tables, Room queue, Room control);

  // Mounts NV and starts. nowUs: microseconds since boot, never going back.
  [[nodiscard, gnu::externally_visible]] Error boot(uint64_t nowUs);
  // In place of boot() after deep sleep, with what saveSleep() wrote before; the time goes on from there. The caller has destroyed its copy in the
  // memory that outlasts sleep before: the counters in it must not be used twice. What is no state of this life of this device is a boot.
  [[nodiscard, gnu::externally_visible]] Error wake(const uint8_t* kept, size_t length, uint64_t nowUs);
  // Each returns the moment at which tick() wants to be called next.
  [[gnu::externally_visible]] uint64_t receive(const uint8_t from[macBytes], const uint8_t to[macBytes], const uint8_t* frame, size_t length, int8_t rssi,
                   uint64_t nowUs);
  [[gnu::externally_visible]] uint64_t sent(bool ok, uint64_t nowUs);
  [[gnu::externally_visible]] uint64_t hostBytes(const uint8_t* data, size_t length, uint64_t nowUs);
  [[gnu::externally_visible]] uint64_t tick(uint64_t nowUs);
  // Something happens now that the head-end is to hear of at once.
  uint64_t raise(EventCode code, int16_t value, uint64_t nowUs);

  const Session& session() const { return session_; }
  const TreePosition& position() const { return routing_.position(); }
  const Counters& counters() const { return counters_; }
  size_t members() const { return hub_ == nullptr ? 0 : hub_->hub.members(); }
  size_t queued() const { return queue_.count(); }
  size_t spooled() const { return hub_ == nullptr ? 0 : hub_->spool.count(); }
  // A battery leaf: the chip may sleep until the moment that the last call returned, its receiver off.
  bool asleep() const { return leaf_.asleep(); }
  // Asleep: what is to outlast a sleep in which RAM is lost. Bytes written; 0: it does not fit, and RAM must stay.
  [[gnu::externally_visible]] size_t saveSleep(uint8_t out[sleepBytesMax]);
  // Asleep: at the end of it the radio is wanted. Otherwise a row is taken.
  [[gnu::externally_visible]] bool listensNext() const;
  // Network time at `nowUs`, in microseconds of UTC; 0: none.
  uint64_t utcUs(uint64_t nowUs) const { return clock_.valid() ? clock_.utcUs(scale_.local(nowUs)) : 0; }

 private:
  // node.cpp: life and beacons
  [[nodiscard]] Error mount(uint64_t nowUs, bool wakes);
  void begin();
  void settle();
  uint64_t restUs() const;
  uint64_t nextUs();
  void drop(Error error);
  uint32_t dice();
  bool rootedHere() const { return gateway_ != nullptr; }
  bool reachable() const;
  bool grounded() const { return position().grounded; }
  Afloat afloat() const;
  void onBeacon(Neighbour& neighbour, const ReceivedFrame& frame);
  void judgeBeacon(const Beacon& beacon);
  void settleRoute();
  void beaconSoon(uint64_t fromUs, uint64_t spreadUs);
  void announceSoon();
  void startOver();
  uint64_t longestSilenceUs() const;
  bool keepPromises();
  void fillBeacon(Beacon& beacon);
  uint64_t jitter(uint64_t spreadUs);

  // node_route.cpp: news of routes, on their way up
  void sendRoute(const uint8_t mac[macBytes], RouteKind kind, uint16_t node, uint16_t other, uint16_t number, uint8_t hops);
  void tellParent();
  void tellUnreachable(uint16_t hop);
  bool isAlone();
  void settleStarving();
  void onRoute(const ReceivedFrame& frame);
  void onTreeWanted(const Route& route);
  void passRoute(const Route& route);

  // node_trust.cpp: whether the parent leads anywhere
  void settleTrust();
  bool awaitsAnswer(uint64_t patienceUs);

  // node_up.cpp: packets on their way up
  void onData(Neighbour& neighbour, const ReceivedFrame& frame);
  void onItem(Neighbour& neighbour, Item& item);
  bool noteMember(const Item& item, const PacketHeader& header);
  bool passedHere(const Item& item) const;
  void keepItem(const Item& item, const PacketHeader& header, int8_t rssi);
  void report(bool isAnswer, uint16_t poll, uint64_t dueUs);
  size_t writeReport(uint8_t* out, size_t capacity, bool& rows);
  void sendM1();
  QueuedItem* enqueueOwn(Item& item);
  QueuedItem* enqueueReport(Item& item);
  bool mayReport() const;
  void settleReports();
  void settleCommands();
  void tellTelemetry(Writer& writer);
  void fillTelemetry(Telemetry& telemetry) const;

  // node_spool.cpp: what waits in flash
  bool isStranded() const;
  bool secure(QueuedItem& slot);
  bool spool(QueuedItem& slot);
  bool isOut(uint16_t spoolNumber);
  void settleSpool();
  size_t packets() const;

  // node_down.cpp: packets on their way down
  void onRouted(const Neighbour& neighbour, bool broadcast, const ReceivedFrame& frame);
  void onSections(const Routed& routed, const PollSection* poll);
  [[gnu::noinline]] void onPassing(const Routed& routed);
  void onPacketFor(const PacketForSection& packet, bool isPolled);
  void onPacket(const uint8_t* packet, size_t length);
  Error onAnswer(const PacketHeader& header, const uint8_t* packet, size_t length);
  [[gnu::noinline]] Error onDownlink(const PacketHeader& header, const uint8_t* packet, size_t length);
  void onDownSections(const uint8_t* plain, size_t length, uint32_t epoch);
  void onCommand(const Section& section);
  void onNetworkKey(const Section& section);
  void onCustody(const CustodySection& custody);
  bool forward(Routed& routed);
  bool intercept(const Routed& routed);
  bool sendTo(uint16_t hop, const Routed& routed);
  bool sendTowards(const uint8_t mac[macBytes], const Routed& routed, uint64_t dueUs);
  bool sendToJoiners(const Routed& routed);
  Error routeDown(const uint8_t* packet, size_t length, bool hold);
  Error relayDown(const PacketHeader& header, const uint8_t* packet, size_t length, bool hold);
  bool sendRouted(uint16_t target, const uint8_t* sections, size_t length) override;
  bool call(const uint8_t* sections, size_t length) override;
  size_t pathTo(uint16_t target, uint16_t path[hopsMax]) const override;
  uint16_t parentOf(uint16_t node) const override;
  bool bundle(const uint16_t* path, size_t hops, uint16_t target, const uint8_t* packet, size_t length);
  void settleBundles();
  void sendBundle(Bundle& bundle);

  // node_event.cpp: what cannot wait
  bool eventDue() const;
  void settleEvents();
  void judgeTime(const AckSection& ack);

  // node_poll.cpp: polls on their way down
  [[gnu::noinline]] void onPoll(const Routed& routed, const PollSection& poll);
  bool isLeafOf(const PollSection& poll, size_t index) const;
  void passPoll(const Routed& routed, const PollSection& poll, size_t first, size_t end, uint64_t dueUs);
  void sendPoll(const uint8_t mac[macBytes], uint16_t hop, const Routed& routed, const PollSection& poll, const PollPart& part, uint64_t dueUs);
  void callLeaves(const Routed& routed, const PollSection& poll, uint64_t dueUs);
  void called(ControlFrame& frame);
  void askSilent(ControlFrame& call);

  // node_time.cpp: network time from frame to frame
  bool isParent(const Neighbour& neighbour) const;
  bool followsTime(const Neighbour& neighbour) const;
  bool pollsInstead(const Neighbour& neighbour) const;
  void hearBeaconTime(const Neighbour& neighbour, const Beacon& beacon);
  void hearTime(const Neighbour& neighbour, bool isCall, uint32_t counter, Routed& routed);
  bool tellTime(const uint8_t mac[macBytes], Writer& writer) const;
  void noteGone(bool ok, size_t bodyLength);

  // node_flood.cpp: mode "flooding"
  bool floods() const;
  void settleMode();
  uint64_t floodPauseUs();
  QueuedItem* flood(Direction direction, const uint8_t* packet, size_t length);
  void onFlood(const ReceivedFrame& frame, int8_t rssi);
  void repeatFlood(const Flood& flood);
  void takeFlood(const Flood& flood, const PacketHeader& header, int8_t rssi);
  bool answerJoiners(const uint8_t* packet, size_t length);
  Error floodDown(const PacketHeader& header, const uint8_t* packet, size_t length);
  bool pumpFlood();
  void floodSent();

  // node_join.cpp: without the network key, and for those without it
  bool seeksProxy() const;
  void hearProxy(const uint8_t from[macBytes], const ReceivedFrame& frame, int8_t rssi);
  void settleSeeking();
  void askProxy(uint64_t dueUs);
  void proxyFailed();
  void settleJoined(bool isNew);
  bool sendJoin(const uint8_t mac[macBytes], Direction direction, const uint8_t* packet, size_t length, uint64_t dueUs);
  void onJoin(const uint8_t from[macBytes], bool broadcast, const ReceivedFrame& frame, int8_t rssi);
  void onSolicited();
  void onJoinUp(const uint8_t from[macBytes], const Join& join, const PacketHeader& header, int8_t rssi);
  size_t joinItems() const;

  // node_challenge.cpp: who is fresh
  void onVerified(const uint8_t from[macBytes], bool broadcast, const ReceivedFrame& frame, int8_t rssi);
  void onFrame(Neighbour& neighbour, bool broadcast, const ReceivedFrame& frame, int8_t rssi);
  void refuse(const uint8_t from[macBytes], bool broadcast, const ReceivedFrame& frame, int8_t rssi);
  void onClaim(const uint8_t from[macBytes], const ReceivedFrame& frame, int8_t rssi);
  void meet(const uint8_t from[macBytes], int8_t rssi, Claim claim, uint64_t spreadUs);
  void onChallenge(const uint8_t from[macBytes], const ReceivedFrame& frame, int8_t rssi);
  void repeatToParent(const Neighbour& asks);
  void onAsked(const uint8_t from[macBytes], const uint8_t nonce[nonceBytes]);
  bool pumpChallenge();
  void challengeSent(bool ok);
  void settleParent();

  // node_leaf.cpp: a battery leaf's own side
  bool sleeps() const;
  void settleLeaf();
  void settleExchange();
  void leafSent(bool ok);
  void leafUnanswered();
  void onWake(const WakeSection& wake);
  Routing::NextHop nextHop() const;
  bool mayRest() const;
  void rest();
  uint64_t leafNextUs() const;
  uint64_t leafListensUs() const;
  void stayForM2();

  // node_sleep.cpp: through deep sleep
  bool passState(SleepState& state);
  Neighbour* spareParent();

  // node_children.cpp: a router's side of leaves
  void answerLeaf(const Neighbour& neighbour, uint16_t shortId);
  bool holdFor(uint16_t target, const uint8_t* packet, size_t length);
  bool holdForLeaf(const Routed& routed);

  // node_host.cpp: the gateway's host side
  void hostTime(uint64_t utcMs) override;
  Error hostDown(const uint8_t* packet, size_t length, bool hold) override;
  void fillHello(HelloGateway& hello) const override;
  void fillStats(GatewayStats& stats) const override;

  // node_radio.cpp: what goes to the radio next
  void pump();
  ControlFrame* dueControl();
  bool pumpControl();
  bool pumpBeacon();
  bool pumpData();
  bool dataReady() const;
  bool appendItem(Writer& body, QueuedItem& slot, Item& item, const Item* before);
  bool transmit(FrameType type, const uint8_t to[macBytes], size_t bodyLength);
  void dataSent(bool ok);
  void retryLater(QueuedItem& slot);
  void judgeNeighbour(bool ok);

  enum class InFlight : uint8_t { none, control, challenge, beacon, flood, data };

  uint64_t now_ = 0;  // of the call under way
  const Port& port_;
  Neighbours& neighbours_;
  Meter* meter_;
  HubTables* hub_;
  Gateway* gateway_;
  GatewayTables* tables_;

  // The small and often used first: what lies further behind takes a chip longer code to reach. What passState() keeps: six times, three more.
  uint64_t bootUs_ = 0;
  uint64_t groundedUs_ = 0;   // when there was a way to the head-end last
  uint64_t telemetryUs_ = 0;  // next; 0: at once
  uint64_t probeUs_ = 0;      // next sign of life asked for
  uint64_t downUs_ = 0;       // last valid downlink
  uint64_t judgedUs_ = 0;     // up to then the parent's silence is counted
  uint16_t custodian_ = 0;    // nearest hub when rows were last offered
  bool probing_ = false;
  bool timeDoubted_ = false;  // the head-end's time contradicts it

  InFlight inFlight_ = InFlight::none;
  uint8_t inFlightTo_[macBytes] = {};
  bool asked_ = false;          // a proxy was asked, and its M2 has not come
  uint8_t askedMac_[macBytes] = {};
  uint64_t parentUs_ = 0;       // when the parent changed last
  Trickle trickle_;
  uint64_t beaconUs_ = never;   // a beacon out of turn: there is news
  uint64_t beaconSentUs_ = 0;
  uint64_t handedUs_ = 0;       // when the frame in flight was handed to the radio
  uint16_t beaconDelay_ = delayUnknown;
  uint8_t beaconNumber_ = 0;
  bool unpolled_ = false;       // the parent is asked because no poll has come
  uint16_t routeNumber_ = 0;    // of our last ROUTE
  uint16_t owedPoll_ = 0;       // which the report that waits answers, though it was made unasked; 0: none
  uint16_t treeAsked_ = 0;      // last request for a tree that was passed on
  uint32_t provenMark_ = 0;     // meters: the cumulative mark at judgedUs_
  HeardFrame heard_;            // of the parent
  GoneFrame called_;            // the last ROUTED frame to everybody
  HeardBeacon heardBeacon_;
  uint64_t treeAskedUs_ = 0;
  uint64_t askParentUs_ = never;  // when the parent is asked whether it is there, because its link failed
  uint64_t askTreeDueUs_ = 0;  // our own next one, while starving
  uint64_t askTreeWaitUs_ = 0;
  uint64_t dataUs_ = 0;       // not before: the next data frame
  uint64_t releaseUs_ = 0;    // until then what children hand over waits for more of it
  uint64_t reportUs_ = 0;     // hubs: next report of their own
  Config config_;  // as given, but for what was commanded since
  Curiosity curiosity_;
  Routing routing_;
  NetworkClock clock_;
  Link link_;
  KeyRing keys_;
  TokenBucket asks_{8, 8};       // challenges of all neighbours together
  TokenBucket answers_{16, 16};
  TokenBucket solicited_ = TokenBucket::oneIn(10 * usPerS);  // beacons for those without the network key, and for strangers with it
  TokenBucket trees_ = TokenBucket::oneIn(2 * usPerS);
  TokenBucket answersM2_{4, 4};  // M2 in JOIN frames: opening one takes a chip a tenth of a second
  Counters counters_;
  Session session_;
  Leaf leaf_;
  TickScale scale_;
  Commands commands_;
  Events events_;
  JoinProxy proxy_;
  ProxySearch proxies_;
  uint8_t frame_[frameBytesMax] = {};
  Records records_;
  Flooding flooding_;
  JustPassed passed_;
  PollsSeen polls_;
  Queue queue_;
  ControlQueue control_;
  Children children_;
};

// Complete devices, for ports and for measuring.
struct MeterDevice {
  MeterDevice(const Port& port, const Config& config)
      : node(port, config, neighbours, &meter, nullptr, nullptr, nullptr, Room{queue, sizeof queue}, Room{control, sizeof control}) {}
  NeighbourTable<> neighbours;
  Meter meter;
  uint8_t queue[meterQueueBytes];
  uint8_t control[meterControlBytes];
  Node node;
};
struct HubDevice {
  HubDevice(const Port& port, const Config& config)
      : tables(members, membersMax, Room{held, sizeof held}, pointers, hubRoutePointersMax),
        node(port, config, neighbours, nullptr, &tables, nullptr, nullptr, Room{queue, sizeof queue}, Room{control, sizeof control}) {}
  NeighbourTable<> neighbours;
  Member members[membersMax];
  uint8_t held[membersMax * heldBytesPerMember];
  RoutePointer pointers[hubRoutePointersMax];
  HubTables tables;
  uint8_t queue[hubQueueBytes];
  uint8_t control[controlBytes];
  Node node;
};
// A gateway of so many members, routes and neighbours: on a chip with little memory, fewer.
template <size_t Members, size_t Pointers, size_t Reach>
struct GatewayDeviceOf {
  GatewayDeviceOf(const Port& port, const Config& config)
      : tables(members, Members, Room{held, sizeof held}, pointers, Pointers),
        node(port, config, neighbours, nullptr, &tables, &gateway, &gatewayTables, Room{queue, sizeof queue}, Room{control, sizeof control}) {}
  NeighbourTable<Reach> neighbours;
  Member members[Members];
  uint8_t held[Members * heldBytesPerMember];
  RoutePointer pointers[Pointers];
  HubTables tables;
  Gateway gateway;
  GatewayTables gatewayTables;
  uint8_t queue[gatewayQueueBytes];
  uint8_t control[controlBytes];
  Node node;
};
using GatewayDevice = GatewayDeviceOf<gatewayMembersMax, gatewayRoutePointersMax, gatewayNeighboursMax>;

}  // namespace wattmesh
