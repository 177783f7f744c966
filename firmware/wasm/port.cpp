// The WebAssembly port: one instance is one device. The host (firmware/simulator/device.ts) owns time, radio, flash and randomness and
// lends them through imports of the module "env"; it drives the device through the exports below.
#include <cstring>

#include "io.hpp"
#include "wattmesh/bytes.hpp"
#include "wattmesh/node.hpp"

using namespace wattmesh;

#define WM_IMPORT(name) __attribute__((import_module("env"), import_name(#name)))
#define WM_EXPORT(name) extern "C" __attribute__((export_name(#name)))

extern "C" {
WM_IMPORT(radio_send) int32_t env_radio_send(const uint8_t* destination, const uint8_t* frame, size_t length);
WM_IMPORT(host_send) int32_t env_host_send(const uint8_t* data, size_t length);
WM_IMPORT(nv_read) int32_t env_nv_read(uint32_t address, uint8_t* out, size_t length);
WM_IMPORT(nv_write) int32_t env_nv_write(uint32_t address, const uint8_t* data, size_t length);
WM_IMPORT(nv_erase) int32_t env_nv_erase(uint32_t address);
WM_IMPORT(random) void env_random(uint8_t* out, size_t length);
WM_IMPORT(sha256) void env_sha256(const uint8_t* data, size_t length, uint8_t* out);
WM_IMPORT(x25519) void env_x25519(uint8_t* out, const uint8_t* scalar, const uint8_t* point);
WM_IMPORT(aead_seal)
void env_aead_seal(uint8_t* out, const uint8_t* key, const uint8_t* nonce, const uint8_t* aad, size_t aadLength, const uint8_t* plain,
                   size_t length);
WM_IMPORT(aead_open)
int32_t env_aead_open(uint8_t* out, const uint8_t* key, const uint8_t* nonce, const uint8_t* aad, size_t aadLength, const uint8_t* cipher,
                      size_t length);
WM_IMPORT(rsa_oaep_encrypt)
int32_t env_rsa_oaep_encrypt(uint8_t* out, const uint8_t* modulus, const uint8_t* label, size_t labelLength, const uint8_t* plain,
                             size_t length);
WM_IMPORT(registers) int32_t env_registers(uint8_t* out);
WM_IMPORT(free_ram) uint32_t env_free_ram();
WM_IMPORT(trace) void env_trace(int32_t event, const uint8_t* body, size_t length);
WM_IMPORT(relay_set) int32_t env_relay_set(int32_t on);
WM_IMPORT(relay_get) int32_t env_relay_get();
WM_IMPORT(identify) void env_identify(int32_t seconds);
WM_IMPORT(reboot) void env_reboot();
WM_IMPORT(rtc_read) size_t env_rtc_read(uint8_t* out, size_t capacity);
WM_IMPORT(rtc_write) void env_rtc_write(const uint8_t* data, size_t length);
WM_IMPORT(deep_sleep) void env_deep_sleep();
}

