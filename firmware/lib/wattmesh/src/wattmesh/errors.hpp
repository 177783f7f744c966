// The closed set of error numbers, the same as in nodes/headend/errors.ts. PROTOCOL.md, "Bad input", says what a receiver does with each.
#pragma once
#include <cstdint>

namespace wattmesh {

enum class Error : uint16_t {
  none = 0,
  truncated = 101,
  oversize = 102,
  badVersion = 103,
  unknownType = 104,
  badLength = 105,
  badCrc = 106,
  trailingBytes = 107,
  badField = 108,
  noKey = 201,
  badTag = 202,
  replay = 203,
  notJoined = 204,
  suiteRefused = 205,
  unknownNode = 206,
  idConflict = 207,
  staleHandshake = 208,
  staleEpoch = 209,
  wrongNetwork = 210,
  notFresh = 211,
  counterSpent = 212,
  rateLimited = 213,
  revoked = 214,
  randomStuck = 215,
  queueFull = 301,
  tooManyHops = 302,
  noRoute = 303,
  radioBusy = 304,
  noParent = 305,
  expired = 306,
  nvRead = 401,
  nvWrite = 402,
  nvCorrupt = 403,
};

}  // namespace wattmesh
