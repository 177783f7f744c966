// What a hub has in custody, between RAM and flash (DESIGN.md, "The spool").
#include "wattmesh/bytes.hpp"
#include "wattmesh/node.hpp"

namespace wattmesh {

namespace {
// The next custodian is out of reach, and not just for a moment.
constexpr uint64_t strandedUs = 10 * usPerS;
// For so long a newer tree is asked for in vain, of those who say that they lead on: the tree that is held may be made up.
constexpr uint64_t heldInVainUs = 600 * usPerS;
}  // namespace

bool Node::isStranded() const { return now_ - groundedUs_ >= strandedUs; }

// A packet is to be taken into custody: in RAM while the way from there is open, else it is in flash first. False: there is no room for it.
bool Node::secure(QueuedItem& slot) {
  const bool waitsItsTurn = hub_->spool.waits() && !slot.urgent;
  if (!isStranded() && !waitsItsTurn && queue_.hasRoom(bodyBytesMax)) return true;
  const bool isKept = spool(slot);
  slot.state = QueuedItem::State::empty;
  return isKept;
}

// Moves a packet to flash, if it fits.
bool Node::spool(QueuedItem& slot) {
  if (hub_->spool.append(slot.bytes, slot.length, slot.rssi) != Error::none) return false;
  slot.state = QueuedItem::State::empty;
  return true;
}

bool Node::isOut(uint16_t spoolNumber) {
  for (const QueuedItem& slot : queue_) {
    if (slot.state != QueuedItem::State::empty && slot.spooled && slot.spoolNumber == spoolNumber) return true;
  }
  return false;
}

void Node::settleSpool() {
  Spool& spooled = hub_->spool;
  // Whatever became of its copy, nobody waits for it any more.
  while (spooled.out() > 0 && !isOut(spooled.oldest())) spooled.gone();
  if (isStranded()) {
    for (QueuedItem& slot : queue_) {
      const bool waits = slot.state == QueuedItem::State::waiting || slot.state == QueuedItem::State::handedOn;
      if (waits && !slot.own && !slot.uncustodied && !slot.spooled && !spooled.full()) spool(slot);
    }
  }
  if (!grounded()) return;
  // The other half of the queue is for what does not wait.
  while (spooled.waits() && spooled.out() < queueFramesMax && !queue_.congested()) {
    SpooledItem held;
    if (!spooled.take(held)) continue;
    Reader reader(held.item(), held.length());
    Item item{};
    QueuedItem* slot = decodeItem(reader, item) == Error::none ? queue_.push(item, now_) : nullptr;
    if (slot == nullptr) continue;
    slot->rssi = held.rssi();
    slot->spooled = true;
    slot->spoolNumber = spooled.taken();
    slot->receivedUs = 0;
  }
}

// A hub that has lost its way up goes on with its members for as long as it can take what they say.
Afloat Node::afloat() const {
  if (hub_ == nullptr) return Afloat::follows;
  const bool isInVain = routing_.starving() && now_ - groundedUs_ >= heldInVainUs;
  return session_.joined() && !floods() && !hub_->spool.full() && !isInVain ? Afloat::holds : Afloat::leaves;
}

// Packets that wait here, in RAM and in flash.
size_t Node::packets() const { return queue_.count() + (hub_ == nullptr ? 0 : hub_->spool.count() - hub_->spool.out()); }

}  // namespace wattmesh
