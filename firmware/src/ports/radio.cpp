// The one radio of a board: the SDK's callbacks have no room for a context.
#include "ports/chip.hpp"

namespace ports {

board::Radio& radio() {
  static board::Radio radio(radioDriver);
  return radio;
}

}  // namespace ports
