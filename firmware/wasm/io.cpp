#include "io.hpp"

uint8_t wm_io_buffer[ioBytes];

uint8_t* wm_io() { return wm_io_buffer; }
