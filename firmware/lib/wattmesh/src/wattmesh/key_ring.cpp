#include "wattmesh/key_ring.hpp"

#include <cstring>

#include "wattmesh/bytes.hpp"
#include "wattmesh/packet.hpp"
#include "wattmesh/sleep_state.hpp"

namespace wattmesh {

namespace {

constexpr size_t currentRecordBytes = 1 + networkKeyBytes;   // key id, K_net
constexpr size_t nextRecordBytes = 1 + networkKeyBytes + 4;  // key id, K_net, UTC of the switch u32
// A repeated announcement that moves the switch by less is not worth a write.
constexpr uint32_t movedMinS = 60;

}  // namespace

void KeyRing::derive(Key& key, uint8_t keyId, const uint8_t knet[networkKeyBytes]) const {
  key.id = keyId;
  wattmesh::linkKey(*port_, knet, config_->networkNumber, keyId, key.link);
}

void KeyRing::begin(const Port& port, const Config& config, Records& records) {
  port_ = &port;
  config_ = &config;
  records_ = &records;
  joinKey(port, config.headEndKey, config.networkNumber, join_.link);
  uint8_t bytes[nextRecordBytes];
  if (config.suite != suiteNone && records.read(RecordKey::networkKey, bytes, currentRecordBytes)) {
    derive(current_, bytes[0], bytes + 1);
  } else if (config.keyId != joinKeyId) {
    derive(current_, config.keyId, config.networkKey);
  }
  if (config.suite != suiteNone && records.read(RecordKey::nextNetworkKey, bytes, nextRecordBytes) && bytes[0] != current_.id) {
    derive(next_, bytes[0], bytes + 1);
    useAtS_ = Reader(bytes + 1 + networkKeyBytes, sizeof useAtS_).u32();
    switchKnown_ = false;
  }
  wipe(bytes, sizeof bytes);
}

const uint8_t* KeyRing::linkKey(uint8_t keyId) const {
  if (keyId == joinKeyId) return join_.link;
  if (keyId == current_.id) return current_.link;
  if (keyId == next_.id) return next_.link;
  return keyId == former_.id ? former_.link : nullptr;
}

Error KeyRing::adopt(uint8_t keyId, const uint8_t knet[networkKeyBytes], uint64_t nowUs) {
  if (keyId == joinKeyId || config_->suite == suiteNone) return Error::none;
  Key key;
  derive(key, keyId, knet);
  const bool isKnown = keyId == current_.id && equalConstantTime(key.link, current_.link, networkKeyBytes);
  if (!isKnown) {
    const bool wasNext = keyId == next_.id;
    const bool wasFormer = keyId == former_.id;
    retire(nowUs);
    // Of two keys under one id only this one can be right.
    if (former_.id == keyId) former_ = Key{};
    current_ = key;
    // Unless the head-end went back to the former key, what was announced before is out of date.
    if (wasNext || !wasFormer) dropNext();
  }
  wipe(&key, sizeof key);
  // Also when it is known: it may have come with the configuration.
  return storeCurrent(keyId, knet);
}

Error KeyRing::announce(const NetworkKeySection& section, uint64_t nowUs, const NetworkClock& clock) {
  if (config_->suite == suiteNone) return Error::suiteRefused;
  if (section.secondsUntilUse > announcedMaxS) return Error::badField;
  Key key;
  derive(key, section.keyId, section.knet);
  if (section.keyId == current_.id) {
    // Switched already: a repeated announcement.
    const bool isSame = equalConstantTime(key.link, current_.link, networkKeyBytes);
    wipe(&key, sizeof key);
    return isSame ? Error::none : Error::badField;
  }
  if (section.keyId == former_.id) former_ = Key{};
  const bool isSame = section.keyId == next_.id && equalConstantTime(key.link, next_.link, networkKeyBytes);
  next_ = key;
  wipe(&key, sizeof key);
  switchKnown_ = true;
  switchUs_ = nowUs + section.secondsUntilUse * usPerS;
  const uint32_t useAtS = clock.valid() ? clock.utcS(nowUs) + section.secondsUntilUse : 0;
  const uint32_t movedS = useAtS > useAtS_ ? useAtS - useAtS_ : useAtS_ - useAtS;
  if (isSame && movedS < movedMinS) return Error::none;
  return storeNext(section, useAtS);
}

bool KeyRing::tick(uint64_t nowUs, const NetworkClock& clock) {
  if (former_.id != joinKeyId && nowUs >= formerUntilUs_) former_ = Key{};
  if (next_.id == joinKeyId) return false;
  if (!switchKnown_ && clock.valid()) {
    const uint32_t utcS = clock.utcS(nowUs);
    const uint32_t leftS = useAtS_ > utcS ? useAtS_ - utcS : 0;
    switchUs_ = nowUs + (leftS < announcedMaxS ? leftS : announcedMaxS) * usPerS;
    switchKnown_ = true;
  }
  if (nowUs < switchUs_) return false;
  retire(nowUs);
  current_ = next_;
  uint8_t bytes[nextRecordBytes];
  // What cannot be written now is made up for after the next reboot: the records still announce the key then, and its time has passed.
  const bool stored = records_->read(RecordKey::nextNetworkKey, bytes, sizeof bytes) && storeCurrent(bytes[0], bytes + 1) == Error::none;
  wipe(bytes, sizeof bytes);
  if (stored) dropNext();
  next_ = Key{};
  switchUs_ = never;
  return true;
}

uint64_t KeyRing::nextUs() const {
  const uint64_t formerUs = former_.id != joinKeyId ? formerUntilUs_ : never;
  const uint64_t nextUs = next_.id != joinKeyId ? switchUs_ : never;
  return formerUs < nextUs ? formerUs : nextUs;
}

// The key in use is about to be replaced: from now on it is the former one.
void KeyRing::retire(uint64_t nowUs) {
  if (!hasKey()) return;
  former_ = current_;
  formerUntilUs_ = nowUs + graceUs;
}

void KeyRing::dropNext() {
  next_ = Key{};
  switchUs_ = never;
  uint8_t bytes[nextRecordBytes];
  if (!records_->read(RecordKey::nextNetworkKey, bytes, sizeof bytes)) return;
  wipe(bytes, sizeof bytes);
  // A record of another length is none. When it cannot be written the old one is found at the next boot, and dropped there for its key id.
  const uint8_t none[1] = {joinKeyId};
  (void)records_->write(RecordKey::nextNetworkKey, none, sizeof none);
}

Error KeyRing::storeCurrent(uint8_t keyId, const uint8_t knet[networkKeyBytes]) {
  uint8_t bytes[currentRecordBytes];
  Writer writer(bytes, sizeof bytes);
  writer.u8(keyId);
  writer.bytes(knet, networkKeyBytes);
  const Error error = records_->write(RecordKey::networkKey, bytes, sizeof bytes);
  wipe(bytes, sizeof bytes);
  return error;
}

Error KeyRing::storeNext(const NetworkKeySection& section, uint32_t useAtS) {
  uint8_t bytes[nextRecordBytes];
  Writer writer(bytes, sizeof bytes);
  writer.u8(section.keyId);
  writer.bytes(section.knet, networkKeyBytes);
  writer.u32(useAtS);
  const Error error = records_->write(RecordKey::nextNetworkKey, bytes, sizeof bytes);
  wipe(bytes, sizeof bytes);
  if (error == Error::none) useAtS_ = useAtS;
  return error;
}

void KeyRing::pass(SleepState& state) {
  state.pass(switchKnown_);
  state.passTimes(&switchUs_, 2);
}

void KeyRing::passFormer(SleepState& state) {
  if (state.passIf(former_.id != joinKeyId, sizeof former_)) state.pass(former_);
}

}  // namespace wattmesh