namespace {

constexpr size_t registersBytes = 25;
constexpr size_t configBytes = 364;

bool radioSend(void*, const uint8_t destination[macBytes], const uint8_t* frame, size_t length) {
  return env_radio_send(destination, frame, length) != 0;
}
bool hostSend(void*, const uint8_t* data, size_t length) { return env_host_send(data, length) != 0; }
bool nvRead(void*, uint32_t address, uint8_t* out, size_t length) { return env_nv_read(address, out, length) != 0; }
bool nvWrite(void*, uint32_t address, const uint8_t* data, size_t length) { return env_nv_write(address, data, length) != 0; }
bool nvErase(void*, uint32_t address) { return env_nv_erase(address) != 0; }
void random(void*, uint8_t* out, size_t length) { env_random(out, length); }
void sha256(void*, const uint8_t* data, size_t length, uint8_t out[32]) { env_sha256(data, length, out); }
void x25519(void*, uint8_t out[32], const uint8_t scalar[32], const uint8_t point[32]) { env_x25519(out, scalar, point); }
void aeadSeal(void*, uint8_t* out, const uint8_t key[32], const uint8_t nonce[12], const uint8_t* aad, size_t aadLength,
              const uint8_t* plain, size_t length) {
  env_aead_seal(out, key, nonce, aad, aadLength, plain, length);
}
bool aeadOpen(void*, uint8_t* out, const uint8_t key[32], const uint8_t nonce[12], const uint8_t* aad, size_t aadLength,
              const uint8_t* cipher, size_t length) {
  return env_aead_open(out, key, nonce, aad, aadLength, cipher, length) != 0;
}
bool rsaOaepEncrypt(void*, uint8_t out[rsaBytes], const uint8_t modulus[rsaBytes], const uint8_t* label, size_t labelLength,
                    const uint8_t* plain, size_t length) {
  return env_rsa_oaep_encrypt(out, modulus, label, labelLength, plain, length) != 0;
}
uint32_t freeRam(void*) { return env_free_ram(); }
void trace(void*, Trace event, const uint8_t* body, size_t length) { env_trace(static_cast<int32_t>(event), body, length); }
bool relaySet(void*, bool on) { return env_relay_set(on ? 1 : 0) != 0; }
bool relayGet(void*) { return env_relay_get() != 0; }
void identify(void*, uint8_t seconds) { env_identify(seconds); }
void reboot(void*) { env_reboot(); }

bool readRegisters(void*, Registers* out) {
  uint8_t bytes[registersBytes];
  if (env_registers(bytes) == 0) return false;
  Reader reader(bytes, sizeof bytes);
  out->mask = reader.u16();
  out->importDwh = reader.u48();
  out->exportDwh = reader.u48();
  out->powerDw = static_cast<int32_t>(reader.u32());
  out->voltageDv = reader.u16();
  out->currentCa = reader.u16();
  out->frequencyChz = reader.u16();
  out->powerFactorPct = reader.i8();
  return true;
}

Port port = {nullptr, radioSend, hostSend, nvRead, nvWrite, nvErase, 0, random, sha256, x25519,
             aeadSeal, aeadOpen, rsaOaepEncrypt, readRegisters, freeRam, trace, relaySet, relayGet, identify, reboot};
Config config;
uint8_t rsaModulus[rsaBytes];

// Room for the largest device; which one it is, the configuration says. Every role is smaller than a gateway with a meter.
constexpr size_t largest(size_t a, size_t b) { return a > b ? a : b; }
constexpr size_t deviceBytes = largest(sizeof(MeterDevice), largest(sizeof(HubDevice), sizeof(GatewayDevice)));
alignas(16) uint8_t memory[deviceBytes];
Node* node = nullptr;

struct Place {};

// A leaf at rest goes into deep sleep until that moment: nothing of this memory is there when it wakes.
double next(uint64_t atUs) {
  if (node->asleep()) {
    uint8_t kept[sleepBytesMax];
    const size_t length = node->saveSleep(kept);
    if (length == 0) __builtin_trap();
    env_rtc_write(kept, length);
    env_deep_sleep();
  }
  return static_cast<double>(atUs);
}
uint64_t time(double nowUs) { return static_cast<uint64_t>(nowUs); }

bool readConfig(size_t length) {
  Reader reader(wm_io_buffer, length);
  config.role = static_cast<Role>(reader.u8());
  config.energy = static_cast<EnergyClass>(reader.u8());
  reader.copy(config.mac, macBytes);
  config.networkNumber = reader.u32();
  config.keyId = reader.u8();
  reader.copy(config.networkKey, sizeof config.networkKey);
  config.localHubId = reader.u16();
  config.intervalS = reader.u16();
  config.pollCycleS = reader.u16();
  config.capabilities = reader.u16();
  config.resetCause = reader.u8();
  config.serialHost = reader.u8() != 0;
  port.nvBytes = reader.u32();
  config.suite = reader.u8();
  reader.copy(config.headEndKey, sizeof config.headEndKey);
  reader.copy(config.psk, sizeof config.psk);
  reader.copy(rsaModulus, sizeof rsaModulus);
  config.rsaModulus = rsaModulus;
  const bool known = config.role == Role::meter || config.role == Role::hub || config.role == Role::gateway;
  const bool speaks = config.suite == suiteNone || config.suite == suiteEcc || config.suite == suiteRsa;
  return length == configBytes && reader.ok() && known && speaks && config.intervalS > 0 && config.pollCycleS > 0;
}

}  // namespace

