// A node without the network key looks for a neighbour that takes its M1 on. It cannot verify the beacons that it hears: they decide whom it
// asks, and nothing else (PROTOCOL.md, section 2.6). Pure: no port, no time of its own.
#pragma once
#include "wattmesh/beacon.hpp"
#include "wattmesh/clock.hpp"
#include "wattmesh/limits.hpp"
#include "wattmesh/port.hpp"
#include "wattmesh/stamp.hpp"

namespace wattmesh {

class ProxySearch {
 public:
  static constexpr uint64_t lifeUs = 60 * usPerS;
  // After the first beacon a node waits for up to this long: others heard the same beacon.
  static constexpr uint64_t spreadUs = 300 * usPerMs;

  struct Candidate {
    bool used = false;
    uint8_t failures = 0;  // times that it was asked and no M2 came
    uint8_t taste = 0;     // by chance: where many are powered up together, not all ask the same
    uint8_t mac[macBytes] = {};
    Stamp heardUs;
    uint32_t badness = 0;  // 1/128 transmissions
  };

  // A beacon came, unverified. `dice` spreads the first M1, and says who leaves a full table: a flood of forged beacons must not always
  // push out the same.
  void heard(const uint8_t mac[macBytes], const Beacon& beacon, int8_t rssiDbm, uint32_t dice, uint64_t nowUs);
  // Nobody is known who has not failed yet, and it is time to ask for beacons: 1, 2, 4, ... 60 s after the time before, and a little spread by
  // `dice`. Call while a proxy is sought.
  bool solicits(uint32_t dice, uint64_t nowUs);
  // A parent was found: when one is sought again, it begins anew.
  void rest();
  // Whom to ask now: the nearest of those that failed least. nullptr: nobody.
  const Candidate* best(uint64_t nowUs) const;
  // Asking this one led nowhere: the others come first now.
  void failed(const uint8_t mac[macBytes]);
  // When best() has somebody, or solicits() is true; never: unless another beacon comes.
  uint64_t nextUs(uint64_t nowUs) const;

 private:
  static constexpr size_t candidatesMax = 8;
  static constexpr uint64_t solicitUs = usPerS;
  static constexpr uint64_t solicitMaxUs = 60 * usPerS;

  Candidate* find(const uint8_t mac[macBytes]);
  Candidate* place(uint32_t dice, uint64_t nowUs);
  const Candidate* nearest(uint64_t nowUs) const;
  bool hasHope(uint64_t nowUs) const;

  uint64_t readyUs_ = never;
  uint64_t solicitDueUs_ = never;
  uint64_t solicitWaitUs_ = solicitUs;
  Candidate table_[candidatesMax];
};

}  // namespace wattmesh
