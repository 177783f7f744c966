// Is the source of randomness alive? The start-up tests of NIST SP 800-90B, section 4.3, over what the port gives.
#pragma once
#include "wattmesh/port.hpp"

namespace wattmesh {

// True when what the port draws cannot be random: a key made of it would be known to whoever knows the fault. Draws 1,024 bytes.
[[gnu::externally_visible]] bool randomIsStuck(const Port& port);

}  // namespace wattmesh