inline void* operator new(size_t, Place, void* at) noexcept { return at; }

namespace {

template <typename Device>
Node* place() {
  return &(new (Place{}, memory) Device(port, config))->node;
}

}  // namespace

// Configures and starts the device, or wakes it; the configuration lies in the io buffer. Negative: the error number.
WM_EXPORT(wm_boot) double wm_boot(size_t length, double nowUs) {
  if (!readConfig(length)) return -static_cast<double>(Error::badField);
  switch (config.role) {
    case Role::meter:
      node = place<MeterDevice>();
      break;
    case Role::hub:
      node = place<HubDevice>();
      break;
    case Role::gateway:
      node = place<GatewayDevice>();
      break;
  }
  uint8_t kept[sleepBytesMax];
  const size_t keptBytes = env_rtc_read(kept, sizeof kept);
  // Its counters are used once, whatever becomes of this life.
  env_rtc_write(kept, 0);
  const Error error = keptBytes > 0 ? node->wake(kept, keptBytes, time(nowUs)) : node->boot(time(nowUs));
  return error == Error::none ? next(node->tick(time(nowUs))) : -static_cast<double>(error);
}

// A frame came: from 6, to 6, then the frame.
WM_EXPORT(wm_receive) double wm_receive(size_t length, int32_t rssi, double nowUs) {
  const uint8_t* from = wm_io_buffer;
  const uint8_t* to = from + macBytes;
  return next(node->receive(from, to, to + macBytes, length - 2 * macBytes, static_cast<int8_t>(rssi), time(nowUs)));
}

WM_EXPORT(wm_sent) double wm_sent(int32_t ok, double nowUs) { return next(node->sent(ok != 0, time(nowUs))); }

WM_EXPORT(wm_host) double wm_host(size_t length, double nowUs) { return next(node->hostBytes(wm_io_buffer, length, time(nowUs))); }

WM_EXPORT(wm_tick) double wm_tick(double nowUs) { return next(node->tick(time(nowUs))); }

// Something happens at the device that the head-end is to hear of at once; `code` as in PROTOCOL.md, section 4.3.
WM_EXPORT(wm_raise) double wm_raise(int32_t code, int32_t value, double nowUs) {
  return next(node->raise(static_cast<EventCode>(code), static_cast<int16_t>(value), time(nowUs)));
}

// What the device knows of itself, for displays and checkers; returns the length.
WM_EXPORT(wm_state) size_t wm_state() {
  const TreePosition& position = node->position();
  const Session& session = node->session();
  const Counters& counters = node->counters();
  Writer writer(wm_io_buffer, ioBytes);
  writer.u16(session.shortId());
  writer.u16(position.attached ? position.parentShort : shortIdNone);
  writer.u8(position.hops);
  writer.u16(position.cost);
  writer.u8(position.attached ? 1 : 0);
  writer.u8(session.joined() ? 1 : 0);
  writer.u8(session.id());
  writer.bytes(session.nodeId(), nodeIdBytes);
  writer.u16(static_cast<uint16_t>(node->members()));
  writer.u16(static_cast<uint16_t>(node->queued()));
  writer.u16(static_cast<uint16_t>(node->spooled()));
  writer.u32(counters.framesReceived);
  writer.u32(counters.framesSent);
  writer.u32(counters.sendsFailed);
  writer.u32(counters.badMac);
  writer.u32(counters.replays);
  writer.u32(counters.malformed);
  writer.u32(counters.queueFull);
  return writer.length();
}

// Network time, microseconds of UTC; negative: the device has none.
WM_EXPORT(wm_utc) double wm_utc(double nowUs) {
  const uint64_t utcUs = node->utcUs(time(nowUs));
  return utcUs > 0 ? static_cast<double>(utcUs) : -1.0;
}

// Bytes of RAM of a whole device of this role.
WM_EXPORT(wm_sizeof) size_t wm_sizeof(int32_t role) {
  switch (static_cast<Role>(role)) {
    case Role::meter:
      return sizeof(MeterDevice);
    case Role::hub:
      return sizeof(HubDevice);
    case Role::gateway:
      return sizeof(GatewayDevice);
  }
  return 0;
}
