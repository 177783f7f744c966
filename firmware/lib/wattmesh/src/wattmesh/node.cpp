#include "wattmesh/node.hpp"

#include <cstring>

#include "wattmesh/bytes.hpp"

namespace wattmesh {

namespace {
// Unanswered rounds of M1 after which who still has a session looks for another way.
constexpr uint8_t sessionRoundsMax = 3;

// What is not foreseen to the moment (silence, who is avoided) is looked at so often; at rest, a sixth of a cycle late is soon enough.
constexpr uint64_t tickMaxUs = usPerS;
constexpr uint64_t restMaxUs = 10 * usPerS;
constexpr uint64_t restOfCycle = 6;
constexpr uint64_t triggeredUs = 50 * usPerMs;
constexpr uint64_t triggeredSpreadUs = 300 * usPerMs;
constexpr uint64_t joinRepeatUs = usPerS;
constexpr uint64_t beaconGapUs = 300 * usPerMs;
// Who has no parent asks for beacons at least as often.
constexpr uint64_t pullPeriodUs = 32 * usPerS;
// Where packets are flooded only beacons tell the time, and are a small part of what is said.
constexpr uint64_t floodSilenceUs = 64 * usPerS;

constexpr uint32_t recordsBytes = recordSectors * sectorBytes;

}  // namespace

Node::Node(const Port& port, const Config& config, Neighbours& neighbours, Meter* meter, HubTables* hub, Gateway* gateway, GatewayTables* tables, Room queue, Room control)
    : port_(port), neighbours_(neighbours), meter_(meter), hub_(hub), gateway_(gateway), tables_(tables), config_(config), queue_(queue), control_(control) {}

Error Node::boot(uint64_t nowUs) {
  const Error error = mount(nowUs, false);
  if (error != Error::none) return error;
  bootUs_ = nowUs;
  groundedUs_ = nowUs;
  parentUs_ = nowUs;
  leaf_.begin(nowUs);
  uint8_t promises[Routing::promisesBytes];
  if (records_.read(RecordKey::promises, promises, sizeof promises)) routing_.restore(promises, now_);
  begin();
  if (hub_ != nullptr) {
    const Error unopened = hub_->spool.open(port_, recordsBytes, port_.nvBytes - recordsBytes);
    if (unopened != Error::none) return unopened;
    hub_->hub.begin(port_, config_);
  }
  if (gateway_ != nullptr) gateway_->begin(port_, config_);
  announceSoon();
  return Error::none;
}

// What is in NV.
Error Node::mount(uint64_t nowUs, bool wakes) {
  now_ = nowUs;
  clock_.begin(config_.energy == EnergyClass::battery);
  Error error = records_.open(port_, 0);
  if (error != Error::none) return error;
  keys_.begin(port_, config_, records_);
  link_.begin(port_, config_, records_, keys_);
  error = session_.begin(port_, config_, records_, wakes);
  if (error == Error::none && session_.randomStuck()) drop(Error::randomStuck);
  if (error == Error::none) error = commands_.begin(port_, config_, records_, session_.bootCount());
  if (error == Error::none && meter_ != nullptr) {
    error = meter_->begin(port_, config_, records_, session_.bootCount(), recordsBytes, port_.nvBytes - recordsBytes);
  }
  return error;
}

// What begins anew with each life, and with each wake.
void Node::begin() {
  askTreeWaitUs_ = usPerS;
  trickle_.reset(now_, dice());
  flooding_.begin(static_cast<uint16_t>(dice()));
}

uint32_t Node::dice() {
  uint8_t bytes[4];
  port_.random(port_.context, bytes, sizeof bytes);
  return Reader(bytes, sizeof bytes).u32();
}

uint64_t Node::jitter(uint64_t spreadUs) { return spreadUs * dice() >> 32; }

void Node::drop(Error error) {
  uint8_t body[2];
  Writer(body, sizeof body).u16(static_cast<uint16_t>(error));
  port_.trace(port_.context, Trace::dropped, body, sizeof body);
  switch (error) {
    case Error::badTag:
    case Error::noKey:
      counters_.badMac++;
      break;
    case Error::replay:
    case Error::notFresh:
    case Error::staleEpoch:
      counters_.replays++;
      break;
    case Error::queueFull:
    case Error::tooManyHops:
      counters_.queueFull++;
      break;
    default:
      counters_.malformed++;
  }
}

uint64_t Node::receive(const uint8_t from[macBytes], const uint8_t to[macBytes], const uint8_t* frame, size_t length, int8_t rssi,
                       uint64_t nowUs) {
  now_ = scale_.local(nowUs);
  counters_.framesReceived++;
  ReceivedFrame received{};
  const Error error = link_.open(from, to, frame, length, received);
  const bool broadcast = isBroadcast(to);
  if (error == Error::none) {
    onVerified(from, broadcast, received, rssi);
  } else if ((error == Error::noKey || error == Error::badTag) && received.header.type == FrameType::beacon && seeksProxy()) {
    hearProxy(from, received, rssi);
  } else {
    drop(error);
  }
  settle();
  return nextUs();
}

uint64_t Node::sent(bool ok, uint64_t nowUs) {
  now_ = scale_.local(nowUs);
  if (!ok) counters_.sendsFailed++;
  const bool wasData = inFlight_ == InFlight::data;
  if (inFlight_ == InFlight::control) {
    ControlFrame* frame = control_.inFlight();
    judgeNeighbour(ok);
    if (frame->type == FrameType::routed) noteGone(ok, frame->length);
    frame->inFlight = false;
    frame->attempts++;
    frame->used = !ok && frame->attempts < (frame->once ? 1 : ControlQueue::attemptsMax);
    // A joiner's or proxy's link has no rest of its own.
    frame->dueUs = now_ + jitter(triggeredUs) + (frame->type == FrameType::join ? frame->attempts * joinRepeatUs : 0);
    if (isCall(*frame)) called(*frame);
    if (frame->once) children_.delivered(neighbours_.shortIdOf(inFlightTo_), ok);
    if (!ok && !frame->used && frame->type == FrameType::join) proxyFailed();
    if (!ok && !frame->used && !frame->once && frame->type == FrameType::routed) tellUnreachable(neighbours_.shortIdOf(inFlightTo_));
  } else if (inFlight_ == InFlight::challenge) {
    challengeSent(ok);
  } else if (inFlight_ == InFlight::beacon) {
    const uint64_t delay = (now_ - handedUs_) / 10;
    beaconDelay_ = delay < delayUnknown ? static_cast<uint16_t>(delay) : delayUnknown;
  } else if (inFlight_ == InFlight::flood) {
    floodSent();
  } else if (inFlight_ == InFlight::data) {
    judgeNeighbour(ok);
    dataSent(ok);
  }
  inFlight_ = InFlight::none;
  if (wasData && sleeps()) leafSent(ok);
  settle();
  return nextUs();
}

uint64_t Node::hostBytes(const uint8_t* data, size_t length, uint64_t nowUs) {
  now_ = scale_.local(nowUs);
  if (gateway_ != nullptr) gateway_->hostBytes(data, length, now_, queue_, *this);
  settle();
  return nextUs();
}

uint64_t Node::tick(uint64_t nowUs) {
  now_ = scale_.local(nowUs);
  settle();
  return nextUs();
}

// The one place where, after any input, everything that follows from it happens, in this order.
void Node::settle() {
  // The tree is built under the new key at once.
  if (keys_.tick(now_, clock_)) startOver();
  settleTrust();
  settleRoute();
  settleParent();
  settleStarving();
  settleSeeking();
  const bool waiting = probing_ || (meter_ != nullptr && meter_->waiting());
  const bool wasJoined = session_.joined();
  settleCommands();
  const uint8_t rounds = session_.rounds();
  const bool handshakeDue = session_.tick(now_, reachable(), waiting);
  const Error failure = session_.takeFailure();
  if (failure != Error::none) drop(failure);
  // Nobody answers by this way: the parent has no room for us or, which who has a session finds out last (settleTrust), another network key.
  if (session_.rounds() > rounds && (!session_.joined() || session_.rounds() >= sessionRoundsMax)) routing_.shun(neighbours_, now_);
  if (wasJoined && !session_.joined()) {
    queue_.dropOwn();
    settleRoute();
  }
  if (handshakeDue) sendM1();
  if (meter_ != nullptr) {
    const Error error = meter_->tick(now_, clock_, grounded(), timeDoubted_ || (sleeps() && !scale_.known()));
    if (error != Error::none) drop(error);
  }
  settleEvents();
  settleReports();
  settleLeaf();
  if (hub_ != nullptr && session_.joined() && position().attached && !floods()) hub_->hub.tick(now_, clock_, *this);
  if (hub_ != nullptr) settleSpool();
  if (tables_ != nullptr) settleBundles();
  if (gateway_ != nullptr) gateway_->tick(now_, clock_, queue_, *this);
  pump();
}

// Somebody takes an M1 on.
bool Node::reachable() const {
  if (rootedHere()) return gateway_->hostAlive(now_);
  return grounded() || (seeksProxy() && proxies_.best(now_) != nullptr);
}

// Nothing is under way but what is foreseen.
uint64_t Node::restUs() const {
  if (rootedHere() || !session_.joined() || !position().attached || commands_.busy()) return tickMaxUs;
  const uint64_t restUs = config_.pollCycleS * usPerS / restOfCycle;
  return restUs < tickMaxUs ? tickMaxUs : restUs < restMaxUs ? restUs : restMaxUs;
}

uint64_t Node::nextUs() {
  if (leaf_.asleep()) return scale_.ticks(leafNextUs());
  uint64_t next = now_ + restUs();
  // Called so often that a copy at each place would be longer than the rest.
  const auto consider = [&next](uint64_t atUs) __attribute__((noinline)) {
    if (atUs < next) next = atUs;
  };
  if (inFlight_ == InFlight::none) {
    consider(beaconUs_);
    consider(trickle_.nextUs());
    if (routing_.starving()) consider(askTreeDueUs_);
    consider(control_.nextUs());
    consider(flooding_.nextUs(queue_));
    consider(neighbours_.challengeUs());
    consider(askParentUs_);
    consider(nextHop().againUs);
    if (!rootedHere() && nextHop().exists) {
      for (const QueuedItem& slot : queue_) {
        if (!session_.joined() && !slot.own) continue;
        if (slot.state == QueuedItem::State::waiting || slot.state == QueuedItem::State::handedOn) consider(slot.dueUs > dataUs_ ? uint64_t{slot.dueUs} : dataUs_);
      }
    }
  }
  if (sleeps()) consider(leaf_.nextUs(now_));
  consider(session_.nextUs());
  consider(keys_.nextUs());
  if (seeksProxy()) consider(proxies_.nextUs(now_));
  if (meter_ != nullptr) consider(meter_->nextUs(now_, clock_));
  // What is overdue waits for something to happen.
  const uint64_t reportUs = meter_ != nullptr ? meter_->pushUs() : reportUs_;
  if (reportUs > now_) consider(reportUs);
  if (events_.nextUs() > now_) consider(events_.nextUs());
  if (hub_ != nullptr && session_.joined() && position().attached && !floods()) consider(hub_->hub.nextUs());
  if (tables_ != nullptr) consider(tables_->bundles.nextUs());
  if (gateway_ != nullptr) consider(gateway_->nextUs(now_, queue_));
  // Never the same moment again: what could not be done now waits for an event or a little.
  return scale_.ticks(next > now_ ? next : now_ + usPerMs);
}

void Node::onBeacon(Neighbour& neighbour, const ReceivedFrame& frame) {
  Beacon beacon{};
  const Error error = decodeBeacon(frame.body, frame.length, beacon);
  if (error != Error::none) {
    drop(error);
    return;
  }
  hearBeaconTime(neighbour, beacon);
  neighbour.told(beacon, now_);
  neighbours_.name(neighbour, beacon.shortId);
  judgeBeacon(beacon);
}

// Does the neighbour know what we know?
void Node::judgeBeacon(const Beacon& beacon) {
  if (!position().attached || !session_.joined() || !config_.routes()) return;
  const bool agrees = beacon.grounded == grounded() && beacon.epoch == position().epoch && beacon.tree == position().tree;
  const bool lacksTime = clock_.valid() && !beacon.timeValid;
  // Who hangs on a floating tree looks for something else than ours, if that floats too.
  const bool pulls = beacon.pull && (grounded() || beacon.cost == costNone);
  if (agrees && !pulls && !lacksTime) {
    // Those farther from the gateway do not speak for us: whoever looks for a parent wants to hear the nearest.
    if (beacon.cost <= position().cost) trickle_.consistent();
  } else if (pulls || lacksTime || routing_.isBehind(beacon)) {
    announceSoon();
  }
}

void Node::settleRoute() {
  const TreePosition before = position();
  bool changed = false;
  if (rootedHere()) {
    const bool leadsOn = gateway_->hostAlive(now_) && session_.joined();
    changed = routing_.updateRoot(leadsOn, afloat() == Afloat::holds, session_.shortId(), session_.localHubId(), session_.bootCount());
  } else {
    changed = routing_.update(neighbours_, now_, afloat());
  }
  if (grounded()) {
    groundedUs_ = now_;
  } else {
    curiosity_.wake();
  }
  const bool stays = before.attached == position().attached && before.grounded == grounded();
  if (changed && (config_.routes() || !position().attached)) stays ? announceSoon() : startOver();
  if (before.attached != position().attached || before.parentShort != position().parentShort) {
    parentUs_ = now_;
    // A leaf's way is known from its next report.
    if (before.attached && config_.routes()) tellParent();
    uint8_t body[5];
    Writer writer(body, sizeof body);
    writer.u16(position().attached ? position().parentShort : shortIdNone);
    writer.u16(position().cost);
    writer.u8(position().hops);
    port_.trace(port_.context, Trace::parentChanged, body, sizeof body);
  }
  if (meter_ != nullptr && position().attached && position().hub != custodian_) {
    // Another custodian: what the former one holds may come late or never.
    custodian_ = position().hub;
    meter_->delivery().rewind();
  }
}

void Node::beaconSoon(uint64_t fromUs, uint64_t spreadUs) {
  uint64_t atUs = now_ + fromUs + jitter(spreadUs);
  if (beaconSentUs_ != 0 && atUs < beaconSentUs_ + beaconGapUs) atUs = beaconSentUs_ + beaconGapUs;
  if (atUs < beaconUs_) beaconUs_ = atUs;
}

// Something that a beacon tells has changed.
void Node::announceSoon() { beaconSoon(triggeredUs, triggeredSpreadUs); }

// The neighbours may know nothing of us, or something wrong: they are told at once, and again and again at growing intervals.
void Node::startOver() {
  trickle_.reset(now_, dice());
  announceSoon();
}

uint64_t Node::longestSilenceUs() const { return !grounded() ? pullPeriodUs : floods() ? floodSilenceUs : Trickle::maxUs; }

void Node::fillBeacon(Beacon& beacon) {
  const TreePosition& at = position();
  const bool offers = at.attached && session_.joined() && config_.routes();
  beacon.shortId = session_.shortId();
  beacon.epoch = at.epoch;
  beacon.tree = at.tree;
  beacon.gateway = at.gateway;
  beacon.nearestHub = config_.isHub() ? session_.shortId() : at.hub;
  beacon.localHubId = config_.isHub() ? session_.localHubId() : at.localHubId;
  beacon.hops = offers ? at.hops : hopsNone;
  beacon.cost = offers ? at.cost : costNone;
  beacon.grounded = offers && at.grounded;
  beacon.pull = !at.grounded;
  beacon.congested = queue_.congested();
  beacon.timeValid = clock_.valid();
  beacon.timeAge = clock_.valid() ? clock_.age(now_) : uint8_t{0};
  beacon.energyClass = config_.energy;
  beacon.isHub = config_.isHub();
  beacon.joined = session_.joined();
  beacon.queue = static_cast<uint8_t>(queue_.count());
  beacon.number = beaconNumber_;
  const uint64_t utcUs = clock_.fittedUs(now_);
  beacon.utcMs = clock_.valid() ? utcUs / usPerMs : 0;
  beacon.subMillisecond = clock_.valid() ? static_cast<uint16_t>(utcUs % usPerMs / 10) : uint16_t{0};
  beacon.lastDelay = beaconDelay_;
}

// What is announced binds a later life too: without NV nothing is.
bool Node::keepPromises() {
  routing_.announced(now_);
  uint8_t promises[Routing::promisesBytes];
  if (!routing_.promises(promises)) return true;
  const Error error = records_.write(RecordKey::promises, promises, sizeof promises);
  if (error != Error::none) drop(error);
  return error == Error::none;
}

bool Node::pumpBeacon() {
  const bool news = now_ >= beaconUs_;
  const bool turn = now_ >= trickle_.nextUs() && trickle_.tick(now_, longestSilenceUs(), dice());
  if (!news && !turn) return false;
  beaconUs_ = never;
  // A leaf has nothing to offer: it beacons only to find a parent.
  if (!config_.routes() && position().attached) return false;
  if (!keys_.hasKey()) return false;
  Beacon beacon{};
  beaconNumber_++;
  fillBeacon(beacon);
  if (beacon.cost != costNone && !keepPromises()) return false;
  const size_t length = encodeBeacon(beacon, frame_ + linkHeaderBytes, bodyBytesMax);
  if (!transmit(FrameType::beacon, broadcastMac, length)) {
    announceSoon();
    return false;
  }
  beaconSentUs_ = now_;
  inFlight_ = InFlight::beacon;
  return true;
}

}  // namespace wattmesh
