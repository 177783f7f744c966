// What the core asks of the chip: one struct of functions, filled in by the port (ports/esp32, ports/esp8266, the WASM port).
// `context` is handed back unchanged. No function may call back into the core.
#pragma once
#include <cstddef>
#include <cstdint>

namespace wattmesh {

constexpr size_t macBytes = 6;
constexpr size_t rsaBytes = 256;  // of a 2048-bit modulus and of everything encrypted to it

// A meter's registers at one moment, in protocol units (PROTOCOL.md, "Registers"). `mask` names the registers that the input has.
struct Registers {
  uint16_t mask;
  uint64_t importDwh;
  uint64_t exportDwh;
  int32_t powerDw;
  uint16_t voltageDv;
  uint16_t currentCa;
  uint16_t frequencyChz;
  int8_t powerFactorPct;
};

// Events that the port may show or record; the simulator's checkers live on them. Never needed for operation.
enum class Trace : uint8_t {
  // body: logId 4, seq u32, t u32 (UTC s), interval u16 (s), quality u8, mask u16, then import u48, export u48, power i32, voltage u16,
  // current u16, frequency u16, power factor i8; registers outside the mask are 0. The last row is traced again when the log is opened.
  rowCommitted = 1,
  dropped = 2,        // body: error u16
  parentChanged = 3,  // body: short id of the new parent u16 (0 none), cost u16, hops u8
  joined = 4,         // body: short id u16, session u8
  rowOverwritten = 5, // body: logId 4, first seq u32, last seq u32 that leave the log
};

struct Port {
  void* context;
  // Hands one frame to the radio; false: busy, try again after the send callback (Node::sent). Exactly one frame is outstanding.
  bool (*radioSend)(void* context, const uint8_t destination[macBytes], const uint8_t* frame, size_t length);
  // Gateways: bytes to the host (a SLIP packet or one envelope); false: no room now.
  bool (*hostSend)(void* context, const uint8_t* data, size_t length);
  // Non-volatile memory with the rules of serial flash: writes clear bits, erase sets a sector (4,096 B) to 0xff. False: the chip failed.
  bool (*nvRead)(void* context, uint32_t address, uint8_t* out, size_t length);
  bool (*nvWrite)(void* context, uint32_t address, const uint8_t* data, size_t length);
  bool (*nvErase)(void* context, uint32_t address);
  // Bytes of non-volatile memory, a multiple of 4,096.
  uint32_t nvBytes;
  // Cryptographic randomness.
  void (*random)(void* context, uint8_t* out, size_t length);
  void (*sha256)(void* context, const uint8_t* data, size_t length, uint8_t out[32]);
  // RFC 7748; the base point is 9 followed by zeros. May give zeros for a point of small order: the core looks for itself.
  void (*x25519)(void* context, uint8_t out[32], const uint8_t scalar[32], const uint8_t point[32]);
  // ChaCha20-Poly1305 (RFC 8439). Writes `length` bytes and a tag of 16; `out` may be `plain`.
  void (*aeadSeal)(void* context, uint8_t* out, const uint8_t key[32], const uint8_t nonce[12], const uint8_t* aad, size_t aadLength,
                   const uint8_t* plain, size_t length);
  // The reverse; `length` counts the tag and is at least 16. False: the tag does not verify, and `out` holds nothing of use.
  bool (*aeadOpen)(void* context, uint8_t* out, const uint8_t key[32], const uint8_t nonce[12], const uint8_t* aad, size_t aadLength,
                   const uint8_t* cipher, size_t length);
  // RSAES-OAEP with SHA-256 (RFC 8017), exponent 65537; the modulus is big-endian. False: the modulus is none. nullptr: no RSA here.
  bool (*rsaOaepEncrypt)(void* context, uint8_t out[rsaBytes], const uint8_t modulus[rsaBytes], const uint8_t* label, size_t labelLength,
                         const uint8_t* plain, size_t length);
  // Meters: the registers now; false: the input has no valid value at present.
  bool (*readRegisters)(void* context, Registers* out);
  // Free RAM in bytes, 0 unknown.
  uint32_t (*freeRam)(void* context);
  void (*trace)(void* context, Trace event, const uint8_t* body, size_t length);
};

}  // namespace wattmesh
