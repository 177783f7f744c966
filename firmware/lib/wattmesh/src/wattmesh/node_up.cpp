// Packets on their way up: what children hand over, and what this node has to say itself.
#include <cstring>

#include "wattmesh/bytes.hpp"
#include "wattmesh/node.hpp"

namespace wattmesh {

namespace {
constexpr uint64_t aggregateMaxUs = 5 * usPerS;
constexpr uint64_t leafReportHoldUs = 60 * usPerS;
constexpr uint64_t telemetryMinUs = 600 * usPerS;
constexpr uint64_t telemetryLateUs = 3600 * usPerS;
constexpr uint64_t reportMinUs = 10 * usPerS;
constexpr uint64_t pushSpreadUs = 2 * usPerS;
constexpr size_t spareHops = 3;  // by which a route may grow before a packet on its way no longer fits
// Nodes that lost the same parent, or were powered up together, repeat their handshakes at the same moments, if nothing spreads them.
constexpr uint64_t repeatSpreadUs = 2 * usPerS;
constexpr size_t itemHeadBytes = 2;
constexpr size_t itemPollBytes = 2;
}  // namespace

void Node::onData(Neighbour& neighbour, const ReceivedFrame& frame) {
  // Judged as a whole first: of a malformed frame nothing takes effect.
  Reader check(frame.body, frame.length);
  check.u16();
  Item items[2] = {};  // the present one and the one before
  size_t at = 0;
  Error error = check.ok() && check.remaining() > 0 ? Error::none : Error::truncated;
  for (; error == Error::none && check.remaining() > 0; at++) error = decodeItem(check, items[at % 2], at == 0 ? nullptr : &items[(at + 1) % 2]);
  if (error != Error::none) {
    drop(error);
    return;
  }
  neighbour.dataUs = now_;
  Reader reader(frame.body, frame.length);
  uint16_t leaf = shortIdNone;
  // Data goes down the gradient: who stands no higher than we do knows us by an old beacon (data-path validation, CTP).
  if (reader.u16() <= position().cost) announceSoon();
  for (at = 0; reader.remaining() > 0; at++) {
    if (decodeItem(reader, items[at % 2], at == 0 ? nullptr : &items[(at + 1) % 2]) != Error::none) return;
    Item& item = items[at % 2];
    if (item.hops == 1 && isLeafReport(item)) leaf = item.route[0];
    if (leaf != shortIdNone) children_.heard(leaf, now_);
    onItem(neighbour, item);
  }
  if (leaf != shortIdNone) answerLeaf(neighbour, leaf);
}

void Node::onItem(Neighbour& neighbour, Item& item) {
  if (item.hops == 0) {
    drop(Error::badField);
    return;
  }
  const uint16_t transmitter = item.route[item.hops - 1];
  neighbours_.name(neighbour, transmitter);
  // A loop: tell the neighbours where we stand; the item goes on, hops bound its life.
  if (passedHere(item)) announceSoon();
  PacketHeader header{};
  const bool empty = item.packetLength == 0;
  if (!empty) {
    const Error error = decodePacketHeader(item.packet, item.packetLength, header);
    if (error != Error::none || header.down()) {
      drop(error != Error::none ? error : Error::badField);
      return;
    }
  }
  if (item.route[0] == shortIdNone) {
    if (empty || header.type != packetM1) {
      drop(Error::notJoined);
      return;
    }
    if (item.hops == 1) proxy_.remember(neighbour.mac, header, now_);
    if (tables_ != nullptr) tables_->directory.joining(header.nodeId, item.hops > 1 ? item.route[1] : shortIdNone, now_);
  }
  if (hub_ != nullptr && noteMember(item, header)) return;
  // A leaf that has nothing to say asks for an answer, and of us alone.
  if (empty && item.hops == 1 && isLeafReport(item)) return;
  keepItem(item, header, neighbour.rssi);
}

// Hubs learn from every item. True when the item ends here: a member had nothing to send.
bool Node::noteMember(const Item& item, const PacketHeader& header) {
  const bool empty = item.packetLength == 0;
  hub_->routes.learn(item, session_.shortId());
  const uint16_t custodian = item.route[custodianIndex(item)];
  if (!empty && isHub(custodian) && !passedHere(item) && hub_->seen.contains(item.packet, item.packetLength)) {
    // A repeat of what came by another way: that was a detour, and moves nobody.
    if (tables_ != nullptr && tables_->directory.hubOf(header.nodeId) != servingHub(item)) hub_->hub.tellLeft(servingHub(item), item.route[0], now_);
    return false;
  }
  if (tables_ != nullptr && !empty && item.route[0] != shortIdNone) {
    const uint16_t hub = servingHub(item);
    if (header.type == packetM1) tables_->directory.renewing(header.nodeId);
    const uint16_t former = tables_->directory.set(header.nodeId, item.route[0], hub);
    if (former != shortIdNone && former != hub) hub_->hub.tellLeft(former, item.route[0], now_);
  }
  const bool member = !isHub(custodian) && custodian != shortIdNone;
  if (member && (empty || header.type == packetUp)) {
    hub_->hub.heard(custodian, item.hops, item.route[item.hops - 1], item.isAnswer, item.poll, item.more, now_);
    if (isLeafReport(item)) hub_->hub.sleeps(custodian, item.hops > 1 ? item.route[1] : shortIdNone);
  }
  if (isHub(custodian) && item.route[0] != shortIdNone) hub_->hub.left(item.route[0]);
  return member && empty;
}

// True when this node has sent the item before.
bool Node::passedHere(const Item& item) const {
  for (uint8_t i = 0; i < item.hops; i++) {
    if (item.route[i] != shortIdNone && item.route[i] == session_.shortId()) return true;
  }
  return false;
}

void Node::keepItem(const Item& item, const PacketHeader& header, int8_t rssi) {
  const bool isReport = header.type == packetUp && item.packetLength > 0;
  const bool custody = hub_ != nullptr && isReport;
  const uint16_t custodian = item.route[custodianIndex(item)];
  const CustodyEntry entry{item.route[0], header.session, header.counter};
  // A hub measures nothing: what it says itself it says again, and does not keep.
  const bool isAwaited = custody && custodian != session_.shortId() && (custodian != item.route[0] || !isHub(custodian));
  // What comes back from above is no repeat: who sent it counts on us from now on, and ours may have gone with its confirmation.
  if (custody && !passedHere(item) && hub_->seen.contains(item.packet, item.packetLength)) {
    // Ours already: only the confirmation was lost, the radio's or that of custody.
    if (isAwaited) hub_->hub.owe(custodian, entry, now_);
    return;
  }
  const bool isPassing = isReport && !custody && !passedHere(item);
  if (isPassing && passed_.contains(item.packet, item.packetLength, now_)) return;
  if (floods() && session_.joined() && !rootedHere() && item.packetLength > 0) {
    flood(Direction::up, item.packet, item.packetLength);
    return;
  }
  // A handshake is repeated until it is answered, and who claims a wrong cost can send packets round and double them: one copy is enough.
  if (!custody && item.packetLength > 0 && queue_.holds(item)) return;
  QueuedItem* slot = queue_.push(item, now_);
  if (slot == nullptr) {
    drop(Error::queueFull);
    return;
  }
  slot->rssi = rssi;
  if (isPassing) passed_.add(item.packet, item.packetLength, now_);
  // What else was polled passes here in a moment: it travels as one.
  if (!custody && header.type != packetM1 && !item.urgent && releaseUs_ > now_) slot->dueUs = releaseUs_;
  const uint64_t cycleUs = config_.pollCycleS * usPerS;
  // A leaf wakes at any time: what it says waits for company, above all for the answers to the next poll.
  const bool fromChild = item.hops == 1 && isLeafReport(item);
  if (fromChild && !item.urgent && !rootedHere()) slot->dueUs = now_ + (cycleUs < leafReportHoldUs ? cycleUs : leafReportHoldUs);
  if (!custody) return;
  if (!secure(*slot)) {
    drop(Error::queueFull);
    return;
  }
  hub_->seen.add(item.packet, item.packetLength);
  if (isAwaited) hub_->hub.owe(custodian, entry, now_);
  if (slot->state == QueuedItem::State::empty || item.urgent || fromChild || rootedHere()) return;
  slot->dueUs = now_ + (cycleUs / 4 < aggregateMaxUs ? cycleUs / 4 : aggregateMaxUs);
}

QueuedItem* Node::enqueueOwn(Item& item) {
  QueuedItem* slot = queue_.push(item, now_);
  if (slot == nullptr) {
    drop(Error::queueFull);
    return nullptr;
  }
  slot->own = true;
  slot->origin = session_.shortId();
  return slot;
}

// A packet of this node's session, the way that packets go in this mode.
QueuedItem* Node::enqueueReport(Item& item) {
  if (!floods() || rootedHere() || item.packetLength == 0) return enqueueOwn(item);
  QueuedItem* slot = flood(Direction::up, item.packet, item.packetLength);
  if (slot != nullptr) slot->own = true;
  return slot;
}

void Node::sendM1() {
  static constexpr uint8_t noLog[logIdBytes] = {};
  const bool byProxy = !rootedHere() && !grounded();
  // What a session that is renewed has under way would keep M1 back; the log still holds the rows.
  if (session_.joined()) queue_.dropOwn();
  if (!byProxy && queue_.holdsOwn()) return;
  const Error error = meter_ != nullptr ? session_.makeM1(meter_->log().logId(), meter_->registerMask()) : session_.makeM1(noLog, 0);
  if (error != Error::none) {
    drop(error);
    return;
  }
  const uint64_t dueUs = now_ + (session_.repeats() ? jitter(repeatSpreadUs) : 0);
  if (byProxy) {
    if (asked_) proxies_.failed(askedMac_);
    askProxy(dueUs);
    stayForM2();
    return;
  }
  uint8_t packet[packetBytesMax];
  Item item{};
  item.packet = packet;
  stayForM2();
  for (size_t part = 0; (item.packetLength = session_.m1(part, packet)) > 0; part++) {
    QueuedItem* slot = enqueueOwn(item);
    if (slot == nullptr) return;
    slot->dueUs = dueUs;
  }
}

// A hub that floats has nobody to report to; a meter has its hub, which keeps what it says.
bool Node::mayReport() const { return (meter_ != nullptr ? position().attached : grounded()) && session_.joined(); }

void Node::settleReports() {
  if (!mayReport() || sleeps()) return;
  if (meter_ != nullptr) {
    if ((!meter_->pushDue(now_) && !commands_.urgent()) || queue_.holdsOwn()) return;
    // Many may have waited for the same poll: what others say takes it along, and they do not all speak at once.
    report(false, 0, commands_.urgent() ? 0 : now_ + jitter(pushSpreadUs));
    // Nothing went, or not because it was due.
    if (meter_->pushDue(now_)) meter_->pushed(now_);
    if (floods()) meter_->push(now_ + floodPauseUs());
    return;
  }
  if ((now_ < reportUs_ && !commands_.urgent()) || queue_.holdsOwn()) return;
  // Every other cycle: the head-end misses a hub after three.
  const uint64_t cycleUs = config_.cycleS() * usPerS;
  reportUs_ = now_ + (floods() ? floodPauseUs() : 2 * cycleUs > reportMinUs ? 2 * cycleUs : reportMinUs);
  // Nobody waits for it: it goes with what members have to say in this cycle, but for the first of a session.
  const bool isFirst = telemetryUs_ == 0;
  telemetryUs_ = now_;
  report(false, 0, isFirst || commands_.urgent() ? 0 : now_ + cycleUs);
}

// What commands have left to do.
void Node::settleCommands() {
  if (commands_.takePoll()) {
    telemetryUs_ = 0;
    reportUs_ = now_;
    if (meter_ != nullptr) meter_->push(now_);
  }
  const Commands::Restart restart = commands_.takeRestart(!queue_.holdsOwn(), now_);
  if (restart == Commands::Restart::rekey) session_.rekey(now_);
  if (restart == Commands::Restart::reboot) port_.reboot(port_.context);
}

// Sends what there is to say, at `dueUs` unless something else goes the same way before.
void Node::report(bool isAnswer, uint16_t poll, uint64_t dueUs) {
  if (!session_.joined() || queue_.holdsOwn()) return;
  // Room for the route as it will be at the gateway, and for a detour.
  const size_t grown = static_cast<size_t>(position().hops) + spareHops;
  const size_t hops = grown < hopsMax ? grown : hopsMax;
  const size_t room = bodyBytesMax - dataHeaderBytes - itemHeadBytes - itemPollBytes - 2 * hops;
  const size_t packetMax = room < packetBytesMax ? room : packetBytesMax;
  uint8_t plain[packetBytesMax];
  uint8_t packet[packetBytesMax];
  bool rows = false;
  const size_t length = writeReport(plain, packetMax - session_.overhead(), rows);
  Item item{};
  item.isAnswer = isAnswer;
  item.poll = poll;
  // Somebody waits for a result: no hub is to collect more before it sends this on.
  const bool events = sleeps() && eventDue();
  item.urgent = commands_.urgent() || events;
  item.packet = packet;
  uint32_t counter = 0;
  if (length > 0) item.packetLength = session_.seal(plain, length, packet, counter);
  item.more = rows && meter_->moreRows();
  QueuedItem* slot = item.packetLength > 0 || isAnswer ? enqueueReport(item) : nullptr;
  const bool sent = slot != nullptr;
  if (sent && dueUs > now_) slot->dueUs = dueUs;
  commands_.told(sent && item.packetLength > 0);
  if (events) events_.told(sent, now_);
  if (sent && rows) meter_->sent(counter, now_);
}

size_t Node::writeReport(uint8_t* out, size_t capacity, bool& rows) {
  Writer writer(out, capacity);
  Echo echo{};
  if (session_.takeEcho(echo)) writeEcho(writer, echo);
  commands_.write(writer);
  if (sleeps() && eventDue()) events_.write(writer, clock_);
  if (now_ >= probeUs_ && probeUs_ != 0) {
    probing_ = true;
    writeProbe(writer);
  }
  // Rows come first, but not for ever: a packet more for what changes slowly would be dear.
  const bool telemetryDue = now_ >= telemetryUs_;
  const bool telemetryFirst = telemetryDue && (meter_ == nullptr || telemetryUs_ == 0 || now_ >= telemetryUs_ + telemetryLateUs);
  if (telemetryFirst) tellTelemetry(writer);
  const size_t length = writer.length();
  rows = meter_ != nullptr && meter_->hasRows();
  // With telemetry an empty batch goes too: it tells the head-end which rows are still held.
  if (meter_ != nullptr && (rows || telemetryDue)) writer.rewind(length + meter_->write(out + length, capacity - length));
  if (telemetryDue && !telemetryFirst) tellTelemetry(writer);
  return writer.length();
}

void Node::tellTelemetry(Writer& writer) {
  Telemetry telemetry{};
  fillTelemetry(telemetry);
  if (!writeTelemetry(writer, telemetry)) return;
  const uint64_t cycleUs = config_.cycleS() * usPerS;
  telemetryUs_ = now_ + (cycleUs > telemetryMinUs ? cycleUs : telemetryMinUs);
}

void Node::fillTelemetry(Telemetry& telemetry) const {
  Neighbour* parent = const_cast<Neighbours&>(neighbours_).find(position().parent);
  const bool hasParent = position().attached && parent != nullptr;
  telemetry.shortId = session_.shortId();
  telemetry.parent = hasParent ? position().parentShort : shortIdNone;
  telemetry.parentRssiDbm = hasParent ? parent->rssi : int8_t{0};
  telemetry.linkEtx = hasParent ? parent->quality.etx() : uint16_t{0};
  telemetry.cost = position().cost;
  telemetry.hops = position().hops;
  telemetry.queue = static_cast<uint8_t>(packets() < UINT8_MAX ? packets() : UINT8_MAX);
  telemetry.bootCount = session_.bootCount();
  telemetry.resetCause = config_.resetCause;
  telemetry.batteryMv = batteryNone;
  telemetry.freeRamBytes = port_.freeRam(port_.context);
  telemetry.uptimeS = static_cast<uint32_t>((now_ - bootUs_) / usPerS);
}

}  // namespace wattmesh
