// The cryptography of a chip, by the library that its port will use. One of the files beside this one is linked.
#pragma once
#include "wattmesh/port.hpp"

// Sets the port's functions but `random`: sha256, x25519, the AEAD, and RSA where the library has it.
void useBackend(wattmesh::Port& port);
